"""SIGTERM and SIGINT: out within three seconds wherever the run is, what was finished is saved, the next run goes on."""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import time

import pytest
from lake_day import Day, ask, asked, assert_consistent, ingest, reset, start, stop, traced, wait_until
from program import DAY, FAST, binary, finish, key_of, same_values, truth_of
from program import start as start_command

CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}
COUNT = 200
# Who asked a run to stop kills it some seconds later. Sanitizers cost time that the program itself does not take.
LIMIT = 6 if any(sign in binary().read_bytes() for sign in (b"__asan_init", b"__tsan_init")) else 3

both = pytest.mark.parametrize("number", CODES)
needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@pytest.fixture
def sim(simulator):
    """Short lists: each contratação costs two requests and no more."""
    return simulator("--day", DAY, "--count", COUNT, "--itens-max", 6)


def stopped(process, number):
    """The run ends in time and says how."""
    result, seconds = stop(process, number)
    assert result.exit == CODES[number], result
    assert seconds < LIMIT, f"it took {seconds:.2f} s"
    return result


def stop_line(result) -> str:
    assert result.stderr[-1].startswith("⚠️ Stopped after "), result.stderr
    assert result.stderr[-1].endswith(" contratacoes: stopped by a signal")
    return result.stderr[-1]


def go_on(sim, lake, again_max=COUNT):
    """The next run completes the day; nothing is there twice. It asks for nothing that is in the file, and again for no
    more than `again_max` of those for which the one before had asked since the figures were reset."""
    day, before = Day(lake), set(asked(sim))
    done = set(day.keys())
    sim.control(latency="0", clear="all")
    reset(sim)
    assert ingest(sim, lake).day["complete"]
    assert done.isdisjoint(asked(sim)) and len(before & set(asked(sim))) <= again_max
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)
    assert day.temps() == []


def delayed(call, seconds) -> dict:
    """For start(): every such call takes so much longer."""
    return traced("-e", f"trace={call}", "-e", f"inject={call}:delay_enter={int(seconds * 1000000)}")


# ---- the API --------------------------------------------------------------------------------------


@both
def test_during_the_listing(number, sim, lake):
    sim.control(latency_listing=1500)
    process = start(sim, lake)
    wait_until(lambda: sim.stats()["requests"]["listing"] >= 5, process) # the second round
    result = stopped(process, number)
    assert f"Stopped after {len(Day(lake).keys())} of " in stop_line(result) # of the pages that had come
    assert result.summary["exit_code"] == result.day["exit_code"] == CODES[number]
    go_on(sim, lake)


def test_modalidades_that_were_listed_are_not_listed_again(sim, lake):
    """Those of more than a page: smaller ones are not worth a file each."""
    sim.control(rule="codigoModalidadeContratacao=9&*=hang") # the last one with rows
    process = start(sim, lake)
    day = Day(lake)
    parts = lake / "pncp_contratacoes" / "_state" / f"pncp_contratacoes_{DAY}"
    wait_until(lambda: {path.name for path in parts.glob("*")} >= {"modalidade_06.parquet", "modalidade_08.parquet"}, process)
    stopped(process, signal.SIGTERM)
    sim.control(clear="all")
    reset(sim)
    assert ingest(sim, lake).day["list_calls"] < 20 # 14 modalidades, and what pages of 6 and 8 would have cost beyond
    assert sorted(day.listed()) == sorted(truth_of(sim)) and list(parts.glob("*")) == []
    go_on(sim, lake)


@both
@pytest.mark.threads
def test_during_the_fetching(number, sim, lake):
    sim.control(latency_detail=20)
    process = start(sim, lake, "--connections", 4, "--checkpoint-every", 90)
    wait_until(lambda: len(asked(sim)) > 100, process)
    result = stopped(process, number)
    day = Day(lake)
    keys = set(day.keys())
    # all but those under way: four in flight and as many queued, of two parts each
    assert len(set(asked(sim)) - keys) <= 8 < 80 < len(keys)
    assert f"Stopped after {len(keys)} of {COUNT} " in stop_line(result)
    assert (result.day["saved"], result.day["remaining"], result.day["complete"]) == (len(keys), COUNT - len(keys), False)
    assert "💾 Final checkpoint: Saved remaining " in result.stderr[-2]
    assert_consistent(day)
    assert day.records()[result.summary["run_id"]]["summary"] == result.summary and day.progresso()["phase"] == "ended"
    go_on(sim, lake, again_max=8)


