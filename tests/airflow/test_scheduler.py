"""The scheduler's path on Airflow 3: components as processes, runs triggered and read back over REST."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from airflow_here import V3
from lake_day import Day, assert_consistent, wait_until
from program import DAY, STATE_HOME, binary, environment, rows, run, same_values, truth_of

pytestmark = pytest.mark.skipif(not V3, reason="Airflow 2 has other components")
DAILY, BACKFILL = "bronze_pncp_details_daily_ingestion", "bronze_pncp_details_backfill"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(Airflow, simulator, lake)."""
    from airflow_services import Services
    from simulator import Simulator

    lake = tmp_path_factory.mktemp("lake")
    with Simulator("--count", 60) as sim:
        env = {name: value for name, value in environment(sim).items() if name.startswith(("PNCP_", "XDG_"))}
        with Services({**env, "PNCP_DETAILS_BINARY": str(binary()), "PNCP_LAKE": str(lake), "XDG_STATE_HOME": str(STATE_HOME)}) as airflow:
            yield airflow, sim, lake


def test_a_day_over_rest(world):
    airflow, sim, lake = world
    run = airflow.trigger(DAILY, {"date": "2025-10-22", "batch_size": 25, "checkpoint_every": 10})
    assert airflow.wait(DAILY, run) == "success"
    summary = airflow.xcom(DAILY, run, "ingest_details")
    assert (summary["date"], summary["saved"], summary["batches"], summary["complete"]) == (DAY, 60, 3, True)
    entries = [entry for entry in airflow.log(DAILY, run, "ingest_details") if isinstance(entry, dict)]
    said = {entry["event"]: entry.get("level") for entry in entries}
    checkpoints = [event for event in said if "Checkpoint 1: Saved 10 contratacoes (10/25 total progress" in event]
    assert checkpoints and said[checkpoints[0]] == "info"
    same_values(rows(lake), truth_of(sim))
    assert_consistent(Day(lake))
    record = Day(lake).records()[summary["last_run_id"]]
    assert record["scheduler_run_id"] == f"{DAILY}/{run}/ingest_details"


def test_warnings_and_errors_keep_their_levels(world):
    """A day whose list cannot be had: exit 75 is tried again."""
    airflow, sim, _ = world
    sim.control(fault="listing:422=1")
    try:
        run = airflow.trigger(DAILY, {"date": "2025-10-01"})
        airflow._wait_for(lambda: airflow.task(DAILY, run, "list_day")["state"] in ("up_for_retry", "failed"))
        assert airflow.task(DAILY, run, "list_day")["state"] == "up_for_retry"
        levels = {entry.get("level") for entry in airflow.log(DAILY, run, "list_day") if isinstance(entry, dict)}
        assert "error" in levels
    finally:
        sim.control(clear="faults")


def test_bad_conf_is_refused_by_the_api(world):
    airflow, _, _ = world
    with pytest.raises(ValueError, match="(?s)4[0-9][0-9]:.*lots"):
        airflow.trigger(DAILY, {"batch_size": "lots"})


# ---- kills --------------------------------------------------------------------------------------------


def pid_of_run(lake, date=DAY) -> int:
    return json.loads(Day(lake, date).run_lock.read_text())["pid"]


def is_alive(pid) -> bool:
    return Path(f"/proc/{pid}").exists()


def begin_slow_day(world, date):
    """A run that has saved something, and the program's process id."""
    airflow, sim, lake = world
    sim.control(latency_detail="3000")
    run = airflow.trigger(DAILY, {"date": date, "checkpoint_every": 5})
    airflow._wait_for(lambda: len(Day(lake, date).keys()) >= 5)
    return run, pid_of_run(lake, date)


def finish_day(world, run, date, before):
    """Cleared or tried again, it ends well; nothing is lost or twice."""
    airflow, sim, lake = world
    assert airflow.wait(DAILY, run) == "success"
    day = Day(lake, date)
    assert before < set(day.keys()) and len(day.keys()) == len(set(day.keys()))
    same_values(rows(lake, date), truth_of(sim, date))
    assert_consistent(day)
    return airflow.xcom(DAILY, run, "ingest_details")


def supervisor_and_task(pid) -> tuple:
    """The two processes above the program: the task's own is its parent."""
    parents = []
    for _ in range(2):
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        parents.append(pid)
    return parents[1], parents[0]


@pytest.mark.full
def test_marked_failed_and_cleared(world):
    airflow, sim, lake = world
    date = "20251101"
    run, pid = begin_slow_day(world, date)
    try:
        airflow.request("PATCH", airflow._task(DAILY, run, "ingest_details"), {"new_state": "failed"})
        wait_until(lambda: not is_alive(pid), seconds=20)
        day = Day(lake, date)
        assert_consistent(day)
        before = set(day.keys())
        assert 5 <= len(before) < 60 and list(day.records().values())[-1]["summary"]["exit_code"] == 143
        airflow.wait(DAILY, run)
    finally:
        sim.control(latency_detail="0")
    airflow.request("POST", f"/dags/{DAILY}/clearTaskInstances",
                    {"dry_run": False, "dag_run_id": run, "task_ids": ["ingest_details", "day_complete"], "only_failed": False,
                     "reset_dag_runs": True, "include_downstream": True})
    summary = finish_day(world, run, date, before)
    assert summary["became_complete"]


