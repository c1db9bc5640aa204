"""The operators called directly: no database, no scheduler."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import datetime, timezone
from types import SimpleNamespace

import pncp_details.operators as operators
import program
import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException
from airflow_home import ROOT
from lake_day import Day, wait_until
from pncp_details.operators import PncpDetailsCommandOperator, PncpDetailsOperator
from program import DAY, FAST, rows, same_values, truth_of


class TaskInstance:
    task_id = "t"

    def __init__(self):
        self.pushed = {}

    def xcom_push(self, key, value):
        self.pushed[key] = value


@pytest.fixture
def context():
    run = SimpleNamespace(dag_id="dag", run_id="manual__1", run_type="manual", logical_date=datetime(2025, 10, 22, tzinfo=timezone.utc),
                          run_after=None, start_date=datetime.now(timezone.utc))
    return {"ti": TaskInstance(), "dag_run": run}


@pytest.fixture
def make(monkeypatch, lake):
    """make(sim, …) -> an operator on the lake."""
    def operator(sim, kind=PncpDetailsOperator, extra=FAST, **settings):
        env = {name: value for name, value in program.environment(sim).items() if name.startswith(("PNCP_", "XDG_", "no_proxy"))}
        return kind(task_id="t", **{"date": DAY, "lake": str(lake), "binary": str(program.binary()), "extra": extra, "env": env, **settings})

    return operator


def test_a_day(simulator, make, context, lake):
    sim = simulator("--day", DAY, "--count", 30)
    done = make(sim, date=None).poke(context)
    assert bool(done) and done.xcom_value["complete"] and done.xcom_value["became_complete"] and context["ti"].pushed == {}
    same_values(rows(lake), truth_of(sim))
    again = make(sim).poke(context)
    assert bool(again) and not Day(lake).records() == {} and again.xcom_value["done"] == 30


def test_a_slot_that_ends(simulator, make, context, lake):
    """False with what was done so far; the next slots go on, and the last counts all."""
    sim = simulator("--day", DAY, "--count", 60, "--latency-detail", 100)
    slots = []
    while not slots or not slots[-1]:
        assert len(slots) < 10
        slots.append(make(sim, batch_size=20, max_duration="1s", extra=[*FAST, "--connections", "8"]).poke(context))
    assert len(slots) > 1 and context["ti"].pushed["return_value"]["remaining"] > 0
    total = slots[-1].xcom_value
    assert (total["saved"], total["done"], total["complete"], total["became_complete"]) == (60, 60, True, True)
    assert total["batches"] == len(Day(lake).records())
    assert sum(record["summary"]["days"][0]["list_calls"] for record in Day(lake).records().values()) == sim.stats()["requests"]["listing"]


@pytest.mark.parametrize("code", [1, 2, 3, 75])
def test_exits(code, simulator, make, context, lake):
    sim = simulator("--day", DAY, "--count", 10)
    settings = {}
    if code == 1:
        lake.write_bytes(b"no folder")
    elif code == 2:
        settings["extra"] = [*FAST, "--connections", "0"]
    elif code == 3:
        cnpj, ano, sequencial = next(iter(truth_of(sim))).split("|")
        sim.control(rule=f"/{cnpj}/compras/{ano}/{sequencial}/arquivos=500_json")
    else:
        sim.control(fault="listing:503=1")
        settings["extra"] = program.fast("--outage-wait") + ("--outage-wait", "1s")
    with pytest.raises(AirflowException) as error:
        make(sim, **settings).poke(context)
    assert isinstance(error.value, AirflowFailException) == (code in (1, 2))
    assert f"ended with exit {code} (" in str(error.value)
    assert list(context["ti"].pushed) == ["return_value"]
    if code != 2:
        assert context["ti"].pushed["return_value"]["exit_code"] == code


def test_on_kill_saves(simulator, make, context, lake):
    sim = simulator("--day", DAY, "--count", 300, "--latency-detail", 60)
    operator = make(sim, checkpoint_every=10)

    def kill():
        wait_until(lambda: Day(lake).keys())
        operator.on_kill()

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(AirflowException, match="exit 143"):
        operator.poke(context)
    thread.join()
    assert context["ti"].pushed["return_value"]["saved"] == len(Day(lake).keys()) > 0


def test_secrets_go_through_the_environment(simulator, make, context, lake, monkeypatch, caplog):
    """From the Connection, never into arguments or log lines."""
    seen = []
    connection = SimpleNamespace(login="key", password="s3cr3t-s3cr3t", host=None, port=None, schema=None,
                                 extra_dejson={"endpoint_url": "http://127.0.0.1:1"})
    monkeypatch.setattr(operators.BaseHook, "get_connection", lambda conn_id: connection)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the worker")
    begin = operators.Tool.__init__
    monkeypatch.setattr(operators.Tool, "__init__", lambda self, argv, env: (seen.append((argv, env)), begin(self, argv, env))[1])
    make(simulator("--day", DAY, "--count", 3), aws_conn_id="minio").poke(context)
    argv, env = seen[0]
    assert (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_ENDPOINT_URL_S3"]) == ("key", "s3cr3t-s3cr3t", "http://127.0.0.1:1")
    assert "s3cr3t" not in " ".join(argv) + caplog.text + json.dumps(Day(lake).records())


def test_other_commands(simulator, make, context, lake):
    sim = simulator("--day", DAY, "--count", 20)

    def command(name, **more):
        return make(sim, PncpDetailsCommandOperator, command=name, **{"extra": (), **more}).execute(context)

    assert command("list", unless="files") is None and command("list", only_final=True, date="today") is None and not lake.exists()
    assert command("list", only_final=True)["days"][0]["listed"] == 20
    make(sim).poke(context)
    assert command("status")["done"] == 20 and command("verify")["sound"] is True
    with pytest.raises(AirflowFailException, match="compact"):
        command("compact", extra="--connections 4")


def test_the_package_is_a_provider(tmp_path):
    """Installed as a user does, Airflow finds it."""
    tests_python = os.environ.get("PNCP_TESTS_PYTHON", sys.executable)
    build = subprocess.run([tests_python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
                            "--target", str(tmp_path / "site"), str(copy_of_package(tmp_path))], capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    found = list(importlib.metadata.distributions(name="pncp-details-airflow", path=[str(tmp_path / "site")]))
    entry = next(iter(found[0].entry_points.select(group="apache_airflow_provider")))
    assert entry.load()()["package-name"] == "pncp-details-airflow"
    assert (tmp_path / "site" / "pncp_details" / "dags" / "bronze_pncp_details_backfill.py").exists()


def copy_of_package(tmp_path):
    shutil.copytree(ROOT / "airflow", tmp_path / "package")  # setuptools builds in the tree
    return tmp_path / "package"