@pytest.mark.parametrize("fault", ["detail:429=1", "detail:hang=1", "detail:500_json=1", "detail:trickle=1:60000"])
def test_while_the_api_lets_it_wait(fault, sim, lake):
    """Brakes, back-off and slow answers are left at once."""
    ingest(sim, lake, "--batch-size", 20)
    sim.control(fault=fault)
    process = start_command("--date", DAY, "--retry-wait", "30s", "--brake-wait", "1h", "--attempts", 50, sim=sim, lake=lake)
    before = sim.stats()["requests_total"]
    wait_until(lambda: sim.stats()["requests_total"] >= before + 8, process)
    time.sleep(0.2)
    result, seconds = stop(process)
    assert (result.exit, seconds < 1) == (143, True), seconds
    assert len(Day(lake).keys()) == 20
    go_on(sim, lake)


def test_at_any_moment(sim, lake):
    """The first of them come before the program is ready to be told."""
    draw = random.Random(20251022)
    sim.control(latency_detail=10)
    for turn in range(10):
        number = draw.choice(list(CODES))
        process = start(sim, lake, "--connections", 8, "--checkpoint-every", 10)
        time.sleep(draw.random() * (0.02 if turn < 3 else 0.5))
        result, seconds = stop(process, number)
        assert result.exit in (CODES[number], -number, 0) and seconds < LIMIT
        keys = Day(lake).keys()
        assert len(keys) == len(set(keys))
    go_on(sim, lake)


def test_a_second_signal_changes_nothing(sim, lake):
    sim.control(latency_detail=50)
    process = start(sim, lake, "--connections", 4)
    wait_until(lambda: len(asked(sim)) > 30, process)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    assert finish(process).exit in (143, 130)
    assert len(Day(lake).keys()) > 20
    go_on(sim, lake)


def test_sigpipe_is_nothing(sim, lake):
    sim.control(latency_detail=20)
    process = start(sim, lake)
    wait_until(lambda: len(asked(sim)) > 30, process)
    for _ in range(3):
        process.send_signal(signal.SIGPIPE)
    result = finish(process)
    assert (result.exit, result.day["complete"]) == (0, True)


# ---- the disk -------------------------------------------------------------------------------------


@needs_strace
@pytest.mark.parametrize("call, delay", [("fsync", 0.2), ("copy_file_range", 1)])
def test_while_a_slow_disk_saves(call, delay, sim, lake):
    """Both threads wait at each fsync, or the saver at the beginning of each checkpoint."""
    ingest(sim, lake, "--batch-size", 30)
    reset(sim)
    process = start(sim, lake, "--checkpoint-every", 30, "--connections", 4, **delayed(call, delay))
    wait_until(lambda: len(asked(sim)) >= 60, process) # one lot is being saved, the next is full
    saved = len(Day(lake).keys())
    stopped(process, signal.SIGTERM)
    assert len(Day(lake).keys()) > saved
    go_on(sim, lake, again_max=8) # what was under way; the lots are in the file, or the second is in the spool


