"""Runs that end before the day does, because they were told to: --max-duration; and days that count as good although
something failed: --max-failed."""

import time

import pytest
from lake_day import Day, assert_consistent, ingest, reset
from program import DAY, run, same_values, truth_of


# ---- --max-duration -------------------------------------------------------------------------------


def timed(job, *args, **more):
    begun = time.monotonic()
    result = job(*args, **more)
    return result, time.monotonic() - begun


def test_the_time_is_over_while_details_are_fetched(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 700, "--latency", 100), Day(lake)
    result, seconds = timed(ingest, sim, lake, "--connections", 8, "--max-duration", "3s", exit=0)
    assert 2.5 < seconds < 6
    assert 0 < result.day["saved"] < 700 and result.day["remaining"] == 700 - result.day["saved"]
    assert result.day["untried"] == result.day["remaining"] and not result.day["complete"]
    assert sum("--max-duration is over" in line for line in result.stderr) == 1
    assert sum(line.startswith("✅ Processed") for line in result.stderr) == 1
    assert_consistent(day)
    reset(sim)
    sim.control(latency=0)
    result = ingest(sim, lake, exit=0)
    assert result.day["complete"] and result.day["done_before"] > 0
    same_values(day.rows(), truth_of(sim))


def test_the_time_is_over_while_the_day_is_listed(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 3000, "--latency", 200), Day(lake)
    result, seconds = timed(ingest, sim, lake, "--max-duration", "1s", exit=0)
    assert seconds < 4
    assert not day.list_file.exists() and not day.completo_file.exists()
    assert not result.day["complete"] and not result.day["listed_final"]
    same_values(day.rows(), truth_of(sim), whole=False)
    reset(sim)
    sim.control(latency=0)
    assert ingest(sim, lake, exit=0).day["complete"]
    same_values(day.rows(), truth_of(sim))


def test_what_never_answers_is_not_waited_for(simulator, lake):
    """Answers under way have five seconds."""
    sim = simulator("--day", DAY, "--count", 100)
    sim.control(fault="itens:hang=0.5:60000")
    result, seconds = timed(run, "--date", DAY, "--retry-wait", "10ms", "--deadline", "60s", "--max-duration", "1s", sim=sim,
                            lake=lake, exit=0)
    assert 5 < seconds < 9
    assert result.day["saved"] > 0 and result.day["failed_due"] + result.day["failed_waiting"] == 0
    reset(sim)
    sim.control(clear="all")
    assert ingest(sim, lake, exit=0).day["complete"]


def test_a_day_that_is_done_in_time_is_as_any_other(simulator, lake):
    sim = simulator("--day", DAY, "--count", 50)
    result = ingest(sim, lake, "--max-duration", "1h", exit=0)
    assert result.day["complete"] and not any("max-duration" in line for line in result.stderr)


# ---- --max-failed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("most, exit", [(None, 3), ("0", 3), ("2", 3), ("3", 0), ("4", 0), ("0%", 3), ("7%", 3), ("8%", 0), ("7.49%", 3), ("7.5%", 0), ("100%", 0)])
def test_so_many_may_fail(most, exit, simulator, lake):
    """Three of forty: 7.5 %."""
    sim, day = simulator("--day", DAY, "--count", 40), Day(lake)
    keys = list(truth_of(sim))[5:8]
    for key in keys:
        cnpj, ano, sequencial = key.split("|")
        sim.control(rule=f"/{cnpj}/compras/{ano}/{sequencial}/itens=500_json")
    result = ingest(sim, lake, *(["--max-failed", most] if most else []), exit=exit)
    assert result.summary["exit_code"] == exit
    assert (result.day["failed_waiting"] + result.day["failed_due"], result.day["saved"]) == (3, 37)
    assert not result.day["complete"] and not day.completo_file.exists() # it changes nothing else
    assert sorted(entry["key"] for entry in day.falhas() if entry["kind"] == "failed") == sorted(keys)
    assert sum("the next run asks again" in line for line in result.stderr) == 1
