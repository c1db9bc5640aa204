"""Pages that hold fewer rows than asked, without a word about it: nothing is lost, or it is said."""

import math
from collections import Counter

import pytest
from program import (DAY, FAST, OPEN_DAY, falhas, finish, key_of, list_path, list_rows, normal, rows, run, same_values, start, truth_of)
from simulator import Simulator

CUTS = [1, 5, 10, 37, 50, 100]
# Sizes around every cut and around the page of 500, and one list of 5,000.
ITENS = [0, 1, 4, 5, 6, 9, 10, 11, 36, 37, 38, 49, 50, 51, 74, 99, 100, 101, 333, 499, 500, 501, 1000, 5000]
ARQUIVOS = [0, 1, 5, 10, 11, 37, 50, 74, 81, 100]
LONGEST = ITENS.index(5000)


def forced():
    for part, sizes in (("itens", ITENS), ("arquivos", ARQUIVOS)):
        for i, size in enumerate(sizes):
            yield from (f"--force-{part}", f"{i}={size}")


@pytest.fixture(scope="module")
def details():
    with Simulator("--day", DAY, "--count", 60, "--itens-max", 333, *forced()) as sim:
        yield sim, truth_of(sim)


@pytest.fixture(scope="module")
def lists():
    with Simulator("--count", 700, "--itens-max", 3) as sim:
        yield sim, list(truth_of(sim))


def fresh(sim, **settings):
    sim.control(clear="all", reset="all", cut=0, cut_listing=0, cut_mode="given", past_end="200", past_last_page="204",
                drift="none")
    sim.control(**settings)


def ingest(sim, lake, *args, date=DAY, **more):
    return run("--date", date, *FAST, *args, lake=lake, sim=sim, **more)


# ---- detail pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("past_end", ["200", pytest.param("204", marks=pytest.mark.full)])
@pytest.mark.parametrize("mode", ["given", "asked"])
@pytest.mark.parametrize("cut", CUTS)
def test_nothing_is_lost_with_confirm_always(details, lake, cut, mode, past_end):
    sim, truth = details
    fresh(sim, cut=cut, cut_mode=mode, past_end=past_end)
    result = ingest(sim, lake, "--confirm", "always")
    if cut > 1:
        assert result.exit == 0
        same_values(rows(lake), truth)
    else: # 5,000 pages of one row are more than one reading may have: said, and not saved as something shorter
        longest = list(truth)[LONGEST]
        assert result.exit == 3 and result.day["errors_by_reason"] == {"too_large": 1}
        assert [entry["key"] for entry in falhas(lake) if entry["kind"] == "failed"] == [longest]
        same_values(rows(lake), {key: row for key, row in truth.items() if key != longest})
    assert result.day["quantidade_differs"] == 0


@pytest.mark.parametrize("mode", ["given", "asked"])
@pytest.mark.parametrize("cut", [cut for cut in CUTS if cut >= 10])
def test_nothing_is_lost_with_confirm_auto_from_ten_rows_on(details, lake, cut, mode):
    sim, truth = details
    fresh(sim, cut=cut, cut_mode=mode)
    result = ingest(sim, lake, exit=0)
    same_values(rows(lake), truth)
    assert result.day["quantidade_differs"] == 0


def test_a_cut_costs_only_the_pages_it_makes(details, lake):
    """The size of the first page is the size asked for from then on: a page for every 37 rows and one /quantidade."""
    sim, truth = details
    fresh(sim, cut=37)
    ingest(sim, lake, exit=0)
    for kind in ("itens", "arquivos"):
        wanted = {key: max(math.ceil(len(row[kind]) / 37), 1) for key, row in truth.items()}
        assert {key: asked[kind] for key, asked in sim.stats(keys=True)["keys"].items()} == wanted


def test_below_ten_auto_believes_the_page(details, lake):
    """What --confirm auto is: a list that looks shorter than ten rows is not counted. Pages cut to five are its limit."""
    sim, truth = details
    fresh(sim, cut=5)
    ingest(sim, lake, exit=0)
    short = {key: {**row, **{part: row[part][:5] for part in ("itens", "arquivos")},
                   **{part + "_total": min(row[part + "_total"], 5) for part in ("itens", "arquivos")}}
             for key, row in truth.items()}
    for row in short.values():
        row["valores_fora_do_tipo"] = 0
    same_values(rows(lake), short)


def test_pages_are_cut_further_while_we_read(details, lake):
    """The second page comes shorter than the first: all is read anew with the smaller size."""
    sim, truth = details
    fresh(sim, cut=100)
    sim.control(rule="/itens?pagina=3&tamanhoPagina=100@1=delay:1200")
    process = start("--date", DAY, *FAST, lake=lake, sim=sim)
    try:
        while not sim.stats()["faults"].get("delay"):
            assert process.poll() is None
        sim.control(cut=37)
    finally:
        result = finish(process)
    assert result.exit == 0 and result.day["quantidade_differs"] == 0
    same_values(rows(lake), truth)


# ---- listing pages --------------------------------------------------------------------------------


@pytest.mark.parametrize("past_last", ["204", "400", pytest.param("200", marks=pytest.mark.full)])
@pytest.mark.parametrize("cut, mode", [(1, "given"), (5, "given"), (10, "given"), (37, "given"), (49, "given"), (10, "asked"),
                                       (11, "asked"), (37, "asked"), (49, "asked")])
