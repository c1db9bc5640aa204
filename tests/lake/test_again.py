"""What is asked again: parts that were absent or empty (renewed when they appear), contratações that failed and are due,
`retry`, and the whole day with --no-auto-resume."""

import os
import signal
import time

import pytest
from lake_day import Day, ask, assert_consistent, ingest, reset, start, stop, wait_until
from program import DAY, fast, finish, key_of, run, same_values, truth_of

HOUR, DAYS = 3600, 86400
PART = "/{}/compras/{}/{}/{}*"


def lacks(sim, key, part="itens", fault="404"):
    """From now on the API says that this part does not exist (with its /quantidade)."""
    sim.control(rule=PART.format(*key.split("|"), part) + "=" + fault)


def heal(sim):
    sim.control(clear="rules")


def retry(sim, lake, *args, **more):
    return run("retry", "--date", DAY, *fast(*args), *args, sim=sim, lake=lake, **{"exit": 0, **more})


def asked(sim) -> set:
    return set(sim.stats(keys=True)["keys"])


def entries(day, kind=None) -> dict:
    return {(entry["key"], entry["part"]): entry for entry in day.falhas() if kind in (None, entry["kind"])}


def missing_parts(truth) -> set:
    """(key, part) of all that is not ok by itself."""
    return {(key, part) for key, row in truth.items() for part in ("itens", "arquivos") if row[f"{part}_situacao"] != "ok"}


@pytest.fixture
def source(simulator, lake):
    """A day on which only the parts that a test takes away are missing."""
    sim = simulator("--day", DAY, "--count", 60, "--itens-max", 8)
    natural = {key for key, _ in missing_parts(truth_of(sim))}
    keys = [key for key in truth_of(sim) if key not in natural]
    return sim, Day(lake), keys


# ---- absent and empty parts -------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["itens", "arquivos"])
def test_a_part_that_appears_two_days_later(source, lake, part):
    sim, day, keys = source
    late = keys[7]
    lacks(sim, late, part)
    first = ingest(sim, lake)
    assert first.day["complete"] and first.day["ausente"] == 1
    row = next(row for row in day.rows() if key_of(row) == late)
    assert (row[part], row[f"{part}_situacao"]) == (None, "ausente")
    heal(sim)
    # not due: a complete day asks nothing
    reset(sim)
    result = ingest(sim, lake)
    assert result.day["already_complete"] and sim.stats()["requests_total"] == 0
    # two days later it is
    day.shift_falhas(2 * DAYS)
    result = ingest(sim, lake)
    due = {key for key, _ in missing_parts(truth_of(sim))} | {late}
    assert asked(sim) == due and result.day["renewed"] == 1 and result.day["complete"] and not result.day["already_complete"]
    assert (result.day["saved"], result.day["errors"], result.day["done_before"]) == (0, 0, 60)
    assert result.day["itens"] + result.day["arquivos"] > 0
    assert f"Processing {len(due)} contratacoes..." in result.stderr
    assert any(line.startswith("INFO renewed: 1 contratacoes, ") for line in result.stderr)
    assert len(day.keys()) == len(set(day.keys())) == 60
    same_values(day.rows(), truth_of(sim))
    assert (late, part) not in entries(day)
    assert_consistent(day)
    assert ask("verify", lake).summary["problems"] == 0
    assert day.completo()["commit"] == day.commit()


def test_what_stays_absent_is_asked_daily_and_not_for_ever(source, lake):
    sim, day, keys = source
    lacks(sim, keys[3])
    ingest(sim, lake)
    commit, attempts = day.commit(), 1
    for asked_after in (HOUR, *[DAYS] * 7):
        day.shift_falhas(asked_after - 60)
        assert ingest(sim, lake).day["already_complete"], "not yet"
        day.shift_falhas(61)
        result = ingest(sim, lake)
        attempts += 1
        entry = entries(day)[keys[3], "itens"]
        assert (entry["kind"], entry["attempts"], result.day["renewed"]) == ("ausente", attempts, 0)
        assert day.commit() == commit, "no better than what is there: the file stays"
        assert_consistent(day)
    assert entry["closed"] is True
    day.shift_falhas(30 * DAYS)
    assert ingest(sim, lake).day["already_complete"]
    heal(sim)
    result = retry(sim, lake, "--all") # who wants it asks for it
    assert result.day["renewed"] == 1 and day.commit() != commit
    same_values(day.rows(), truth_of(sim))


