"""--date A..B: one run over several days, one after the other."""

import fcntl
import json
import re
import signal

import program
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_day import Day, ask, assert_consistent, ingest, stop, wait_until
from program import FAST, key_of, run, same_values, truth_of

DAYS = ("20251030", "20251031", "20251101")
RANGE = f"{DAYS[0]}..{DAYS[2]}"


@pytest.fixture
def sim(simulator):
    return simulator("--count", 20, "--itens-max", 4)


def dates(result) -> list:
    return [day["date"] for day in result.summary["days"]]


def fail_one(sim, date) -> None:
    """One contratação of that day cannot be fetched."""
    cnpj, ano, sequencial = list(truth_of(sim, date))[3].split("|")
    sim.control(rule=f"/{cnpj}/compras/{ano}/{sequencial}/itens=400")


def hold(lake, date):
    """The day as if a run held it, as long as the file is open."""
    path = Day(lake, date).run_lock
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = open(path, "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def test_the_days_one_after_the_other(sim, lake):
    result = ingest(sim, lake, "--checkpoint-every", 10, date=RANGE)
    assert dates(result) == list(DAYS) and result.summary["exit_code"] == 0
    assert [(day["saved"], day["complete"], day["exit_code"]) for day in result.summary["days"]] == [(20, True, 0)] * 3
    begins = [line for line in result.stderr if "begins" in line]
    assert begins == [f"INFO {date} begins, day {n} of 3" for n, date in enumerate(DAYS, 1)]
    kinds = [re.match(r"INFO \d+ begins|Processing|💾 Checkpoint|✅", line) for line in result.stderr]
    assert [kind[0].split()[0] for kind in kinds if kind] == ["INFO", "Processing", "💾", "💾", "✅"] * 3
    # one run: one id, in every row, and one record
    run_id = result.summary["run_id"]
    records = Day(lake).records()
    assert list(records) == [run_id] and records[run_id]["summary"] == result.summary
    for date in DAYS:
        day = Day(lake, date)
        same_values(day.rows(), truth_of(sim, date))
        assert {row["run_id"] for row in day.rows()} == {run_id}
        assert_consistent(day)
        assert day.progresso()["phase"] == "ended"
    again = ingest(sim, lake, date=RANGE)
    assert [day["already_complete"] for day in again.summary["days"]] == [True] * 3


def test_a_range_of_one_day_and_a_day(sim, lake):
    result = ingest(sim, lake, date=f"{DAYS[0]}..{DAYS[0]}")
    assert dates(result) == [DAYS[0]] and result.stderr[0] == f"INFO {DAYS[0]} begins, day 1 of 1"
    assert not any("begins" in line for line in ingest(sim, lake, date=DAYS[1]).stderr)
    assert len(ask("status", lake, date=f"{DAYS[0]}..{DAYS[0]}").summary["days"]) == 1
    assert ask("status", lake, date=DAYS[0]).summary["date"] == DAYS[0]


def test_limits_count_per_day(sim, lake):
    result = ingest(sim, lake, "--batch-size", 5, date=RANGE)
    assert [(day["saved"], day["remaining"]) for day in result.summary["days"]] == [(5, 15)] * 3
    result = ingest(sim, lake / "2", "--max-contratacoes", 3, date=RANGE)
    assert [day["saved"] for day in result.summary["days"]] == [3] * 3


def test_goes_on_past_3(sim, lake):
    fail_one(sim, DAYS[0])
    result = ingest(sim, lake, date=RANGE, exit=3)
    assert [day["exit_code"] for day in result.summary["days"]] == [3, 0, 0] and result.summary["exit_code"] == 3
    assert [len(Day(lake, date).keys()) for date in DAYS] == [19, 20, 20]


def test_max_failed_counts_per_day(sim, lake):
    for date in DAYS:
        fail_one(sim, date)
    result = ingest(sim, lake, "--max-failed", 1, date=RANGE, exit=0)
    assert [(day["exit_code"], day["failed_waiting"]) for day in result.summary["days"]] == [(0, 1)] * 3


def test_stops_at_75(sim, lake):
    fail_one(sim, DAYS[0])
    with hold(lake, DAYS[1]):
        result = ingest(sim, lake, "--wait-lease", 0, date=RANGE, exit=75)
    assert dates(result) == list(DAYS[:2])
    assert [day["exit_code"] for day in result.summary["days"]] == [3, 75] and result.summary["exit_code"] == 75
    assert "held by another run" in result.summary["days"][1]["error"] and "error" not in result.summary["days"][0]
    assert Day(lake).records()[result.summary["run_id"]]["summary"] == result.summary
    assert not Day(lake, DAYS[2]).file.exists()


def test_stops_at_1(sim, lake):
    folder = Day(lake, DAYS[1]).folder
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"a": [1]}), folder / "details.parquet")
    result = ingest(sim, lake, date=RANGE, exit=1)
    assert [day["exit_code"] for day in result.summary["days"]] == [0, 1]
    assert f"pncp-details adopt --date {DAYS[1]} --lake {lake}" in result.stderr[-1]
    assert len(ask("adopt", lake, date=RANGE).summary["days"]) == 3
    assert [day["already_complete"] for day in ingest(sim, lake, date=RANGE).summary["days"]] == [True, False, False]


