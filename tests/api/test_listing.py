"""The day's list: every modalidade, in order, whole or not taken; what a later run may use of it."""

import datetime
import json
import os
import signal
import time
from collections import Counter

import pytest
from program import (DAY, FAST, OPEN_DAY, details_path, finish, key_of, list_path, list_rows, rows, run, same_values, start, state_path,
                     truth_of)

COUNT = 300


def fresh(sim, **settings):
    sim.control(clear="all", reset="all")
    sim.control(**settings)


@pytest.fixture
def day(simulator):
    """(simulator, truth) of a day whose details cost little."""
    sim = simulator("--count", COUNT, "--itens-max", 3)
    return sim, truth_of(sim)


def ingest(sim, lake, *args, date=DAY, **more):
    return run("--date", date, *FAST, *args, lake=lake, sim=sim, **more)


def pages(truth) -> int:
    """Requests that a list of this day needs: 50 rows a page, one for a modalidade without rows. 14 is accepted and has
    none; 15 is refused, and a 422 is tried three times since it may be a false one."""
    sizes = Counter(row["modalidadeId"] for row in truth.values())
    return sum(max((sizes[code] + 49) // 50, 1) for code in range(1, 15)) + 3


# ---- the list -------------------------------------------------------------------------------------


def test_every_modalidade_in_order(day, lake):
    sim, truth = day
    run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    got = list_rows(lake)
    assert [key_of(row) for row in got] == list(truth) # by modalidade, page and row
    assert {row["modalidadeId"] for row in got} == {row["modalidadeId"] for row in truth.values()} >= {4, 6, 8, 9, 12}
    for row in got: # every field of the listing, as in the details later
        wanted = truth[key_of(row)]
        assert {name: row[name] for name in wanted if name in row and name not in ("extra", "valores_fora_do_tipo")} == \
               {name: wanted[name] for name in wanted if name in row and name not in ("extra", "valores_fora_do_tipo")}
    assert sim.stats()["requests"]["listing"] == pages(truth)


def test_a_list_at_hand_asks_nothing(day, lake):
    sim, truth = day
    run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    fresh(sim, rule="publicacao=500_json")
    again = run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert again.day["list_calls"] == 0 and "nothing asked" in again.stderr[-1]
    result = ingest(sim, lake, exit=0)
    assert (result.day["list_calls"], result.day["saved"], result.day["complete"]) == (0, COUNT, True)
    assert sim.stats()["requests"]["listing"] == 0
    same_values(rows(lake), truth)
    fresh(sim)
    result = run("list", "--date", DAY, "--again", *FAST, lake=lake, sim=sim, exit=0)
    assert result.day["list_calls"] == pages(truth)


@pytest.mark.parametrize("policy", ["204", "422"])
def test_a_modalidade_that_is_not_accepted(day, lake, policy):
    """14 and up are tried; 422 there means that the API does not know them, not that something failed."""
    sim, truth = day
    fresh(sim, modalidade_14=policy)
    result = ingest(sim, lake, exit=0)
    assert (result.day["complete"], result.day["modalidades_failed"], result.day["listed"]) == (True, [], COUNT)
    assert result.day["list_calls"] == pages(truth) - (policy == "422")


@pytest.mark.parametrize("fault, reason", [("500_json", "http_500"), ("422", "http_422"), ("400", "http_400"), ("html_200", "html_200"),
                                           ("reset", "reset"), ("wrong_kind", "wrong_kind"), ("404", "http_404")])
def test_a_modalidade_that_cannot_be_listed(day, lake, fault, reason):
    """The others go on, their contratações are saved; the day is not complete, and the exit names the modalidade."""
    sim, truth = day
    fresh(sim, rule=f"Contratacao=6&={fault}")
    result = ingest(sim, lake, "--attempts", 2, exit=75)
    assert result.day["modalidades_failed"] == [6] and not result.day["complete"]
    assert f"modalidade 6 ({reason})" in result.day["error"] and f"modalidade 6 ({reason})" in result.stderr[-1]
    assert not state_path(lake, "completo").exists() and not list_path(lake).exists()
    same_values(rows(lake), {key: row for key, row in truth.items() if row["modalidadeId"] != 6})
    fresh(sim)
    result = ingest(sim, lake, exit=0)
    assert result.day["complete"] and result.day["saved"] == sum(row["modalidadeId"] == 6 for row in truth.values())
    same_values(rows(lake), truth)


def test_a_last_page_that_cannot_be_listed(day, lake):
    """The rows of the pages before it are not lost, and the list is not taken for whole."""
    sim, truth = day
    fresh(sim, rule="Contratacao=8&pagina=3=503")
    result = ingest(sim, lake, "--attempts", 2, exit=75)
    assert result.day["modalidades_failed"] == [8]
    got = rows(lake)
    same_values(got, truth, whole=False)
    assert Counter(row["modalidadeId"] for row in got)[8] == 100
    assert not list_path(lake).exists()


def test_rows_of_another_day_are_left_out(simulator, lake):
    sim = simulator("--day", f"{DAY}..20251023", "--count", 200, "--itens-max", 3, "--foreign-rows", 3)
    truth = truth_of(sim)
    result = ingest(sim, lake, exit=0)
    same_values(rows(lake), truth)
    assert result.day["listed"] == 200 and result.day["complete"]
    others = Counter(row["modalidadeId"] for row in truth_of(sim, "20251023").values())
    strangers = sum(min(3, others[code]) for code in {row["modalidadeId"] for row in truth.values()})
    assert f"WARNING {strangers} rows of another publication day left out" in result.stderr


# ---- empty lists ----------------------------------------------------------------------------------


def test_an_empty_list_is_no_complete_day(simulator, lake):
    sim = simulator("--day", DAY, "--count", 0)
    result = ingest(sim, lake, exit=75)
    assert not result.day["complete"] and "--allow-empty" in result.stderr[-1]
    assert not details_path(lake).exists() and not state_path(lake, "completo").exists() and not list_path(lake).exists()
    run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=75)
    result = ingest(sim, lake, "--allow-empty", exit=0)
    assert (result.day["listed"], result.day["complete"], state_path(lake, "completo").exists()) == (0, True, True)
    run("list", "--date", DAY, "--allow-empty", *FAST, lake=lake, sim=sim, exit=0)


# ---- a list that was begun ------------------------------------------------------------------------


def killed_while_listing(sim, lake, *args):
    """A run that is killed when a modalidade of many pages is finished and kept, and the list is not."""
    parts = lake / "pncp_contratacoes" / "_state"
    process = start("--date", DAY, *FAST, *args, lake=lake, sim=sim)
    try:
        deadline = time.monotonic() + 60
        while not list(parts.rglob("*.parquet")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        finish(process)
    assert not list_path(lake).exists()
    return sorted(path.name for path in parts.rglob("*.parquet"))


@pytest.mark.threads
def test_finished_modalidades_survive_a_killed_run(day, lake):
    sim, truth = day
    sim.control(latency_listing=60)
    assert killed_while_listing(sim, lake) == ["modalidade_06.parquet"]
    fresh(sim, latency_listing=0, rule="Contratacao=6&=400") # it would be noticed if 6 were asked again
    result = ingest(sim, lake, exit=0)
    assert result.day["complete"]
    size = sum(row["modalidadeId"] == 6 for row in truth.values())
    assert sim.stats()["requests"]["listing"] == pages(truth) - (size + 49) // 50
    same_values(rows(lake), truth)
    assert Counter(key_of(row) for row in list_rows(lake)) == Counter(list(truth))
    assert not list((lake / "pncp_contratacoes" / "_state").rglob("*.parquet")) # the list is whole: nothing is left beside it


def test_a_list_of_an_open_day_is_not_used_later(simulator, lake):
    """Yesterday, as if it were still open: half of it is published. The list serves that run; the next one lists anew."""
    sim = simulator("--count", 120, "--itens-max", 2, "--visible", "0.5")
    early = truth_of(sim, OPEN_DAY)
    result = ingest(sim, lake, "--final-after", "48h", date=OPEN_DAY, exit=0)
    assert (result.day["complete"], result.day["listed_final"], result.day["listed"]) == (False, False, len(early))
    same_values(rows(lake, OPEN_DAY), early)
    assert not state_path(lake, "completo", OPEN_DAY).exists()
    sim.control(visible=1)
    whole = truth_of(sim, OPEN_DAY)
    result = ingest(sim, lake, "--final-after", 0, date=OPEN_DAY, exit=0)
    assert (result.day["complete"], result.day["done_before"], result.day["listed"]) == (True, len(early), 120)
    same_values(rows(lake, OPEN_DAY), whole)
    fresh(sim)
    result = ingest(sim, lake, "--final-after", 0, date=OPEN_DAY, exit=0)
    assert result.day["already_complete"] and sim.stats()["requests_total"] == 0


BRASILIA = datetime.timezone(datetime.timedelta(hours=-3))
MIDNIGHT = datetime.datetime(2025, 10, 23, tzinfo=BRASILIA) # DAY is over


@pytest.mark.parametrize("args, hours", [((), 3), (("--final-after", "5h"), 5), (("--final-after", 0), 0)])
def test_a_list_of_the_afternoon_is_not_used_the_next_morning(args, hours, simulator, lake, run_at):
    """A day is open for three hours after its end, or as long as --final-after says. Only a list begun after that is kept."""
    sim = simulator("--day", DAY, "--count", 120, "--itens-max", 2, "--visible", "0.5")
    final = MIDNIGHT + datetime.timedelta(hours=hours)
    minute = datetime.timedelta(minutes=1)
    for when in (MIDNIGHT - datetime.timedelta(hours=9), final - minute):
        sim.control(reset="stats")
        result = ingest(sim, lake, *args, env=run_at(when), exit=0)
        assert (result.day["complete"], result.day["listed_final"], sim.stats()["requests"]["listing"] > 10) == (False, False, True)
        assert not state_path(lake, "completo").exists()
    early = set(map(key_of, rows(lake)))
    sim.control(visible=1)
    result = ingest(sim, lake, *args, env=run_at(final + minute), exit=0)
    assert (result.day["complete"], result.day["done_before"], result.day["listed"]) == (True, len(early), 120)
    assert 0 < len(early) < 120
    same_values(rows(lake), truth_of(sim))
    fresh(sim)
    assert ingest(sim, lake, *args, env=run_at(final + 2 * minute), exit=0).day["already_complete"]
    assert sim.stats()["requests_total"] == 0


def test_a_file_of_the_open_day_does_not_complete_it(day, lake, tmp_path):
    """--input is as old as its file, to the second."""
    sim, truth = day
    given = tmp_path / "given.json"
    given.write_text(json.dumps([{"numeroControlePNCP": row["numeroControlePNCP"]} for row in truth.values()]))
    final = round(MIDNIGHT.timestamp()) + 5 * 3600
    for time_of_file, complete in ((final - 14 * 3600, False), (final - 1, False), (final, True)):
        os.utime(given, (time_of_file, time_of_file))
        result = ingest(sim, lake, "--input", given, "--final-after", "5h", exit=0)
        assert (result.day["complete"], result.day["listed_final"], state_path(lake, "completo").exists()) == (complete,) * 3
    assert {key_of(row) for row in rows(lake)} == set(truth)


def test_modalidades_of_an_open_day_are_not_kept(simulator, lake):
    """What a killed run listed while the day was open is not what a later run may rely on."""
    sim = simulator("--count", 300, "--itens-max", 2, "--latency-listing", 60)
    process = start("--date", OPEN_DAY, *FAST, "--final-after", "48h", lake=lake, sim=sim)
    try:
        deadline = time.monotonic() + 60
        while sim.stats()["requests"]["listing"] < 18: # modalidade 6 is over then, 8 is not
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        finish(process)
    assert not list((lake / "pncp_contratacoes").rglob("modalidade_*.parquet"))


# ---- only the first N -----------------------------------------------------------------------------


def test_max_contratacoes_stops_listing_early(day, lake):
    """Asks for no more pages than the first N need (and those already on their way), saves no list, and takes the first N
    of the whole list, whatever N is."""
    sim, truth = day
    sim.control(latency_listing=20)
    result = ingest(sim, lake, "--max-contratacoes", 30, exit=0)
    first = list(truth)[:30]
    assert {key_of(row) for row in rows(lake)} == set(first)
    same_values(rows(lake), truth, whole=False)
    assert (result.day["listed"], result.day["saved"], result.day["remaining"], result.day["complete"]) == (30, 30, 0, False)
    assert not list_path(lake).exists() and not state_path(lake, "completo").exists()
    last = max(truth[key]["modalidadeId"] for key in first)
    assert sim.stats()["requests"]["listing"] <= last + 4 # one for each modalidade so far, and four in flight
    result = ingest(sim, lake, "--max-contratacoes", 130, exit=0)
    assert {key_of(row) for row in rows(lake)} == set(list(truth)[:130])
    assert result.day["saved"] == 100


def test_max_contratacoes_of_a_list_at_hand(day, lake):
    sim, truth = day
    run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    fresh(sim)
    result = ingest(sim, lake, "--max-contratacoes", 7, exit=0)
    assert [key_of(row) for row in sorted(rows(lake), key=lambda row: list(truth).index(key_of(row)))] == list(truth)[:7]
    assert result.day["list_calls"] == 0 and not result.day["complete"]
    result = ingest(sim, lake, exit=0)
    assert (result.day["saved"], result.day["complete"]) == (COUNT - 7, True)
    same_values(rows(lake), truth)


def test_batch_size_finishes_and_saves_the_list(day, lake):
    """Unlike --max-contratacoes: the next run asks only for details."""
    sim, truth = day
    sim.control(latency_listing=20)
    result = ingest(sim, lake, "--batch-size", 10, exit=0)
    assert (result.day["saved"], result.day["remaining"], result.day["listed"]) == (10, COUNT - 10, COUNT)
    assert [key_of(row) for row in list_rows(lake)] == list(truth)
    assert {key_of(row) for row in rows(lake)} == set(list(truth)[:10])
    fresh(sim, rule="publicacao=500_json")
    result = ingest(sim, lake, "--batch-size", 10, exit=0)
    assert result.day["list_calls"] == 0
    assert {key_of(row) for row in rows(lake)} == set(list(truth)[:20])
