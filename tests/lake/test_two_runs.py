"""Two runs at once: of one day the second waits a while, then leaves and names the first; of two days both go on."""

import fcntl
import json
import os
import re
import signal
import socket
import time

import pytest
from lake_day import Day, ask, assert_consistent, ingest, start, stop, wait_until
from program import DAY, FAST, finish, run, same_values, truth_of

OTHER = "20251023"
AT_ONCE = ("--wait-lease", "0")


@pytest.fixture
def sim(simulator):
    return simulator("--count", 40, "--itens-max", 6)


def holding(sim, lake, date=DAY):
    """A run that holds the day, and is at work."""
    process = start(sim, lake, "--connections", 2, "--checkpoint-every", 10, date=date)
    wait_until(lambda: Day(lake, date).keys(), process)
    return process


@pytest.mark.threads
@pytest.mark.parametrize("command", ["ingest", "list", "compact", "adopt"])
def test_the_second_run_of_a_day_names_the_first(command, sim, lake):
    sim.control(latency_detail=60)
    first, day = holding(sim, lake), Day(lake)
    before = sim.stats()["requests"]["listing"]
    result = run(command, "--date", DAY, *AT_ONCE, *(FAST if command in ("ingest", "list") else ()), sim=sim, lake=lake, exit=75)
    assert first.poll() is None
    holder = json.loads(result.stderr[-1].split("held by another run: ")[1])
    assert len(result.stderr) == 1 and (holder["host"], holder["pid"]) == (socket.gethostname(), first.pid)
    assert holder["v"] == 1 and holder["since"] and sim.stats()["requests"]["listing"] == before
    if command == "ingest":
        assert (result.summary["exit_code"], result.day["saved"]) == (75, 0) and holder["run_id"] in result.day["error"]
    # those who only look are not held up, and disturb nothing
    status = ask("status", lake).summary
    assert status["progress"]["run_id"] == holder["run_id"]
    ended = finish(first)
    assert (ended.exit, ended.summary["run_id"]) == (0, holder["run_id"])
    assert list(day.records()) == [holder["run_id"]] # the second has left no trace
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


def test_the_second_waits_for_the_first(sim, lake):
    """And goes on from where it ended: here nothing is left to do."""
    sim.control(latency_detail=60)
    first = holding(sim, lake)
    second = run("--date", DAY, *FAST, "--wait-lease", "60s", sim=sim, lake=lake, exit=0)
    assert finish(first).exit == 0 and second.day["already_complete"]
    assert re.fullmatch(r"INFO lake .*: the day is held by another run: .*: waiting for it, 60 s at most", second.stderr[0])
    same_values(Day(lake).rows(), truth_of(sim))


def test_it_waits_no_longer_than_it_is_told(sim, lake):
    sim.control(latency_detail=60)
    first, begun = holding(sim, lake), time.monotonic()
    result = run("--date", DAY, *FAST, "--wait-lease", "700ms", sim=sim, lake=lake, exit=75)
    assert 0.7 <= time.monotonic() - begun < 10 and "held by another run" in result.stderr[-1]
    second = start(sim, lake)
    time.sleep(0.5)
    stopped, seconds = stop(second)
    assert stopped.exit == 143 and seconds < 3
    assert finish(first).exit == 0


@pytest.mark.threads
def test_two_days_side_by_side(sim, lake):
    sim.control(latency_detail=20)
    runs = [holding(sim, lake, DAY), holding(sim, lake, OTHER)]
    assert [process.poll() for process in runs] == [None, None]
    for process, date in zip(runs, (DAY, OTHER)):
        result = finish(process)
        assert result.exit == 0 and result.day["complete"] and result.day["date"] == date
        same_values(Day(lake, date).rows(), truth_of(sim, date))
        assert_consistent(Day(lake, date))
    assert Day(lake).temps() == []


def test_a_lock_file_of_a_dead_run_holds_nothing_up(sim, lake):
    sim.control(latency_detail=60)
    process, day = holding(sim, lake), Day(lake)
    process.kill()
    finish(process)
    assert json.loads(day.run_lock.read_text())["pid"] == process.pid
    sim.control(latency="0")
    assert ingest(sim, lake).day["complete"]
    assert_consistent(day)


@pytest.mark.parametrize("content", [b"", b"not JSON", b"\0" * 5000, b'{"v":1,"run_id":"x","host":"elsewhere","pid":1}\n' * 50])
def test_a_strange_lock_file(content, sim, lake):
    """Nobody holds it: it is taken. Somebody does: what it says is passed on, on one line."""
    day = Day(lake)
    day.run_lock.parent.mkdir(parents=True)
    day.run_lock.write_bytes(content)
    with open(day.run_lock, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run("--date", DAY, *FAST, *AT_ONCE, "--lake", lake, sim=sim, exit=75)
        assert len(result.stderr) == 1 and "the day is held by another run: " in result.stderr[0]
        assert len(result.stderr[0]) < 600
    assert ingest(sim, lake).day["complete"]


def test_a_run_that_sleeps_still_holds_its_day(sim, lake):
    sim.control(latency_detail=60)
    process = holding(sim, lake)
    process.send_signal(signal.SIGSTOP)
    try:
        assert f'"pid":{process.pid}' in run("--date", DAY, *FAST, *AT_ONCE, "--lake", lake, sim=sim, exit=75).stderr[-1]
    finally:
        os.kill(process.pid, signal.SIGCONT)
    assert finish(process).exit == 0


def test_temps_of_a_live_run_are_not_swept(sim, lake):
    """The list of a run lies in a staging file for as long as it works."""
    sim.control(latency_detail=60)
    process, day = holding(sim, lake), Day(lake)
    temps = [path.name for path in day.temps()]
    ingest(sim, lake, date=OTHER)
    assert [path.name for path in day.temps()] == temps
    assert finish(process).day["complete"]


def test_many_at_once(sim, lake):
    """Whoever comes first does the work; the others leave with 75."""
    sim.control(latency_detail=60)
    results = [finish(process) for process in [start(sim, lake, *AT_ONCE) for _ in range(4)]]
    assert sorted(result.exit for result in results) == [0, 75, 75, 75]
    same_values(Day(lake).rows(), truth_of(sim))
    assert_consistent(Day(lake))
