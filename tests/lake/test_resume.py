"""What is done is in the day's file, and a run goes on from there: batches, limits, order, the end of a day."""

import shutil

import pytest
from lake_day import (Day, ask, asked, assert_consistent, detail_requests, ingest, reset, start, wait_until)
from program import DAY, finish, key_of, same_values, truth_of

PART = "/{}/compras/{}/{}/{}"


def fails(sim, *keys, part="itens", fault="500_json"):
    """These contratações cannot be fetched from now on."""
    sim.control(*[("rule", PART.format(*key.split("|"), part) + "=" + fault) for key in keys])


def heal(sim):
    sim.control(clear="rules")


def list_order(sim) -> list:
    """Keys in the order in which the day is listed."""
    return list(truth_of(sim))


# ---- batches --------------------------------------------------------------------------------------


def nothing(day):
    pass


def without_state(day):
    shutil.rmtree(day.states)


def without_list(day):
    shutil.rmtree(day.lake / "pncp_contratacoes")


def with_a_list_that_is_damaged(day):
    content = day.list_file.read_bytes()
    day.list_file.write_bytes(content[:len(content) // 2])


@pytest.mark.parametrize("between, every", [(nothing, [50, 50, 50]), (without_state, [30, 7, 60]), (without_list, [50, 50, 50]),
                                            (with_a_list_that_is_damaged, [100, 33, 10])])
def test_batches_take_up_where_the_last_one_stopped(between, every, simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 260), Day(lake)
    order, done = list_order(sim), 0
    for checkpoint_every, batch in zip(every, [100, 100, 60]):
        reset(sim)
        result = ingest(sim, lake, "--batch-size", 100, "--checkpoint-every", checkpoint_every)
        assert set(asked(sim)) == set(order[done:done + batch])
        assert result.day["checkpoints"] == -(-batch // checkpoint_every)
        done += batch
        assert (result.day["done_before"], result.day["saved"], result.day["listed"]) == (done - batch, batch, 260)
        assert (result.day["remaining"], result.day["untried"]) == (260 - done, 260 - done)
        assert result.day["complete"] == day.completo_file.exists() == (done == 260)
        assert set(day.keys()) == set(order[:done])
        assert sorted(day.listed()) == sorted(order)
        assert_consistent(day)
        status = ask("status", lake).summary
        assert (status["done"], status["remaining"], status["complete"]) == (done, 260 - done, done == 260)
        if done < 260:
            between(day)
    same_values(day.rows(), truth_of(sim))


@pytest.mark.threads
def test_two_hundred_after_two_batches_of_a_hundred(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 505), Day(lake)
    for done in (100, 200):
        assert ingest(sim, lake, "--batch-size", 100).day["saved"] == 100
        assert len(set(day.keys())) == len(day.keys()) == done
    same_values(day.rows(), truth_of(sim), whole=False)


def test_a_complete_day_asks_nothing(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 40), Day(lake)
    ingest(sim, lake)
    reset(sim)
    before = {path: content for path, content in day.files().items() if "execucoes" not in path and "progresso" not in path}
    result = ingest(sim, lake)
    assert (result.day["already_complete"], result.day["complete"], result.day["saved"]) == (True, True, 0)
    assert result.stderr == ["INFO the day is complete: 40 contratacoes, nothing left to do"]
    assert sim.stats()["requests_total"] == 0
    after = {path: content for path, content in day.files().items() if path in before}
    assert after == before
    assert ask("list", lake, sim=sim).day["already_complete"] and sim.stats()["requests_total"] == 0


@pytest.mark.parametrize("count, saved, checkpoints", [(120, 120, [50, 50, 20]), (499, 499, [50] * 9 + [49]), (600, 500, [100] * 5),
                                                      (2100, 200, [100, 100])])
def test_auto_goes_by_the_size_of_the_day(count, saved, checkpoints, simulator, lake):
    sim = simulator("--day", DAY, "--count", count, "--itens-max", 3)
    result = ingest(sim, lake, "--batch-size", "auto", "--checkpoint-every", "auto")
    assert (result.day["saved"], result.day["remaining"]) == (saved, count - saved)
    assert [entry["contratacoes"] for entry in Day(lake).history() if entry["kind"] == "append"] == checkpoints
    assert len(Day(lake).listed()) == count # the whole list is saved, whatever the batch


def test_max_contratacoes_looks_at_the_first_of_the_list(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 300), Day(lake)
    order = list_order(sim)
    for limit in (30, 30, 45):
        done = len(day.keys())
        reset(sim)
        result = ingest(sim, lake, "--max-contratacoes", limit)
        assert (result.day["saved"], result.day["remaining"]) == (limit - done, 0)
        assert set(asked(sim)) == set(order[done:limit])
        assert set(day.keys()) == set(order[:limit])
        assert not result.day["complete"] and not result.day["listed_final"]
        assert not day.completo_file.exists() and not day.list_file.exists()
        assert sim.stats()["requests"]["listing"] < 30 # of 14 modalidades and 6 pages at most
    result = ingest(sim, lake, "--max-contratacoes", 100, "--batch-size", 20)
    assert result.day["saved"] == 20 and set(day.keys()) == set(order[:65])
    assert ingest(sim, lake).day["complete"]
    assert_consistent(day)
    reset(sim)
    assert ingest(sim, lake, "--max-contratacoes", 10).day["saved"] == 0
    assert detail_requests(sim) == 0 and day.completo_file.exists()


# ---- contratações that fail -----------------------------------------------------------------------


def test_those_that_always_fail_do_not_block_the_rest(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 30), Day(lake)
    order = list_order(sim)
    fails(sim, *order[:5])
    tried = []
    for batch in range(3):
        reset(sim)
        result = ingest(sim, lake, "--batch-size", 10, "--attempts", 2, exit=3)
        tried.append(set(asked(sim)))
        assert result.day["failed_due"] + result.day["failed_waiting"] == 5
        assert result.day["errors"] == (5 if batch == 0 else 0)
        assert result.day["errors_by_reason"] == ({"http_500": 5} if batch == 0 else {})
        assert result.day["untried"] == 30 - 10 * (batch + 1)
        assert_consistent(day)
    assert tried == [set(order[:10]), set(order[10:20]), set(order[20:])]
    assert set(day.keys()) == set(order[5:]) and not day.completo_file.exists()
    # those that failed are taken up again, by each run once
    day.shift_falhas(86400)
    reset(sim)
    result = ingest(sim, lake, "--batch-size", 10, "--attempts", 2, exit=3)
    again = {key: times for key, times in asked(sim).items() if key not in day.keys()} # of a done one only: is the API there?
    assert set(again) == set(order[:5]) and set(again.values()) == {2}
    assert {entry["attempts"] for entry in day.falhas() if entry["kind"] == "failed"} == {2}
    # until they can be fetched
    day.shift_falhas(86400)
    heal(sim)
    assert ingest(sim, lake).day["complete"]
    same_values(day.rows(), truth_of(sim))
    assert not [entry for entry in day.falhas() if entry["kind"] == "failed"]
    assert_consistent(day)


def test_never_tried_ones_come_first_then_the_oldest_attempt(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 12), Day(lake)
    order = list_order(sim)
    fails(sim, *order[:4])
    ingest(sim, lake, "--batch-size", 6, "--attempts", 1, exit=3)
    for age, key in zip((90000, 70000, 100000, 80000), order[:4]): # oldest: third, first, fourth, second
        day.shift_falhas(age, key)
    turns = []
    for size in (6, 2, 1):
        reset(sim)
        ingest(sim, lake, "--batch-size", size, "--attempts", 1, exit=3)
        turns.append(set(asked(sim)))
    assert turns == [set(order[6:]), {order[2], order[0]}, {order[3]}]


def test_what_is_never_tried_fills_a_batch_up(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 12), Day(lake)
    order = list_order(sim)
    fails(sim, *order[:4])
    ingest(sim, lake, "--batch-size", 10, "--attempts", 1, exit=3)
    day.shift_falhas(90000)
    reset(sim)
    ingest(sim, lake, "--batch-size", 3, "--attempts", 1, exit=3)
    assert set(order[10:]) < set(asked(sim)) and len(asked(sim)) == 3


def test_one_part_that_fails_keeps_the_whole_contratacao_out(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 10), Day(lake)
    first, second, third = list_order(sim)[:3]
    fails(sim, first)
    fails(sim, second, part="arquivos", fault="html_200")
    fails(sim, third)
    fails(sim, third, part="arquivos", fault="empty_200")
    result = ingest(sim, lake, "--attempts", 2, exit=3)
    assert set(day.keys()).isdisjoint({first, second, third}) and result.day["saved"] == 7
    parts = {entry["key"]: entry["part"] for entry in day.falhas() if entry["kind"] == "failed"}
    assert parts[first] == "itens" and parts[second] == "arquivos"
    assert parts[third] in ("ambas", "itens", "arquivos") # the other part may not have been asked to its end
    assert result.stderr[-1] == "WARNING 3 contratacoes could not be fetched: kept in falhas, the next run asks again"
    assert result.stderr[-2].startswith("✅ Processed 10 contratacoes: ")
    assert sum(result.day["errors_by_reason"].values()) == result.day["errors"] == 3


def test_an_api_that_fails_now_and_then_costs_retries_only(simulator, lake):
    sim = simulator("--day", DAY, "--count", 150, "--fault", "detail:500_json=0.1", "--fault", "detail:reset=0.05",
                    "--fault", "detail:truncated=0.05")
    result = ingest(sim, lake, "--attempts", 10)
    assert result.day["complete"] and result.day["retries"] > 20 and result.day["errors"] == 0
    same_values(Day(lake).rows(), truth_of(sim))


# ---- the end of a day -----------------------------------------------------------------------------


def test_a_modalidade_that_cannot_be_listed_leaves_the_day_open(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 150), Day(lake)
    sim.control(rule="codigoModalidadeContratacao=8&=500_json")
    result = ingest(sim, lake, "--attempts", 2, exit=75)
    assert result.day["modalidades_failed"] == [8] and "modalidade 8 (http_500) could not be listed" in result.stderr[-1]
    saved = len(day.keys())
    assert 0 < saved == result.day["saved"] < 150 and not day.list_file.exists() and not day.completo_file.exists()
    assert ask("list", lake, "--attempts", 2, sim=sim, exit=75).day["modalidades_failed"] == [8]
    heal(sim)
    result = ingest(sim, lake)
    assert result.day["complete"] and result.day["saved"] == 150 - saved
    same_values(day.rows(), truth_of(sim))


def test_an_empty_list_is_not_the_end(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 0), Day(lake)
    result = ingest(sim, lake, exit=75)
    assert "the list is empty" in result.day["error"] and not day.completo_file.exists() and not result.day["complete"]
    assert ask("list", lake, sim=sim, exit=75).day["listed"] == 0
    result = ingest(sim, lake, "--allow-empty")
    assert result.day["complete"] and day.completo()["contratacoes"] == 0 and not day.file.exists()
    assert ask("status", lake).summary["complete"] and ask("verify", lake).summary["sound"]


def test_a_list_that_has_grown_opens_the_day_again(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 60, "--visible", 0.5), Day(lake)
    assert ingest(sim, lake).day["complete"]
    first = len(day.keys())
    sim.control(visible=1)
    assert ingest(sim, lake).day["already_complete"] # a final list is not fetched twice
    result = ask("list", lake, "--again", sim=sim)
    assert result.day["listed"] == 60 > first
    assert not day.completo_file.exists()
    assert not (status := ask("status", lake).summary)["complete"] and status["remaining"] == 60 - first
    assert not ingest(sim, lake, "--batch-size", 5).day["complete"]
    assert not day.completo_file.exists()
    assert_consistent(day)
    assert ingest(sim, lake).day["saved"] == 60 - first - 5
    assert day.completo()["commit"] == day.commit() and day.completo()["contratacoes"] == 60
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


def test_list_again_without_growth_leaves_the_day_complete(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 20), Day(lake)
    ingest(sim, lake)
    before = day.completo()
    ask("list", lake, "--again", sim=sim)
    assert day.completo() == before and ask("status", lake).summary["complete"]


def test_completo_goes_before_the_day_grows(simulator, lake):
    """A run that is killed in between must not leave it."""
    sim, day = simulator("--day", DAY, "--count", 60, "--visible", 0.5), Day(lake)
    ingest(sim, lake)
    completo = day.completo_file.read_bytes()
    sim.control(visible=1)
    ask("list", lake, "--again", sim=sim)
    day.completo_file.write_bytes(completo) # as if that run had died before it could remove it
    assert not ask("status", lake).summary["complete"]
    sim.control(fault="detail:hang=1")
    process = start(sim, lake)
    wait_until(lambda: not day.completo_file.exists(), process)
    process.kill()
    finish(process)


def test_a_list_of_before_is_used_by_ingest(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 70), Day(lake)
    listed = ask("list", lake, sim=sim).day
    assert (listed["listed"], listed["listed_final"], listed["saved"]) == (70, True, 0)
    assert listed["list_calls"] == sim.stats()["requests"]["listing"] > 0
    assert day.listed() == list_order(sim)
    reset(sim)
    assert ingest(sim, lake).day["list_calls"] == sim.stats()["requests"]["listing"] == 0
    same_values(day.rows(), truth_of(sim))


def test_compact_at_any_stage(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 90), Day(lake)
    ask("compact", lake, exit=1)
    ingest(sim, lake, "--batch-size", 60, "--checkpoint-every", 10)
    rows, groups = day.rows(), day.row_groups()
    answer = ask("compact", lake).summary
    assert answer["compacted"] and (answer["row_groups_before"], answer["row_groups"]) == (groups, 1)
    assert (answer["contratacoes"], answer["bytes"]) == (60, day.file.stat().st_size) and answer["bytes_before"] > 0
    assert sorted(day.rows(), key=key_of) == sorted(rows, key=key_of) and day.row_groups() == 1
    assert day.keys() == sorted(day.keys(), key=lambda key: (key.split("|")[0], *map(int, key.split("|")[1:])))
    assert day.history()[-1]["kind"] == "rewrite"
    assert_consistent(day)
    content = day.file.read_bytes()
    assert not ask("compact", lake).summary["compacted"] and day.file.read_bytes() == content
    assert ingest(sim, lake).day["complete"]
    assert_consistent(day)
    same_values(day.rows(), truth_of(sim))