def test_a_row_without_an_entry_is_asked_again_too(source, lake):
    sim, day, keys = source
    lacks(sim, keys[3])
    ingest(sim, lake)
    day.falhas_file.unlink()
    heal(sim)
    assert ingest(sim, lake).day["already_complete"], "it was asked less than an hour ago, says its row"
    assert entries(day)[keys[3], "itens"]["attempts"] == 1, "made from the row"
    result = retry(sim, lake, "--all")
    assert result.day["renewed"] == 1
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


def test_a_part_that_vanishes_does_not_take_the_row_with_it(source, lake):
    """arquivos was empty and stays so; itens, which was there, is said not to exist now."""
    sim, day, keys = source
    empty = next(key for key, row in truth_of(sim).items() if row["arquivos_situacao"] == "vazio" and row["itens_situacao"] == "ok")
    ingest(sim, lake)
    commit = day.commit()
    lacks(sim, empty)
    day.shift_falhas(2 * DAYS)
    assert ingest(sim, lake).day["renewed"] == 0
    assert day.commit() == commit
    heal(sim)
    same_values(day.rows(), truth_of(sim))


def test_one_that_fails_when_it_is_asked_again_stays_as_it_is(source, lake):
    sim, day, keys = source
    lacks(sim, keys[5])
    ingest(sim, lake)
    heal(sim)
    lacks(sim, keys[5], fault="500_json")
    day.shift_falhas(2 * DAYS)
    before = entries(day)[keys[5], "itens"]
    result = ingest(sim, lake, "--attempts", 2)
    assert (result.day["errors"], result.day["renewed"], result.day["complete"]) == (0, 0, True)
    assert any(f"WARNING {keys[5]}: itens could not be fetched again: http_500; the row stays" == line for line in result.stderr)
    after = entries(day)[keys[5], "itens"]
    assert (after["kind"], after["attempts"]) == ("ausente", before["attempts"] + 1)
    assert_consistent(day)
    heal(sim)
    day.shift_falhas(2 * DAYS)
    assert ingest(sim, lake).day["renewed"] == 1
    same_values(day.rows(), truth_of(sim))


def test_many_are_renewed_in_one_rewrite(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 300, "--fault", "itens:lasting_404=0.5"), Day(lake)
    ingest(sim, lake)
    commits = len(day.history())
    sim.control(("fault", "itens:lasting_404=0"))
    absent = sum(row["itens_situacao"] == "ausente" for row in day.rows())
    day.shift_falhas(2 * DAYS)
    result = ingest(sim, lake, "--checkpoint-every", 20)
    assert result.day["renewed"] == absent > 100 and len(day.history()) == commits + 1
    assert day.history()[-1]["kind"] == "rewrite" and day.temps() == []
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


# ---- failed ones ------------------------------------------------------------------------------------


def test_failed_ones_wait_until_they_are_due(source, lake):
    """10 minutes, doubling to six hours; the day's run does not ask before, and says that they wait. (Those whose lists are
    empty by themselves are due after an hour: not looked at here.)"""
    sim, day, keys = source
    lacks(sim, keys[0], fault="500_json")
    ingest(sim, lake, "--attempts", 2, exit=3)
    for wait in (600, 1200, 2400, 4800, 9600, 19200, 21600, 21600):
        day.shift_falhas(wait - 60)
        reset(sim)
        result = ingest(sim, lake, "--attempts", 2, exit=3)
        assert keys[0] not in asked(sim)
        assert (result.day["failed_due"], result.day["failed_waiting"], result.day["remaining"]) == (0, 1, 1)
        assert not result.day["already_complete"]
        day.shift_falhas(61)
        ingest(sim, lake, "--attempts", 2, exit=3)
        assert keys[0] in asked(sim)
    heal(sim)
    day.shift_falhas(DAYS)
    assert ingest(sim, lake).day["complete"]
    same_values(day.rows(), truth_of(sim))
    assert not entries(day, "failed")


