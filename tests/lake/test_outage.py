"""An API that answers nothing good for a while: waited out, or the run leaves with 75. Nothing goes to falhas for it."""

import re
import time

import pytest
from lake_day import Day, ask, assert_consistent, ingest, reset, start, wait_until
from program import DAY, finish, same_values, truth_of

BEGINS = r"WARNING the {} API answers nothing good \({}\): one request probes, for \d+ s at most"
ENDS = r"INFO the {} API answers again after \d+ s"


def told(result, pattern) -> int:
    return sum(re.fullmatch(pattern, line) is not None for line in result.stderr)


def failed(day) -> list:
    return [entry for entry in day.falhas() if entry["kind"] == "failed"]


def total(sim) -> int:
    return sim.stats()["requests_total"]


@pytest.mark.parametrize("fault, reason", [("503", "http_503"), ("reset", "reset"), ("html_200", "html_200"),
                                           ("hang=1:60000", "timeout"), ("empty_200", "empty_200")])
def test_an_outage_in_the_middle_is_waited_out(simulator, lake, fault, reason):
    sim, day = simulator("--day", DAY, "--count", 200, "--latency", 20), Day(lake)
    process = start(sim, lake, "--deadline", "400ms", "--attempts", 2, "--outage-wait", "30s", "--checkpoint-every", 20)
    wait_until(lambda: day.file.exists(), process)
    sim.control(fault="detail:" + (fault if "=" in fault else fault + "=1"))
    wait_until(lambda: sim.stats()["in_flight"] == 0, process)
    time.sleep(0.5) # retries, if there were any, would have used up their attempts by now
    before = total(sim)
    time.sleep(1)
    assert total(sim) - before <= 6, "one request probes, less and less often"
    sim.control(fault="detail:" + (fault.split("=")[0] + "=0"))
    result = finish(process)
    assert result.exit == 0 and result.day["complete"] and result.day["errors"] == 0
    begun = told(result, BEGINS.format("detail", reason))
    assert 1 <= begun == told(result, ENDS.format("detail")) <= 2 # an answer from before the outage may come late
    same_values(day.rows(), truth_of(sim))
    assert failed(day) == []
    assert_consistent(day)


def test_a_longer_one_ends_the_run(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 300, "--latency", 20), Day(lake)
    process = start(sim, lake, "--attempts", 2, "--outage-wait", "1s", "--checkpoint-every", 20)
    wait_until(lambda: day.file.exists(), process)
    sim.control(fault="detail:502=1")
    result = finish(process)
    assert result.exit == 75 and result.stderr[-1].startswith("⚠️ Stopped after ")
    assert re.search(r"the detail API has answered nothing good for \d+ s \(http_502\): run again later$", result.stderr[-1])
    assert result.day["errors"] == 0 and result.day["failed_due"] + result.day["failed_waiting"] == 0
    assert failed(day) == [] and not day.completo_file.exists()
    assert 0 < result.day["saved"] < 300 and len(day.keys()) == result.day["saved"], "what was finished is saved"
    same_values(day.rows(), truth_of(sim), whole=False)
    assert_consistent(day)
    reset(sim)
    sim.control(fault="detail:502=0")
    result = ingest(sim, lake)
    assert result.day["complete"]
    same_values(day.rows(), truth_of(sim))


@pytest.mark.parametrize("seconds, exit", [(0.7, 0), (None, 75)])
def test_an_outage_of_the_listing(simulator, lake, seconds, exit):
    """The details of what is listed go on; a run that gives up has not failed a modalidade."""
    sim, day = simulator("--day", DAY, "--count", 1000, "--latency", 30), Day(lake)
    process = start(sim, lake, "--attempts", 2, "--outage-wait", "20s" if seconds else "700ms", "--checkpoint-every", 100)
    wait_until(lambda: sim.stats()["requests"]["listing"] > 18, process)
    sim.control(fault="listing:503=1")
    if seconds:
        time.sleep(seconds)
        sim.control(fault="listing:503=0")
    result = finish(process)
    assert result.exit == exit and result.day["modalidades_failed"] == [] and result.day["errors"] == 0
    assert told(result, BEGINS.format("listing", "http_503")) == 1
    if seconds:
        same_values(day.rows(), truth_of(sim))
    else:
        assert not day.list_file.exists() and not day.completo_file.exists()
        same_values(day.rows(), truth_of(sim), whole=False)


def test_those_that_fail_by_themselves_are_no_outage(simulator, lake):
    """They come first, and in the second run nothing else is asked: other contratações show that the API is there."""
    sim, day = simulator("--day", DAY, "--count", 60), Day(lake)
    ask("list", lake, sim=sim)
    keys = list(truth_of(sim))[:6]
    sim.control(*[("rule", "/{}/compras/{}/{}/*=500_json".format(*key.split("|"))) for key in keys])
    for attempt in (1, 2):
        result = ingest(sim, lake, "--attempts", 3, exit=3)
        assert {entry["key"] for entry in failed(day)} == set(keys)
        assert {entry["attempts"] for entry in failed(day)} == {attempt}
        assert told(result, BEGINS.format("detail", ".*")) == 0
        day.shift_falhas(86400)


def test_an_api_that_only_asks_for_pauses_is_out(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 30), Day(lake)
    ingest(sim, lake, "--max-contratacoes", 10)
    sim.control(fault="detail:429=1")
    result = ingest(sim, lake, "--outage-wait", "1s", exit=75)
    assert re.search(r"the detail API has answered nothing good for \d+ s \(http_429\): run again later$", result.stderr[-1])
    assert failed(day) == [] and len(day.keys()) == 10