def test_the_time_counts_for_the_whole_run(sim, lake):
    """A day's 40 requests and more take 2 s at 20 a second: the second day cannot be done in 3 s."""
    five = "20251001..20251005"
    result = ingest(sim, lake, "--max-duration", "3s", "--max-rate", 20, date=five, exit=0)
    begun = result.summary["days"]
    assert dates(result) in (["20251001"], ["20251001", "20251002"])
    assert begun[0]["api_calls"] >= 40 and all(day["exit_code"] == 0 for day in begun)
    assert len(begun) == 1 or not begun[1]["complete"]
    assert any("--max-duration is over: " in line for line in result.stderr)
    assert all(day["complete"] for day in ingest(sim, lake, date=five).summary["days"])


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_run(number, code, sim, lake):
    cnpj, ano, sequencial = list(truth_of(sim, DAYS[1]))[-1].split("|")
    sim.control(rule=f"/{cnpj}/compras/{ano}/{sequencial}/itens=hang:60000")
    process = program.start("--date", RANGE, "--checkpoint-every", 5, "--deadline", "60s", lake=lake, sim=sim)
    wait_until(lambda: Day(lake, DAYS[1]).keys(), process)
    result, _ = stop(process, number)
    assert result.exit == code == result.summary["exit_code"]
    assert dates(result) == list(DAYS[:2]) and [day["exit_code"] for day in result.summary["days"]] == [0, code]
    assert Day(lake).records()[result.summary["run_id"]]["summary"] == result.summary
    sim.control(clear="rules")
    ingest(sim, lake, date=RANGE)
    for date in DAYS:
        same_values(Day(lake, date).rows(), truth_of(sim, date))
        assert_consistent(Day(lake, date))


def test_json_log_names_the_day(sim, lake):
    events = [json.loads(line) for line in ingest(sim, lake, "--log", "json", date=RANGE).stderr]
    assert [event["msg"] for event in events if event["event"] == "day"] == \
        [f"{date} begins, day {n} of 3" for n, date in enumerate(DAYS, 1)]


# ---- the other commands -----------------------------------------------------------------------------


def test_list(sim, lake):
    result = ask("list", lake, *FAST, date=RANGE, sim=sim)
    assert dates(result) == list(DAYS) and [day["listed"] for day in result.summary["days"]] == [20] * 3
    assert sum("20 contratacoes listed" in line for line in result.stderr) == 3
    assert list(Day(lake).records()) == [result.summary["run_id"]]
    for date in DAYS:
        assert sorted(Day(lake, date).listed()) == sorted(key_of(row) for row in truth_of(sim, date).values())


@pytest.mark.parametrize("command", ["status", "verify", "compact", "adopt"])
def test_answers_for_each_day(command, sim, lake):
    ingest(sim, lake, date=RANGE)
    answer = ask(command, lake, date=RANGE)
    assert list(answer.summary) == ["v", "days"] and answer.summary["v"] == 1 and answer.stdout.count("\n") == 1
    assert answer.summary["days"] == [ask(command, lake, date=date).summary for date in DAYS]
    text = run(command, "--date", RANGE, "--lake", lake, exit=0)
    alone = [run(command, "--date", date, "--lake", lake, exit=0).stdout.splitlines() for date in DAYS]
    assert text.stderr == [] and text.stdout.splitlines() == [f"{date}: {line}" for date, lines in zip(DAYS, alone) for line in lines]


def test_verify_with_source(sim, lake):
    ingest(sim, lake, date=RANGE)
    answer = ask("verify", lake, "--source", *FAST, date=RANGE, sim=sim)
    assert [day["source"]["asked"] for day in answer.summary["days"]] == [40] * 3


def test_verify_stops_at_the_first_day_that_is_not_sound(sim, lake):
    ingest(sim, lake, date=RANGE)
    Day(lake, DAYS[1]).state_file("itens").unlink()
    answer = ask("verify", lake, date=RANGE, exit=1)
    assert [day["sound"] for day in answer.summary["days"]] == [True, False]
    text = run("verify", "--date", RANGE, "--lake", lake, exit=1).stdout
    assert [line[:8] for line in text.splitlines()] == [DAYS[0], DAYS[1], DAYS[1]]


def test_compact_passes_over_days_without_data(sim, lake):
    """A weekend is no error; a day that is asked for by name and has nothing is one, as a lake that is not there."""
    for date in (DAYS[0], DAYS[2]):
        ingest(sim, lake, "--checkpoint-every", 5, "--max-contratacoes", 10, date=date)
    answer = ask("compact", lake, date=RANGE)
    assert [(day["date"], day["compacted"], day["contratacoes"]) for day in answer.summary["days"]] == [
        (DAYS[0], True, 10), (DAYS[1], False, 0), (DAYS[2], True, 10)]
    assert not Day(lake, DAYS[1]).file.exists()
    alone = run("compact", "--date", DAYS[1], "--lake", lake, exit=1)
    assert alone.stderr == [f"pncp-details: lake {lake}: nothing is saved of that day"]
    assert ask("compact", lake / "x", date=RANGE, exit=1).summary["days"] == []


def test_an_error_names_its_day(sim, lake):
    ingest(sim, lake, date=DAYS[0])
    with hold(lake, DAYS[1]):
        answer = ask("compact", lake, "--wait-lease", 0, date=RANGE, exit=75)
    assert [day["date"] for day in answer.summary["days"]] == [DAYS[0]]
    assert len(answer.stderr) == 1 and answer.stderr[0].startswith(f"pncp-details: {DAYS[1]}: lake {lake}: the day is held")
    answer = run("status", "--date", RANGE, "--lake", lake / "x", "--json", exit=1)
    assert json.loads(answer.stdout) == {"v": 1, "days": []} and answer.stderr[0].startswith(f"pncp-details: {DAYS[0]}: lake ")
