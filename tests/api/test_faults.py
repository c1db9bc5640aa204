"""What the API gets wrong for a moment costs time, never rows: all is there and true, or kept in falhas and fetched later.

No fault may turn into an empty or a short list that the source did not say.
"""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from lake_day import Day
from program import (DAY, FAST, differences, falhas, key_of, list_path, list_rows, rows, run, same_values, truth_of)
from simulator import Simulator

# One that needs three pages, one of exactly a page, one that --confirm auto leaves alone and one that it does not.
FORCED = ("--force-itens", "3=1200", "--force-itens", "4=500", "--force-itens", "5=9", "--force-itens", "6=10",
          "--force-arquivos", "5=81", "--force-itens", "7=0", "--force-arquivos", "8=0")
PASSING = ["429", "500_json", "500_text", "500_slow:50", "502", "503", "504", "520", "524", "status:403", "html_200",
           "empty_200", "422", "404", "status:410", "truncated", "short_body", "reset", "reset_body", "close", "trickle:100",
           "delay:60", "hang:5000", "dup_key", "deep", "huge:20", "trailing", "bad_utf8", "wrong_type", "wrong_kind",
           "first_page"]
# Each that hangs costs a deadline.
QUICK = ("--retry-wait", "10ms", "--brake-wait", "50ms", "--deadline", "400ms")
WAITS = {"hang:5000": QUICK}


@pytest.fixture(scope="module")
def source():
    with Simulator("--day", DAY, "--count", 150, "--itens-max", 60, *FORCED) as sim:
        yield sim, truth_of(sim)


@pytest.fixture(scope="module")
def long_lists():
    with Simulator("--day", DAY, "--count", 2000) as sim:
        yield sim, list(truth_of(sim))


def fresh(sim, *settings):
    """The simulator as it began, then `settings`."""
    sim.control(("clear", "all"), ("reset", "all"), ("quantidade-off", "0:0"), ("late-itens", "0"), ("late-arquivos", "0"),
                *settings)


def rate(fault, share, scope="all"):
    """"500_slow:50" as the setting of a share of all requests."""
    name, _, arg = fault.partition(":")
    return ("fault", f"{scope}:{name}={share}" + (":" + arg if arg else ""))


def fired(sim, fault) -> int:
    return sim.stats()["faults"].get(fault.partition(":")[0], 0)


def ingest(sim, lake, *args, waits=FAST, **more):
    return run("--date", DAY, *waits, *args, lake=lake, sim=sim, **more)


def failed(lake) -> dict:
    return {entry["key"]: entry for entry in falhas(lake) if entry["kind"] == "failed"}


def whole_or_failed(result, sim, lake, truth, quantidade=True):
    """What is saved is true, what is not is in falhas; when it is due, a clean run completes the day."""
    got = rows(lake)
    same_values(got, truth, whole=False, quantidade=quantidade)
    missing = truth.keys() - {key_of(row) for row in got}
    assert failed(lake).keys() == missing
    assert result.exit == (3 if missing else 0) and result.day["errors"] == len(missing) == result.day["remaining"]
    if missing:
        fresh(sim)
        Day(lake).shift_falhas(86400)
        again = ingest(sim, lake, exit=0)
        same_values(rows(lake), truth, quantidade=quantidade)
        assert again.day["saved"] == len(missing) and not failed(lake)


def part_url(row, part="") -> str:
    """The beginning of what is asked about a contratação: "…/itens?" for pages alone."""
    return f"/{row['cnpj']}/compras/{row['ano']}/{row['sequencial']}/{part}"


# ---- faults that pass -----------------------------------------------------------------------------


@pytest.mark.parametrize("fault, share", [
    *((fault, 0.1) for fault in PASSING),
    *(pytest.param(fault, 0.01, marks=() if fault in ("404", "503", "html_200") else pytest.mark.full) for fault in PASSING)])
def test_a_passing_fault_costs_no_row(source, lake, fault, share):
    sim, truth = source
    fresh(sim, rate(fault, share))
    result = ingest(sim, lake, waits=WAITS.get(fault, FAST))
    assert fired(sim, fault) > (10 if share == 0.1 else -1) # of 400 requests; one in a hundred may spare them all
    # half of "81" is "8": a number that /quantidade did say
    whole_or_failed(result, sim, lake, truth, quantidade=fault != "truncated")
    if share == 0.01:
        assert result.exit == 0