def test_cut_listing_pages(lists, lake, cut, mode, past_last):
    sim, keys = lists
    fresh(sim, cut_listing=cut, cut_mode=mode, past_last_page=past_last)
    run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert Counter(key_of(row) for row in list_rows(lake)) == Counter(keys)


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_rows_that_no_request_reaches_are_reported(lists, lake, cut):
    """Offsets by the size asked, which the API wants to be ten at least: rows 6 to 10 of each ten are in no page."""
    sim, keys = lists
    fresh(sim, cut_listing=cut, cut_mode="asked")
    result = ingest(sim, lake, exit=75)
    sizes = Counter(row["modalidadeId"] for row in truth_of(sim).values())
    assert result.day["modalidades_failed"] == sorted(code for code, size in sizes.items() if size > cut)
    assert all(f"{code} (page_mismatch)" in result.stderr[-1] for code in result.day["modalidades_failed"])
    assert not result.day["complete"] and not list_path(lake).exists()
    got = rows(lake) # what was listed is fetched and true
    assert 0 < len(got) < len(keys)
    same_values(got, truth_of(sim), whole=False)


@pytest.mark.parametrize("date, when", [(DAY, "3h"), (OPEN_DAY, "48h")], ids=["final", "open"])
@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_row_inserted_between_pages(lists, lake, page, date, when):
    """It appears before the rows already read, so that each later page begins with a row of the page before. While the day
    is open the total may grow; a final day is read again for that alone."""
    sim, _ = lists
    fresh(sim, drift=f"insert@{page}")
    before = set(truth_of(sim, date))
    result = ingest(sim, lake, "--final-after", when, date=date, exit=0)
    after = truth_of(sim, date) # as it is now
    assert len(after) > len(before)
    same_values(rows(lake, date), after)
    assert {key_of(row) for row in list_rows(lake, date)} == set(after)
    assert (result.day["listed"], result.day["complete"]) == (len(after), date == DAY)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_row_removed_between_pages(lists, lake, page):
    """Each later page has skipped a row: the modalidade is read again. The row that is gone was seen and stays; each of its
    parts is what the API said when it was asked, which may have been before the row went: as it was, or ausente. All others
    are the source's final state."""
    sim, _ = lists
    fresh(sim, drift=f"remove@{page}")
    before = truth_of(sim)
    result = ingest(sim, lake, exit=0)
    after = truth_of(sim)
    gone = before.keys() - after.keys()
    assert len(gone) > 0
    got = {key_of(row): normal(row) for row in rows(lake)}
    same_values([row for row in rows(lake) if key_of(row) in after], after)
    assert got.keys() == before.keys()
    absent = 0
    for key in gone:
        for part in ("itens", "arquivos"):
            if got[key][f"{part}_situacao"] == "ausente":
                assert got[key][part] is None
                absent += 1
            else:
                assert (got[key][f"{part}_situacao"], got[key][part]) == (before[key][f"{part}_situacao"], before[key][part])
    assert result.day["ausente"] == absent


@pytest.mark.parametrize("page", [1, 2])
def test_a_row_on_two_pages_is_taken_once(lists, lake, page):
    """totalRegistros counts it twice, for good. Pages of another size give the same rows: none is missing."""
    sim, keys = lists
    fresh(sim, drift=f"duplicate@{page}")
    result = ingest(sim, lake, exit=0)
    assert (result.day["complete"], result.day["modalidades_failed"]) == (True, [])
    same_values(rows(lake), truth_of(sim))
    assert Counter(key_of(row) for row in rows(lake)) == Counter(keys)
    assert result.day["listed"] == len(keys)
    warning = [line for line in result.stderr if "more than once" in line]
    assert len(warning) == 1 and "3 rows stand more than once in the listing, taken once" in warning[0]


@pytest.mark.parametrize("cut", [37, 49])
def test_a_row_on_two_pages_that_are_cut_is_taken_once(lists, lake, cut):
    sim, keys = lists
    fresh(sim, drift="duplicate@1", cut_listing=cut)
    result = ingest(sim, lake, exit=0)
    assert (result.day["complete"], result.day["listed"]) == (True, len(keys))
    assert Counter(key_of(row) for row in rows(lake)) == Counter(keys)
    assert sum("3 rows stand more than once in the listing" in line for line in result.stderr) == 1


@pytest.mark.parametrize("cut", [0, 49, 37, 20])
@pytest.mark.parametrize("page", [1, 2])
def test_a_row_that_displaces_another_is_no_loss(lists, lake, page, cut):
    """It stands on two pages, and a row of the next page on none: totalRegistros agrees, no reading has them all. Which one
    is lost goes by the size of the pages, so two readings together have as many as there are."""
    sim, keys = lists
    fresh(sim, drift=f"displace@{page}", cut_listing=cut)
    result = ingest(sim, lake, exit=0)
    assert (result.day["complete"], result.day["listed"]) == (True, len(keys))
    same_values(rows(lake), truth_of(sim))
    assert {key_of(row) for row in list_rows(lake)} == set(keys)
    assert not any("more than once" in line for line in result.stderr)


@pytest.mark.parametrize("page", [1, 2])
def test_a_row_that_no_reading_shows_is_reported(lists, lake, page):
    """Pages cut to ten, the smallest size that may be asked for: each reading misses the same row."""
    sim, _ = lists
    fresh(sim, drift=f"displace@{page}", cut_listing=10)
    result = ingest(sim, lake, exit=75)
    sizes = Counter(row["modalidadeId"] for row in truth_of(sim).values())
    assert result.day["modalidades_failed"] == sorted(code for code, size in sizes.items() if size > 50 * page)
    assert not result.day["complete"] and not list_path(lake).exists()
    assert not any("more than once" in line for line in result.stderr)
    same_values(rows(lake), truth_of(sim), whole=False)