def test_order_of_work(source, lake):
    """Never tried, then failed, then absent; --batch-size counts them all."""
    sim, day, keys = source
    lacks(sim, keys[0], fault="500_json")
    lacks(sim, keys[1])
    ingest(sim, lake, "--max-contratacoes", 30, "--attempts", 2, "--connections", 1, exit=3)
    tried = set(day.keys())
    heal(sim)
    day.shift_falhas(2 * DAYS)
    renewals = {key for key, _ in missing_parts(truth_of(sim)) if key in tried} | {keys[1]}
    reset(sim)
    result = ingest(sim, lake, "--batch-size", 29, exit=3)
    assert not asked(sim) & (tried | {keys[0]}), "29 of the 30 that were never tried"
    reset(sim)
    result = ingest(sim, lake, "--batch-size", 2)
    assert keys[0] in asked(sim) and len(asked(sim)) == 2 and not asked(sim) & tried
    assert result.day["remaining"] == 0
    reset(sim)
    result = ingest(sim, lake, "--batch-size", 1)
    assert len(asked(sim)) == 1 and asked(sim) < renewals
    reset(sim)
    result = ingest(sim, lake)
    assert len(asked(sim)) == len(renewals) - 1
    same_values(day.rows(), truth_of(sim))


def test_the_first_hundred_failing_for_good_do_not_block_the_day(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 350, "--itens-max", 3), Day(lake)
    ask("list", lake, sim=sim)
    first = day.listed()[:100]
    sim.control(*[("rule", "/{}/compras/{}/{}/*=500_json".format(*key.split("|"))) for key in first])
    runs = 0
    while len(day.keys()) < 250:
        ingest(sim, lake, "--batch-size", 100, "--attempts", 2, exit=3)
        runs += 1
        assert runs <= 4
    same_values(day.rows(), truth_of(sim), whole=False)
    assert {key for key, _ in entries(day, "failed")} == set(first)
    assert_consistent(day)


# ---- retry ------------------------------------------------------------------------------------------


def test_retry_takes_what_is_due_and_nothing_else(source, lake):
    sim, day, keys = source
    lacks(sim, keys[0], fault="500_json")
    lacks(sim, keys[1], "arquivos", fault="500_json")
    lacks(sim, keys[2])
    ingest(sim, lake, "--max-contratacoes", 40, "--attempts", 2, exit=3)
    heal(sim)
    reset(sim)
    result = retry(sim, lake, exit=3)
    assert not asked(sim) and result.day["failed_waiting"] == 2 and "Processing 0 contratacoes..." in result.stderr
    day.shift_falhas(900, keys[0])
    result = retry(sim, lake, exit=3)
    assert asked(sim) == {keys[0]} and result.day["saved"] == 1 and result.day["untried"] > 0
    reset(sim)
    result = retry(sim, lake, "--all", "--part", "itens", exit=3)
    assert keys[2] in asked(sim) and keys[1] not in asked(sim) and result.day["renewed"] == 1
    reset(sim)
    result = retry(sim, lake, "--all")
    assert keys[1] in asked(sim) and result.day["saved"] == 1
    assert result.day["failed_due"] + result.day["failed_waiting"] == 0 and result.day["untried"] == 60 - len(day.keys())
    same_values(day.rows(), truth_of(sim), whole=False)
    assert_consistent(day)
    ingest(sim, lake)
    same_values(day.rows(), truth_of(sim))


def test_retry_of_a_day_without_anything_to_ask(source, lake):
    sim, day, _ = source
    ingest(sim, lake)
    before = day.files()
    reset(sim)
    result = retry(sim, lake)
    assert result.day["already_complete"] and sim.stats()["requests_total"] == 0
    assert {path: content for path, content in day.files().items() if "execucoes" not in path and "progresso" not in path} == {
        path: content for path, content in before.items() if "execucoes" not in path and "progresso" not in path}


