"""What earlier batches of a task did, from the run records: those of its own, of its day, of late."""

import datetime

import program
import pytest
from lake_day import ingest
from lake_in_bucket import Bucket
from pncp_details.records import read_days
from program import DAY

MINE, HOUR = "daily/scheduled__2025-10-23/ingest_details", datetime.timedelta(hours=1)


def ago(hours) -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) - hours * HOUR


def read(lake, env, since, scheduler_run_id=MINE):
    return read_days(str(lake), env, scheduler_run_id, DAY, since, str(program.binary()))


@pytest.mark.parametrize("where", ["folder", "bucket"])
def test_those_of_a_task(where, simulator, lake, tmp_path, request):
    sim, env = simulator("--count", 20), {}
    if where == "bucket":
        bucket = Bucket(request.getfixturevalue("minio"), tmp_path)
        lake, env = bucket.url, bucket.server.env
    mine = [ingest(sim, lake, "--batch-size", size, env={**env, "PNCP_SCHEDULER_RUN_ID": MINE}) for size in (5, 7)]
    ingest(sim, lake, "--batch-size", 2, env={**env, "PNCP_SCHEDULER_RUN_ID": "another"})
    ingest(sim, lake, "--batch-size", 2, date="20251023", env={**env, "PNCP_SCHEDULER_RUN_ID": MINE})
    found = read(lake, env, ago(1))
    assert {day["run_id"]: day["saved"] for day in found} == {mine[0].summary["run_id"]: 5, mine[1].summary["run_id"]: 7}
    assert read(lake, env, ago(1), "nobody") == []
    assert len(read(lake, env, ago(24 * 365))) == 2


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        read(tmp_path / "nowhere", {}, ago(1))
