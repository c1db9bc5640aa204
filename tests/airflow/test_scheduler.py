"""The scheduler's path on Airflow 3: components as processes, runs triggered and read back over REST."""

import pytest
from airflow_here import V3
from lake_day import Day, assert_consistent
from program import DAY, STATE_HOME, binary, environment, rows, same_values, truth_of

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
