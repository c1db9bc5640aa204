"""Lots that could not be saved wait in the spool; the next run of the day commits them without asking the API again."""

import fcntl
import shutil
import signal
import stat
import time

import pyarrow.parquet as pq
import pytest
from lake_day import Day, asked, assert_consistent, ingest, reset, start, wait_until
from program import DAY, finish, key_of, run, same_values, truth_of


@pytest.fixture
def source(simulator, lake):
    return simulator("--day", DAY, "--count", 120, "--itens-max", 5, "--latency", 5), Day(lake)


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool"


class Blocked:
    """The day's commit lock, held by someone else: no checkpoint can be written, fetching goes on."""

    def __init__(self, day):
        self.path = day.states / "lock" / f"pncp_details_{day.date}.commit"

    def __enter__(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, "w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


@pytest.fixture
def leave_unsaved(fast_clock, spool):
    """A run that loses its store after the first checkpoint, and gives up after a while."""
    def leave(sim, day, *args):
        process = start(sim, day.lake, "--spool", spool, "--checkpoint-every", 20, "--outage-wait", "60s", "--deadline", "600s",
                        *args, env=fast_clock)
        wait_until(lambda: day.file.exists(), process)
        with Blocked(day):
            return finish(process, timeout=90)
    return leave


def lots(spool) -> list:
    return sorted(path for path in spool.iterdir() if path.suffix == ".parquet")


def waiting(spool) -> set:
    return {key_of(row) for path in lots(spool) for row in pq.read_table(path).to_pylist()}


def stands_still(sim) -> bool:
    before = sim.stats()["requests_total"]
    time.sleep(0.4)
    return sim.stats()["requests_total"] == before


def test_two_lots_wait_and_are_committed_by_the_next_run(source, spool, leave_unsaved):
    sim, day = source
    result = leave_unsaved(sim, day)
    assert result.exit == 75 and "is held by another process" in result.day["error"]
    saved, unsaved = set(day.keys()), waiting(spool)
    assert len(lots(spool)) == 2, "the one that could not be saved, and the next, which was full"
    assert len(unsaved) == result.day["spooled"] >= 40 and not unsaved & saved
    assert sum("contratacoes wait in" in line for line in result.stderr) == 2
    assert stat.S_IMODE(lots(spool)[0].stat().st_mode) == 0o600
    assert lots(spool)[0].name.split(".")[1:4] == [DAY, "1", result.summary["run_id"]]
    reset(sim)
    again = ingest(sim, day.lake, "--spool", spool)
    assert not set(asked(sim)) & (unsaved | saved), "nothing is asked twice"
    assert again.day["done_before"] == len(saved | unsaved) and list(spool.iterdir()) == []
    assert sum("that an earlier run could not save are committed" in line for line in again.stderr) == 2
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


def test_what_is_in_the_data_already_is_not_added(source, spool, leave_unsaved, tmp_path):
    """Someone else has fetched it meanwhile, or the run that claimed it died after its commit."""
    sim, day = source
    leave_unsaved(sim, day)
    for path in lots(spool):
        path.rename(path.with_name(path.name + ".claimed")) # by a run that is not there any more
    elsewhere = tmp_path / "elsewhere"
    spool.rename(elsewhere)
    ingest(sim, day.lake, "--spool", spool, "--batch-size", 60)
    commit = day.commit()
    shutil.copytree(elsewhere, spool)
    ingest(sim, day.lake, "--spool", spool)
    assert list(spool.iterdir()) == [] and day.commit() != commit
    same_values(day.rows(), truth_of(sim))
    shutil.copytree(elsewhere, spool, dirs_exist_ok=True)
    commit = day.commit()
    ingest(sim, day.lake, "--spool", spool)
    assert list(spool.iterdir()) == [] and day.commit() == commit
    assert_consistent(day)


def test_other_lakes_days_and_runs_keep_theirs(source, spool, leave_unsaved, tmp_path):
    sim, day = source
    leave_unsaved(sim, day)
    ours = lots(spool)
    names = {path.name for path in ours}
    result = ingest(sim, tmp_path / "another-lake", "--spool", spool, "--batch-size", 5)
    assert {path.name for path in lots(spool)} == names and result.day["done_before"] == 0
    with open(ours[0], "r+") as claimed: # by a run that is alive
        fcntl.flock(claimed, fcntl.LOCK_EX)
        ingest(sim, day.lake, "--spool", spool, "--batch-size", 5)
        assert lots(spool) == [ours[0]]
    ingest(sim, day.lake, "--spool", spool)
    assert lots(spool) == []
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


def test_damaged_and_foreign_ones_are_set_aside(source, spool, leave_unsaved):
    sim, day = source
    leave_unsaved(sim, day)
    first, second = lots(spool)
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 0xFF
    first.write_bytes(content)
    second.write_bytes(b"not a Parquet file")
    result = ingest(sim, day.lake, "--spool", spool)
    assert sorted(path.name for path in spool.iterdir()) == sorted(f"{path.name}.damaged" for path in (first, second))
    assert sum(line.startswith("WARNING spool: ") for line in result.stderr) == 2
    same_values(day.rows(), truth_of(sim)) # they cost API calls only
    assert_consistent(day)


def test_a_signal_while_the_store_hangs(source, spool):
    """Out within three seconds; what is finished and not in the saver's hands waits in the spool."""
    sim, day = source
    process = start(sim, day.lake, "--spool", spool, "--checkpoint-every", 20)
    wait_until(lambda: day.file.exists(), process)
    with Blocked(day):
        before = len(day.keys())
        wait_until(lambda: stands_still(sim), process) # the next lot is full, so fetching waits
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        result = finish(process, timeout=20)
        assert time.monotonic() - begun < 3
    assert result.exit == 143 and len(day.keys()) == before
    assert sum("contratacoes wait in" in line for line in result.stderr) == 1
    assert len(waiting(spool)) >= 20
    reset(sim)
    kept = waiting(spool)
    ingest(sim, day.lake, "--spool", spool)
    assert not set(asked(sim)) & kept
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


def test_a_spool_that_cannot_be_written_is_told(source, leave_unsaved, spool):
    sim, day = source
    spool.write_text("a file")
    result = leave_unsaved(sim, day)
    assert result.exit == 75 and result.day["spooled"] == 0
    assert sum("are lost to the next run, which asks for them again: spool" in line for line in result.stderr) == 2
    spool.unlink()
    assert ingest(sim, day.lake).day["complete"]
    same_values(day.rows(), truth_of(sim))