# ---- the whole day again ----------------------------------------------------------------------------


def runs_of(day) -> set:
    return {row["run_id"] for row in day.rows()}


def test_no_auto_resume_makes_every_row_new(source, lake):
    sim, day, keys = source
    ingest(sim, lake, "--checkpoint-every", 20)
    before, commits = runs_of(day), len(day.history())
    reset(sim)
    result = ingest(sim, lake, "--no-auto-resume", "--checkpoint-every", 10)
    assert (result.day["renewed"], result.day["saved"], result.day["remaining"], result.day["complete"]) == (60, 0, 0, True)
    assert len(asked(sim)) == 60
    assert runs_of(day) == {result.summary["run_id"]} != before and len(day.history()) == commits + 1
    assert result.stderr[-1].startswith("✅ Processed 60 contratacoes: ")
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)
    assert ask("verify", lake).summary["problems"] == 0


def test_no_auto_resume_of_a_day_that_is_not_done(source, lake):
    """What is not there is appended checkpoint by checkpoint, as always; what is there is renewed."""
    sim, day, keys = source
    ingest(sim, lake, "--batch-size", 25)
    result = ingest(sim, lake, "--no-auto-resume", "--checkpoint-every", 10)
    assert (result.day["renewed"], result.day["saved"], result.day["complete"]) == (25, 35, True)
    assert runs_of(day) == {result.summary["run_id"]}
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


def test_no_auto_resume_that_cannot_fetch_all(source, lake):
    sim, day, keys = source
    ingest(sim, lake)
    old = {key_of(row): row for row in day.rows()}
    lacks(sim, keys[9], fault="500_json")
    result = ingest(sim, lake, "--no-auto-resume", "--attempts", 2, exit=3)
    assert (result.day["renewed"], result.day["errors"], result.day["errors_by_reason"]) == (59, 1, {"http_500": 1})
    got = {key_of(row): row for row in day.rows()}
    assert got[keys[9]] == old[keys[9]] and got.keys() == old.keys()
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


@pytest.mark.parametrize("how", ["term", "kill", "outage"])
def test_no_auto_resume_interrupted_leaves_the_old_rows(simulator, lake, how):
    sim, day = simulator("--day", DAY, "--count", 200), Day(lake)
    ingest(sim, lake)
    old = day.file.read_bytes()
    for requests in (5, 150, 300):
        reset(sim)
        sim.control(latency=20)
        process = start(sim, lake, "--no-auto-resume", "--outage-wait", "300ms")
        wait_until(lambda: sim.stats()["requests_total"] > requests, process)
        if how == "outage":
            sim.control(fault="detail:503=1")
            assert finish(process).exit == 75
            sim.control(fault="detail:503=0")
        else:
            stop(process, signal.SIGTERM if how == "term" else signal.SIGKILL)
        assert day.file.read_bytes() == old
    sim.control(latency=0)
    result = ingest(sim, lake)
    assert result.day["already_complete"] and day.temps() == []
    assert_consistent(day)


def test_no_auto_resume_killed_during_the_rewrite(simulator, lake):
    """At moments spread over the end of the run: the old rows or the new ones, all of them."""
    sim, day = simulator("--day", DAY, "--count", 150), Day(lake)
    ingest(sim, lake)
    old_run, new = runs_of(day), 0
    begun = time.monotonic()
    ingest(sim, lake, "--no-auto-resume")
    seconds, old_run = time.monotonic() - begun, runs_of(day)
    for share in (0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0):
        process = start(sim, lake, "--no-auto-resume")
        time.sleep(seconds * share)
        os.kill(process.pid, signal.SIGKILL)
        finish(process)
        assert len(runs_of(day)) == 1, "all old or all new"
        new += runs_of(day) != old_run
        old_run = runs_of(day)
        same_values(day.rows(), truth_of(sim))
    ingest(sim, lake)
    assert_consistent(day)
