"""What runs of late did: their records, for people and for programs."""

import json

import pytest
from lake_day import ingest
from lake_in_bucket import Bucket
from program import DAY, run

MINE = {"PNCP_SCHEDULER_RUN_ID": "daily/scheduled__2025-10-23/ingest"}


def runs(lake, *args, **more):
    return run("runs", "--lake", lake, *args, **more)


def three_runs(sim, lake, env) -> list:
    """One of a scheduler, one by hand, one of the scheduler again."""
    first = ingest(sim, lake, "--batch-size", 10, env={**env, **MINE})
    second = ingest(sim, lake, "--max-contratacoes", 3, env=env)
    third = ingest(sim, lake, env={**env, **MINE})
    return [result.summary for result in (first, second, third)]


def by_id(summaries) -> list:
    """Run ids begin with the second, and a run here takes less."""
    return sorted(summaries, key=lambda summary: summary["run_id"])


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_records_for_programs(where, simulator, lake, tmp_path, request):
    sim, env = simulator("--day", DAY, "--count", 30), {}
    if where == "bucket":
        bucket = Bucket(request.getfixturevalue("minio"), tmp_path)
        lake, env = bucket.url, bucket.server.env
    summaries = three_runs(sim, lake, env)
    answer = json.loads(runs(lake, "--json", env=env).stdout)
    assert answer["v"] == 1 and answer["lake"] == str(lake)
    assert [record["summary"] for record in answer["runs"]] == by_id(summaries)
    assert [record["run_id"] for record in answer["runs"]] == sorted(summary["run_id"] for summary in summaries)
    mine = json.loads(runs(lake, "--json", "--scheduler-run-id", MINE["PNCP_SCHEDULER_RUN_ID"], env=env).stdout)["runs"]
    assert [record["summary"] for record in mine] == by_id([summaries[0], summaries[2]])
    assert json.loads(runs(lake, "--json", "--scheduler-run-id", "another", env=env).stdout)["runs"] == []


def test_lines_for_people(simulator, lake):
    sim = simulator("--day", DAY, "--count", 30, "--fault", "500_json=1")
    ingest(sim, lake, "--attempts", 1, exit=75, env=MINE)
    head, line, error = runs(lake).stdout.splitlines()
    assert head.split() == ["run", "days", "took", "exit", "saved", "errors", "by"]
    assert line.split()[1] == DAY and line.split()[4] == "75" and line.endswith(MINE["PNCP_SCHEDULER_RUN_ID"])
    assert error.startswith("    ")


def test_none(lake):
    lake.mkdir(parents=True, exist_ok=True)
    assert runs(lake).stdout == "no run has ended in that time\n"
    assert json.loads(runs(lake, "--json").stdout)["runs"] == []


def test_only_of_late(simulator, lake):
    ingest(simulator("--day", DAY, "--count", 5), lake)
    record, = (lake / "pncp_details/_state/execucoes").iterdir()
    record.rename(record.with_name("20251023T060102Z-4f1c9a20.json"))
    assert runs(lake).stdout == "no run has ended in that time\n"


def test_no_lake(tmp_path):
    assert runs(tmp_path / "none", exit=1).stderr[-1].startswith("pncp-details: ")