@pytest.mark.parametrize("fault", [*PASSING, "wrong_page"])
def test_a_passing_fault_of_the_listing_costs_no_row(long_lists, lake, fault):
    sim, keys = long_lists
    fresh(sim, rate(fault, 0.1, "listing"))
    result = run("list", "--date", DAY, *WAITS.get(fault, FAST), lake=lake, sim=sim, exit=0)
    assert fired(sim, fault) > 0 and result.day["modalidades_failed"] == []
    assert Counter(key_of(row) for row in list_rows(lake)) == Counter(keys)


@pytest.mark.parametrize("fault", ["204", "400"])
def test_a_listing_that_cannot_be_proven_is_not_taken(long_lists, lake, fault):
    """A page in the middle that says 204 or 400 contradicts totalRegistros: four readings, then the modalidade is named."""
    sim, keys = long_lists
    fresh(sim, ("rule", f"Contratacao=8&pagina=5&={fault}"))
    result = run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=75)
    assert result.day["modalidades_failed"] == [8] and "modalidade 8 (page_mismatch)" in result.stderr[-1]
    assert not list_path(lake).exists()
    fresh(sim)
    run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert Counter(key_of(row) for row in list_rows(lake)) == Counter(keys)


@pytest.mark.threads
def test_many_faults_at_once(source, lake):
    sim, truth = source
    mixed = ["429", "500_json", "503", "html_200", "empty_200", "404", "short_body", "reset", "close", "dup_key", "trailing",
             "wrong_kind", "delay:30"]
    fresh(sim, *(rate(fault, 0.02) for fault in mixed))
    result = ingest(sim, lake, "--checkpoint-every", 10)
    assert sum(sim.stats()["faults"].values()) > 50
    whole_or_failed(result, sim, lake, truth)


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_a_false_400_goes_to_falhas(source, lake, share):
    """A 400 says that the request itself is wrong: asking again is not polite, so it is one of the next run's."""
    sim, truth = source
    fresh(sim, rate("400", share, "detail"))
    result = ingest(sim, lake)
    assert result.exit == 3 and result.day["errors_by_reason"] == {"http_400": result.day["errors"]}
    whole_or_failed(result, sim, lake, truth)


# ---- what is kept in falhas -----------------------------------------------------------------------

REASONS = [("500_json", "http_500"), ("500_text", "http_500"), ("502", "http_502"), ("503", "http_503"), ("504", "http_504"),
           ("520", "http_520"), ("524", "http_524"), ("status:403", "http_403"), ("status:408", "http_408"),
           ("status:418", "http_418"), ("status:301", "http_301"), ("400", "http_400"), ("422", "http_422"),
           ("html_200", "html_200"), ("empty_200", "empty_200"), ("truncated", "truncated"), ("short_body", "truncated"),
           ("reset", "reset"), ("reset_body", "reset"), ("close", "reset"), ("hang:5000", "timeout"), ("trickle:5000", "timeout"),
           ("dup_key", "duplicate_key"), ("deep", "too_deep"), ("huge:20", "too_large"), ("trailing", "bad_json"),
           ("bad_utf8", "bad_json"), ("wrong_kind", "wrong_kind")]


def test_a_lasting_fault_is_kept_with_its_reason(source, lake):
    """One contratação for each: of itens, of arquivos or of both. A clean run then completes the day."""
    sim, truth = source
    fresh(sim)
    parts, expected = ("itens", "arquivos", ""), {}
    full = [row for row in truth.values() if 0 < len(row["itens"]) < 100 and 0 < len(row["arquivos"])]
    for i, (row, (fault, reason)) in enumerate(zip(full, REASONS, strict=False)):
        part = parts[i % 3]
        sim.control(rule=f"{part_url(row, part)}={fault}")
        expected[key_of(row)] = (part or "ambas", reason)
    assert len(expected) == len(REASONS)
    result = ingest(sim, lake, "--attempts", 2, waits=QUICK, exit=3)
    kept = failed(lake)
    assert {key: (entry["part"], entry["reason"]) for key, entry in kept.items()} == expected
    assert result.day["errors_by_reason"] == Counter(reason for _, reason in expected.values())
    for entry in kept.values():
        status = int(entry["reason"][5:]) if entry["reason"].startswith("http_") else None
        assert status is None or entry["http_status"] == status
        assert entry["attempts"] == 1 and entry["first_at"] == entry["last_at"]
        wait = datetime.fromisoformat(entry["not_before"]) - datetime.fromisoformat(entry["last_at"])
        assert wait == timedelta(minutes=10)
    whole_or_failed(result, sim, lake, truth)


