"""CeleryExecutor: six days at once on two workers, into one bucket."""

import json
import time

import celery_services
import pyarrow.parquet as pq
import pytest
from airflow_here import V3
from program import STATE_HOME, binary, environment, same_values, truth_of
from simulator import Simulator

BACKFILL = "bronze_pncp_details_backfill"

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not V3, reason="Airflow 2 has other components"),
    pytest.mark.skipif(bool(celery_services.missing()), reason=f"missing: {celery_services.missing()}; ./dev setup --full installs them"),
]


def test_six_days_on_two_workers(minio, tmp_path):
    dates = [f"202510{day}" for day in range(20, 26)]
    lake = minio.url()
    connection = {"conn_type": "aws", "login": minio.signer.access, "password": minio.signer.secret,
                  "extra": {"endpoint_url": minio.endpoint, "region_name": "us-east-1"}}
    with Simulator("--day", "20251020..20251025", "--count", 500, "--latency", 50) as sim:
        env = {name: value for name, value in environment(sim).items() if name.startswith(("PNCP_", "XDG_"))}
        env.update({"PNCP_DETAILS_BINARY": str(binary()), "XDG_STATE_HOME": str(STATE_HOME), "AIRFLOW_CONN_PNCP_LAKE": json.dumps(connection),
                    "AIRFLOW_VAR_PNCP_DETAILS_LAKE": lake, "AIRFLOW_VAR_PNCP_DETAILS_AWS_CONN_ID": "pncp_lake"})
        with celery_services.CeleryServices(env) as airflow:
            airflow.run("pools", "set", "pncp_api", "6", "details")
            began, most = time.monotonic(), {}
            run = airflow.trigger(BACKFILL, {"from": dates[0], "to": dates[-1], "batch_size": 200})
            while airflow.state(BACKFILL, run) not in ("success", "failed"):
                assert time.monotonic() - began < 250
                now = airflow.memory()
                most = {name: max(value, most.get(name, 0)) for name, value in now.items()}
                time.sleep(1)
            took = time.monotonic() - began
            print(f"six days in {took:.0f} s; MiB at most: {most}")
            assert airflow.state(BACKFILL, run) == "success"
            ingests = [task for task in airflow.tasks(BACKFILL, run) if task["task_id"] == "day.ingest_details"]
            assert {task["hostname"] is not None for task in ingests} == {True} and len(ingests) == 6
            summaries = [airflow.xcom(BACKFILL, run, "day.ingest_details", map_index=index) for index in range(6)]
        for date, summary in zip(dates, summaries, strict=True):
            file = tmp_path / f"{date}.parquet"
            file.write_bytes(minio.get(f"{lake}/pncp_details/year={date[:4]}/month={date[4:6]}/day={date[6:]}/details.parquet"))
            saved = pq.ParquetFile(file).read().to_pylist()
            same_values(saved, truth_of(sim, date))
            assert (summary["date"], summary["saved"], summary["batches"], summary["complete"]) == (date, 500, 3, True)
