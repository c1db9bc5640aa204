"""kill -9 at any moment and at any system call: the next run goes on, and at the end all is as if nothing had happened."""

import os
import random
import re
import shutil
import time
from collections import Counter

import pytest
from lake_day import Day, asked, assert_consistent, assert_history, ingest, reset, start, traced, without_run
from program import DAY, finish

EVERY, CONNECTIONS = 5, 4


@pytest.fixture
def undisturbed(tmp_path):
    """What a run that nobody disturbs makes of the simulator's day: key -> row."""
    def rows(sim):
        ingest(sim, tmp_path / "undisturbed")
        reset(sim)
        return without_run(Day(tmp_path / "undisturbed").rows())

    return rows


def sound_after_a_kill(day, before) -> list:
    """The keys of the file, whatever moment it was."""
    keys = day.keys() # readable, or not there yet
    assert len(keys) == len(set(keys)) and set(before) <= set(keys)
    if keys:
        assert_history(day)
    return keys


def sound_at_the_end(day, undisturbed) -> None:
    assert without_run(day.rows()) == undisturbed
    assert_consistent(day)
    assert day.completo()["commit"] == day.commit()
    assert day.temps() == [] # what dead runs left there was swept


def told_as_saved(result) -> int:
    """Contratações that the run had said to be saved."""
    checkpoints = [re.match(r"💾 Checkpoint \d+: Saved \d+ contratacoes \((\d+)/", line) for line in result.stderr]
    return max((int(found[1]) for found in checkpoints if found), default=0)


def kill_at_random(sim, folder, undisturbed, kills, seed):
    """So many kills of the runs over a day, each resumed by the next; a day that is complete is begun anew elsewhere."""
    print(f"seed {seed}; PNCP_KILL_SEED={seed} draws the same moments")
    draw, days = random.Random(seed), 0
    while kills > 0:
        day, before, times, complete = Day(folder / str(days)), [], Counter(), False
        reset(sim)
        days += 1
        while kills > 0 and not complete:
            process = start(sim, day.lake, "--checkpoint-every", EVERY, "--connections", CONNECTIONS)
            time.sleep(draw.uniform(0.02, 0.5))
            process.kill()
            result = finish(process)
            keys = sound_after_a_kill(day, before)
            assert told_as_saved(result) <= len(keys) - len(before)
            assert_little_is_fetched_again(sim, keys, before, times)
            before, times, complete = keys, asked(sim), result.exit == 0
            kills -= result.exit == -9
        ingest(sim, day.lake, "--checkpoint-every", EVERY)
        assert_little_is_fetched_again(sim, day.keys(), before, times)
        sound_at_the_end(day, undisturbed)
    print(f"{days} days")


def assert_little_is_fetched_again(sim, keys, before, times) -> None:
    """After a run, by how often the simulator was asked for each key. What was asked and is not in the file will be asked
    again: two lots and what is under way (in flight, or its other part is queued). What was in it before the run was not."""
    now = asked(sim)
    assert len(now.keys() - set(keys)) <= 2 * EVERY + 2 * CONNECTIONS
    assert all(now[key] == times[key] for key in before), "what is done is not asked again"


def kill_seed() -> int:
    return int(os.environ.get("PNCP_KILL_SEED", random.SystemRandom().randrange(2**32)))


@pytest.fixture
def slow(simulator):
    """Some three dozen kills long."""
    return simulator("--day", DAY, "--count", 250, "--itens-max", 6, "--latency-detail", 25, "--latency-listing", 4)


def test_kills_at_random_moments(slow, tmp_path, undisturbed):
    kill_at_random(slow, tmp_path, undisturbed(slow), 40, kill_seed())


@pytest.mark.full
def test_many_kills_at_random_moments(slow, tmp_path, undisturbed):
    kill_at_random(slow, tmp_path, undisturbed(slow), 200, kill_seed())


# ---- at a system call -----------------------------------------------------------------------------

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")

CALLS = ("renameat", "fsync", "write", "copy_file_range", "openat", "unlinkat", "ftruncate", "flock", "mkdirat", "pread64")


@pytest.fixture
def small(simulator):
    """A day that is saved by four checkpoints and has something for falhas."""
    return simulator("--day", DAY, "--count", 20, "--itens-max", 6, "--fault", "itens:lasting_404=0.2")


def killed_at(call, n) -> dict:
    """For start(): the n-th such call of a thread kills, before it is carried out."""
    return traced("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}")


@pytest.fixture
def begun(small, tmp_path):
    """A lake with half of the day: what is in it is never lost."""
    ingest(small, tmp_path / "begun", "--batch-size", 10, "--checkpoint-every", 5)
    return tmp_path / "begun"


def kill_at_call(sim, lake, base, undisturbed, call, n) -> bool:
    """A run that is killed there, and the one after it. False: there is no n-th such call."""
    day = Day(lake)
    if base is not None:
        shutil.copytree(base, lake)
    before = day.keys()
    result = finish(start(sim, lake, "--checkpoint-every", 3, **killed_at(call, n)))
    assert result.exit in (0, -9), result
    assert told_as_saved(result) <= len(sound_after_a_kill(day, before)) - len(before)
    ingest(sim, lake, "--checkpoint-every", 5)
    sound_at_the_end(day, undisturbed)
    shutil.rmtree(lake)
    return result.exit == -9


@needs_strace
@pytest.mark.parametrize("call, moments", [("renameat", [2, 3, 5, 8]), ("fsync", [3, 4, 7, 12]), ("write", [3, 12, 25]),
                                           ("copy_file_range", [1, 3]), ("unlinkat", [1, 3])])
def test_a_kill_at_a_system_call(call, moments, small, begun, tmp_path, undisturbed):
    rows = undisturbed(small)
    # every other one with nothing there at first
    killed = [n for i, n in enumerate(moments) if kill_at_call(small, tmp_path / "lake", None if i % 2 else begun, rows, call, n)]
    assert len(killed) >= len(moments) / 2, f"the run has too few {call}: {killed}"


@needs_strace
@pytest.mark.full
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_every_system_call(call, half, small, begun, tmp_path, undisturbed):
    rows, n = undisturbed(small), 1
    step = {"pread64": 23, "openat": 3}.get(call, 1) # there are many, and most change nothing in the lake
    while kill_at_call(small, tmp_path / "lake", begun if half else None, rows, call, n):
        n += step
    assert n > 1