@contextlib.contextmanager
def held(path):
    """A lock that somebody does not give back."""
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.threads
@both
def test_while_nobody_reads_stderr(number, sim, lake):
    """A full pipe holds a run up, as it does any program; but not one that is told to end."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * 4096)
    process = start(sim, lake, "--checkpoint-every", 30, "-v", stderr=writing)
    os.close(writing)
    time.sleep(1)
    process.send_signal(number)
    begun = time.monotonic()
    assert process.wait(timeout=20) == CODES[number]
    assert time.monotonic() - begun < LIMIT
    assert len(list((Day(lake).states / "execucoes").iterdir())) == 1  # it went to its end, nobody had to cut it short
    os.close(reading)
    go_on(sim, lake)


def test_while_the_saver_hangs(sim, lake):
    """It gets two seconds; then the run leaves as a kill would."""
    ingest(sim, lake, "--batch-size", 30)
    keys = Day(lake).keys()
    reset(sim)
    with held(Day(lake).states / "lock" / f"pncp_details_{DAY}.commit"):
        process = start(sim, lake, "--checkpoint-every", 30, "--connections", 4)
        wait_until(lambda: len(asked(sim)) >= 60, process)
        assert "Stopped after 0 of 170 " in stop_line(stopped(process, signal.SIGINT))
    assert Day(lake).keys() == keys
    go_on(sim, lake, again_max=30 + 8) # the lot that it had in hand; the other is in the spool


def test_while_the_end_of_the_run_hangs(sim, lake):
    """The rows are saved; falhas is not, and the next run makes its entries from them."""
    ingest(sim, lake, "--batch-size", 30)
    reset(sim)
    sim.control(latency_detail=20)
    with held(Day(lake).states / "lock" / f"falhas_{DAY}.commit"):
        process = start(sim, lake, "--connections", 4, "--checkpoint-every", 1000)
        wait_until(lambda: len(asked(sim)) >= 60, process)
        stopped(process, signal.SIGTERM)
    assert len(Day(lake).keys()) > 60
    go_on(sim, lake)


@needs_strace
def test_while_it_is_compacted(sim, lake):
    process = start(sim, lake, **delayed("pread64", 0.002))
    day = Day(lake)
    wait_until(lambda: day.progresso_file.exists() and day.progresso()["phase"] == "rewriting", process, seconds=60)
    result = stopped(process, signal.SIGTERM)
    assert day.history()[-1]["kind"] == "append" and not day.completo_file.exists()
    assert result.day["saved"] == COUNT and not result.day["complete"]
    go_on(sim, lake)


@needs_strace
@both
def test_while_rows_are_renewed(number, sim, lake):
    """The rows that were fetched again are not in the file yet: the old ones stay, and the next run asks again for those."""
    sim.control(fault="itens:lasting_404=0.4")
    ingest(sim, lake)
    day = Day(lake)
    content, absent = day.file.read_bytes(), {key_of(row) for row in day.rows() if row["itens_situacao"] == "ausente"}
    sim.control(fault="itens:lasting_404=0")
    day.shift_falhas(2 * 86400)
    reset(sim)
    process = start(sim, lake, **delayed("pread64", 0.005))
    wait_until(lambda: day.progresso()["phase"] == "rewriting", process, seconds=60)
    result = stopped(process, number)
    assert result.day["renewed"] == 0 and day.file.read_bytes() == content and day.temps() == []
    due = set(asked(sim))
    assert due >= absent and len(absent) > 50
    reset(sim)
    assert ingest(sim, lake).day["renewed"] >= len(absent)
    assert absent <= set(asked(sim)) <= due
    go_on(sim, lake)


@needs_strace
def test_while_compact_works(sim, lake):
    ingest(sim, lake, "--batch-size", 150, "--checkpoint-every", 20)
    content = Day(lake).file.read_bytes()
    process = start_command("compact", "--date", DAY, lake=lake, **delayed("pread64", 0.002))
    wait_until(lambda: Day(lake).temps(), process)
    result = stopped(process, signal.SIGINT)
    assert result.stdout == "" and len(result.stderr) == 1 and "stopped by a signal" in result.stderr[0]
    assert Day(lake).file.read_bytes() == content
    go_on(sim, lake)


@needs_strace
def test_while_verify_reads(sim, lake):
    ingest(sim, lake)
    process = start_command("verify", "--date", DAY, lake=lake, **delayed("pread64", 0.05))
    time.sleep(0.5)
    stopped(process, signal.SIGINT)


def test_while_verify_asks_the_source(sim, lake):
    ingest(sim, lake)
    reset(sim)
    sim.control(latency_detail=200)
    process = start_command("verify", "--date", DAY, "--source", *FAST, "--connections", 2, sim=sim, lake=lake)
    wait_until(lambda: sim.stats()["requests"]["quantidade_itens"] > 3, process)
    assert "stopped by a signal" in stopped(process, signal.SIGTERM).stderr[-1]


def test_list_is_stopped(sim, lake):
    ingest(sim, lake)
    reset(sim)
    before = Day(lake).list_file.read_bytes()
    sim.control(latency_listing=500)
    process = start_command("list", "--date", DAY, "--again", *FAST, sim=sim, lake=lake)
    wait_until(lambda: sim.stats()["requests"]["listing"] >= 4, process)
    assert "stopped by a signal" in stopped(process, signal.SIGINT).stderr[-1]
    assert Day(lake).list_file.read_bytes() == before and ask("status", lake).summary["complete"]