def test_attempts_are_counted(source, lake):
    sim, truth = source
    three, four = list(truth.values())[20:22]
    fresh(sim, ("rule", f"{part_url(three, 'itens?')}@1-2=503"), ("rule", f"{part_url(four, 'itens?')}@1-3=503"))
    result = ingest(sim, lake, "--attempts", 3, exit=3)
    assert failed(lake).keys() == {key_of(four)}
    assert sim.stats(keys=True)["keys"][key_of(four)]["itens"] == 3
    whole_or_failed(result, sim, lake, truth)


def test_a_failed_one_counts_its_attempts(source, lake):
    """Failed again by the next run: the same entry, a later not-before, the first time kept."""
    sim, truth = source
    row = list(truth.values())[30]
    fresh(sim, ("rule", f"{part_url(row)}=400"))
    ingest(sim, lake, exit=3)
    Day(lake).shift_falhas(86400)
    before = failed(lake)[key_of(row)]
    ingest(sim, lake, exit=3)
    after = failed(lake)[key_of(row)]
    assert (after["attempts"], after["first_at"]) == (2, before["first_at"])
    wait = datetime.fromisoformat(after["not_before"]) - datetime.fromisoformat(after["last_at"])
    assert wait == timedelta(minutes=20)


def test_a_429_is_never_an_attempt(source, lake):
    sim, truth = source
    row = list(truth.values())[20]
    fresh(sim, ("rule", f"{part_url(row, 'itens?')}@1-8=429"), ("rule", "Contratacao=6&@1-3=429"))
    ingest(sim, lake, "--attempts", 1, exit=0)
    assert fired(sim, "429") == 11
    same_values(rows(lake), truth)


# ---- absent, empty, and what only looks so --------------------------------------------------------


def test_a_false_404_is_not_believed(source, lake):
    """Three tries say 404, /quantidade says rows: the page is asked again, and the rows come."""
    sim, truth = source
    row = next(row for row in truth.values() if 0 < len(row["itens"]) < 10)
    fresh(sim, ("rule", f"{part_url(row, 'itens?')}@1-3=404"))
    ingest(sim, lake, exit=0)
    same_values(rows(lake), truth)
    asked = sim.stats(keys=True)["keys"][key_of(row)]
    assert asked["quantidade_itens"] >= 1 and asked["itens"] == 4


def test_a_404_that_quantidade_contradicts_is_a_failure(source, lake):
    sim, truth = source
    row = next(row for row in truth.values() if row["itens"])
    fresh(sim, ("rule", f"{part_url(row, 'itens?')}=404"))
    result = ingest(sim, lake, exit=3)
    entry = failed(lake)[key_of(row)]
    assert (entry["part"], entry["reason"], entry["http_status"]) == ("itens", "http_404", 404)
    whole_or_failed(result, sim, lake, truth)


def test_a_lasting_404_is_ausente(source, lake):
    sim, whole = source
    fresh(sim, ("fault", "itens:lasting_404=0.1"), ("fault", "arquivos:lasting_404=0.05"))
    truth = truth_of(sim)
    absent = Counter((key, part) for key, row in truth.items() for part in ("itens", "arquivos") if row[part] is None)
    assert len(absent) > 10
    result = ingest(sim, lake, exit=0)
    same_values(rows(lake), truth) # null and not [], no total
    assert result.day["ausente"] == len(absent) and result.day["complete"] and result.day["errors"] == 0
    entries = [entry for entry in falhas(lake) if entry["kind"] == "ausente"]
    assert Counter((entry["key"], entry["part"]) for entry in entries) == absent
    for entry in entries:
        assert (entry["reason"], entry["http_status"]) == ("http_404", 404)
        wait = datetime.fromisoformat(entry["not_before"]) - datetime.fromisoformat(entry["last_at"])
        assert wait == timedelta(hours=1)


def test_no_rows_are_vazio(source, lake):
    """204, or [] with --empty-part 200: saved and done, and kept to be asked again."""
    sim, _ = source
    fresh(sim, ("late-answer", "empty"), ("late-itens", "0.2"), ("late-arquivos", "0.1"))
    truth = truth_of(sim)
    for confirm, status in (("auto", "204"), ("always", "200")):
        sim.control(empty_part=status)
        result = ingest(sim, lake / confirm, "--confirm", confirm, exit=0)
        same_values(rows(lake / confirm), truth)
        empty = Counter((key, part) for key, row in truth.items() for part in ("itens", "arquivos") if row[part] == [])
        entries = [entry for entry in falhas(lake / confirm) if entry["kind"] == "vazio"]
        assert Counter((entry["key"], entry["part"]) for entry in entries) == empty
        assert result.day["vazio"] == len(empty) > 30 and result.day["complete"]