@pytest.mark.full
@pytest.mark.parametrize("which, date", [("task", "20251102"), ("supervisor", "20251103")])
def test_a_killed_worker(which, date, world):
    """kill -9: the program saves and goes, and the task is tried again."""
    airflow, sim, lake = world
    run, pid = begin_slow_day(world, date)
    try:
        supervisor, task = supervisor_and_task(pid)
        os.kill(task if which == "task" else supervisor, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid), seconds=10)
        wait_until(lambda: not is_alive(task), seconds=10)
        day = Day(lake, date)
        assert_consistent(day)
        before = set(day.keys())
        assert 5 <= len(before) < 60
    finally:
        sim.control(latency_detail="0")
    # The retry waits ten minutes; a person who clears the task does not.
    airflow._wait_for(lambda: airflow.task(DAILY, run, "ingest_details")["state"] in ("up_for_retry", "failed"))
    airflow.request("POST", f"/dags/{DAILY}/clearTaskInstances",
                    {"dry_run": False, "dag_run_id": run, "task_ids": ["ingest_details"], "only_failed": False, "reset_dag_runs": True,
                     "include_downstream": True})
    finish_day(world, run, date, before)


# ---- many days ----------------------------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("how", ["backfill create", "mapped"])
def test_limits_are_kept(how, tmp_path):
    """Six days, two at a time, against 20 listing requests in 6 s and 50 detail requests a second: fewer than 5 % are refused."""
    from airflow_services import Services
    from simulator import Simulator

    dates = [f"202510{day}" for day in range(20, 26)]
    with Simulator("--day", "20251020..20251025", "--count", 120, "--latency", 20, "--limit-listing", "20/6", "--limit-detail", "50/1") as sim:
        env = {name: value for name, value in environment(sim).items() if name.startswith(("PNCP_", "XDG_"))}
        variables = {"list_rate": "3", "max_rate": "46", "pool_slots": "2", "extra": "--brake-wait 1s"}
        with Services({**env, "PNCP_DETAILS_BINARY": str(binary()), "PNCP_LAKE": str(tmp_path / "lake"),
                       **{f"AIRFLOW_VAR_PNCP_DETAILS_{name.upper()}": value for name, value in variables.items()}}) as airflow:
            began, most = time.monotonic(), 0
            if how == "mapped":
                runs = [(BACKFILL, airflow.trigger(BACKFILL, {"from": dates[0], "to": dates[-1]}))]
            else:
                airflow.run_alone("backfill", "create", "--dag-id", DAILY, "--from-date", "2025-10-20", "--to-date", "2025-10-25T23:59:59Z",
                            "--max-active-runs", "2")
                runs = [(DAILY, run["dag_run_id"]) for run in airflow.get(f"/dags/{DAILY}/dagRuns?run_type=backfill")["dag_runs"]]
                assert len(runs) == 6
            while (states := {airflow.state(*run) for run in runs}) - {"success", "failed"}:
                running = [task for run in runs for task in airflow.tasks(*run) if task["state"] == "running"]
                most = max(most, sum(task["task_id"].endswith("ingest_details") for task in running))
                assert sum(task["task_id"].endswith("list_day") for task in running) <= 1
                assert time.monotonic() - began < 280
                time.sleep(0.5)
            assert states == {"success"} and 1 <= most <= 2
            stats = sim.stats()
            print(f"{how}: {time.monotonic() - began:.0f} s, at most {most} at once, {stats['requests_total']} requests, limited: {stats['limited']}")
        assert sum(stats["limited"].values()) < 0.05 * stats["requests_total"]
        for date in dates:
            same_values(rows(tmp_path / "lake", date), truth_of(sim, date))


@pytest.mark.full
def test_a_large_day_is_nearly_as_fast_as_a_plain_run(tmp_path):
    """6,500 contratações at 90 ms, auto: at most 1.8 times one plain run of the program; one event; the counts are the file's."""
    from airflow_services import Services
    from simulator import Simulator

    with Simulator("--day", DAY, "--count", 6500, "--latency", 90) as sim:
        began = time.monotonic()
        run("--date", DAY, "--checkpoint-every", "auto", lake=tmp_path / "plain", sim=sim, exit=0, timeout=280)
        plain = time.monotonic() - began
        env = {name: value for name, value in environment(sim).items() if name.startswith(("PNCP_", "XDG_"))}
        lake = tmp_path / "lake"
        with Services({**env, "PNCP_DETAILS_BINARY": str(binary()), "PNCP_LAKE": str(lake)}) as airflow:
            began = time.monotonic()
            dag_run = airflow.trigger(DAILY, {"date": DAY, "batch_size": "auto", "checkpoint_every": "auto"})
            assert airflow.wait(DAILY, dag_run, 280) == "success"
            took = time.monotonic() - began
            summary = airflow.xcom(DAILY, dag_run, "ingest_details")
            events = [event for event in airflow.get("/assets/events")["asset_events"] if event["source_run_id"] == dag_run]
        saved = rows(lake)
        print(f"plain {plain:.1f} s, Airflow {took:.1f} s, {summary['batches']} batches")
        assert len(events) == 1
        assert (summary["saved"], summary["itens"], summary["arquivos"]) == \
            (len(saved), sum(row["itens_total"] or 0 for row in saved), sum(row["arquivos_total"] or 0 for row in saved)) and len(saved) == 6500
        assert took <= 1.8 * plain