def test_confirm_always_catches_a_false_204(source, lake):
    """Every first page says 204 once; /quantidade knows better."""
    sim, truth = source
    fresh(sim, ("rule", "/itens?pagina=1&@1=204"), ("rule", "/arquivos?pagina=1&@1=204"))
    ingest(sim, lake, "--confirm", "always", exit=0)
    assert fired(sim, "204") == 2 * len(truth)
    same_values(rows(lake), truth)


@pytest.mark.parametrize("scope", ["itens", "arquivos", "quantidade"])
def test_confirm_always_and_a_share_of_false_204(source, lake, scope):
    """Both readings of a list may be hit: then it is page_mismatch in falhas. A count that is 204 is asked again."""
    sim, truth = source
    fresh(sim, rate("204", 0.1, scope))
    result = ingest(sim, lake, "--confirm", "always")
    assert fired(sim, "204") > 10
    assert set(result.day["errors_by_reason"]) <= {"page_mismatch"}
    if scope == "quantidade": # twice 204: saved with what it said, 0, and counted
        assert result.exit == 0
        assert result.day["quantidade_differs"] == len(differences(rows(lake), truth))
        same_values(rows(lake), truth, quantidade=False)
    else:
        whole_or_failed(result, sim, lake, truth)


def test_a_false_204_cannot_be_told_by_auto(source, lake):
    """auto asks /quantidade for ten rows or more, and 204 is how the API says none: the source said so. The part is vazio,
    never silently complete: it is in falhas and asked again. Lists that are said to be there are still true."""
    sim, truth = source
    hit = [row for row in truth.values() if row["itens"]][:5]
    fresh(sim, *(("rule", f"{part_url(row, 'itens?')}=204") for row in hit))
    result = ingest(sim, lake, exit=0)
    got = {key_of(row): row for row in rows(lake)}
    same_values([row for key, row in got.items() if key not in map(key_of, hit)], truth, whole=False)
    entries = {entry["key"]: entry for entry in falhas(lake) if entry["part"] == "itens"}
    for row in hit:
        assert got[key_of(row)]["itens_situacao"] == "vazio" and got[key_of(row)]["itens"] == []
        assert entries[key_of(row)]["kind"] == "vazio"
    assert result.day["vazio"] == len(falhas(lake))


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_another_page_than_asked(source, lake, share):
    """A page of the detail API has no number: the page after the last is [] like a list without rows. With always,
    /quantidade tells."""
    sim, truth = source
    fresh(sim, rate("wrong_page", share))
    result = ingest(sim, lake, "--confirm", "always")
    assert fired(sim, "wrong_page") > 0
    whole_or_failed(result, sim, lake, truth)


# ---- /quantidade that disagrees -------------------------------------------------------------------


@pytest.mark.parametrize("delta", [3, -3, 400])
@pytest.mark.parametrize("confirm", ["auto", "always"])
def test_a_count_that_disagrees_is_kept_beside_the_rows(source, lake, confirm, delta):
    """After two readings: the rows are there, both numbers are in the row, and it is counted."""
    sim, truth = source
    fresh(sim, ("quantidade-off", f"1:{delta}"))
    result = ingest(sim, lake, "--confirm", confirm, exit=0)
    got = rows(lake)
    same_values(got, truth, quantidade=False)
    differing = 0
    for row in got:
        for part in ("itens", "arquivos"):
            total, said = row[part + "_total"], row[part + "_quantidade"]
            if total == 0 or (confirm == "auto" and total < 10):
                assert said == (0 if confirm == "always" else None)
            else:
                assert said == max(total + delta, 0)
                differing += 1
    assert result.day["quantidade_differs"] == differing > 20


def test_two_different_readings_are_no_lasting_disagreement(source, lake):
    """Each of two readings of a list of 1,200 itens misses another page: that is not what "stays over two readings" means,
    and nothing shorter than the whole may be saved."""
    sim, truth = source
    row = next(row for row in truth.values() if len(row["itens"]) == 1200)
    fresh(sim, ("rule", f"{part_url(row, 'itens?pagina=2&')}@1=first_page"),
          ("rule", f"{part_url(row, 'itens?pagina=3&')}@1=first_page"))
    result = ingest(sim, lake)
    whole_or_failed(result, sim, lake, truth)
    assert result.exit == 0
