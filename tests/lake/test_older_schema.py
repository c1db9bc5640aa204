"""A program that is one schema version ahead (tests/next) over a file of version 1: it appends to it as it is, and a rewrite
brings it up. No value is lost, doubled or changed; what was in `extra` for want of a column is in the column, and only there."""

import shutil
import sys
from pathlib import Path

import columns
import duckdb
import program
import pyarrow.parquet as pq
import pytest
from columns import BOOL, CIVIL, DECIMAL, INT64, OWN_OF_RUN, TEXT, expect_records, expect_struct, loads
from lake_day import Day, ask, assert_consistent, ingest
from program import DAY, key_of, normal, run, same_values, truth_of

sys.path.insert(0, str(Path(__file__).resolve().parent / "older"))

from make_details import DAY_OF  # noqa: E402

FIXTURE = Path(__file__).resolve().parent / "older" / "schema-1.parquet"
# What tests/next/make_model.py adds, level by level.
ADDED = {
    "CONTRATACAO": {"valorAdjudicado": DECIMAL, "intencaoRegistroPreco": {"numero": TEXT}},
    "ORGAO": {"naturezaJuridica": {"codigo": TEXT, "vigente": BOOL}},
    "ITEM": {"observacaoItem": TEXT},
    "ARQUIVO": {"tamanhoBytes": INT64, "assinaturas": [{"nome": TEXT, "quando": CIVIL}]},
}
ORGAOS = ("orgaoEntidade", "orgaoSubRogado")


@pytest.fixture
def next_version(monkeypatch):
    """next_version(): from here on the program is the one to come, and the truth is told in its columns."""
    path = program.binary().parent / "tests" / "next" / "pncp-details-next"
    assert path.exists(), f"{path} is missing: build it"

    def change():
        monkeypatch.setenv("PNCP_DETAILS", str(path))
        for name, added in ADDED.items():
            for column, kind in added.items():
                monkeypatch.setitem(getattr(columns, name), column, kind)

    return change


@pytest.fixture
def day(lake):
    """Twenty of 48 contratações, as a program of schema version 1 has saved them."""
    day = Day(lake)
    day.folder.mkdir(parents=True)
    shutil.copyfile(FIXTURE, day.file)
    return day


def schema_of(day) -> str:
    return day.metadata()["pncp.schema"]


def read(day) -> list:
    """The rows, by pyarrow; DuckDB sees the same."""
    rows = pq.ParquetFile(day.file).read().to_pylist()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        answer = connection.sql("SELECT * FROM read_parquet(?, hive_partitioning = false)", params=[str(day.file)])
        assert answer.to_arrow_table().to_pylist() == rows
    return rows


def taken(extra, added):
    """(the added columns, what stays in extra, how many values do not fit)."""
    found = {name: extra[name] for name in added if name in extra}
    held, rest, misfits = expect_struct(added, found)
    return held, {**{name: value for name, value in extra.items() if name not in added}, **rest}, misfits


def brought_up(record, added, orgaos=()):
    """(the record with the added columns, how many values do not fit them)."""
    held, extra, misfits = taken(record["extra"] or {}, added)
    record = {**record, **held}
    for name in orgaos:
        if record[name] is not None:
            inner, rest, more = taken(extra.pop(name, {}), ADDED["ORGAO"])
            record[name] = {**record[name], **inner}
            misfits += more
            if rest:
                extra[name] = rest
    return {**record, "extra": extra or None}, misfits


def brought_up_row(row) -> dict:
    """A row of version 1, in the form of normal(), as it must be after a rewrite."""
    row, misfits = brought_up(row, ADDED["CONTRATACAO"], ORGAOS)
    for part, added in (("itens", ADDED["ITEM"]), ("arquivos", ADDED["ARQUIVO"])):
        records = [brought_up(record, added) for record in row[part] or []]
        row[part] = row[part] and [record for record, _ in records]
        misfits += sum(more for _, more in records)
    return {**row, "valores_fora_do_tipo": row["valores_fora_do_tipo"] + misfits}


def own(rows) -> dict:
    """Key -> what only the run knows of a row."""
    return {key_of(row): {name: row[name] for name in OWN_OF_RUN} for row in rows}


def by_key(rows) -> dict:
    return {key_of(row): normal(row) for row in rows}


def test_the_fixture_has_what_is_to_become_columns(day):
    assert schema_of(day) == "1" and day.row_groups() == 2
    rows = [normal(row) for row in read(day)]
    extras = [row["extra"] or {} for row in rows]
    assert sum("valorAdjudicado" in extra for extra in extras) >= 5
    assert any(extra.get("valorAdjudicado") == "sob sigilo" for extra in extras)
    assert any("intencaoRegistroPreco" in extra for extra in extras)
    assert any("naturezaJuridica" in extra.get("orgaoEntidade", {}) for extra in extras)
    assert sum("observacaoItem" in (item["extra"] or {}) for row in rows for item in row["itens"] or []) >= 5


def test_append_then_compaction(day, simulator, next_version):
    """Appends keep version 1, in every reader; when the day is complete it is compacted, and is of version 2 then."""
    sim = simulator(*DAY_OF)
    before, truth = read(day), truth_of(sim)
    next_version()
    ingest(sim, day.lake, "--batch-size", 8, "--checkpoint-every", 4)
    assert schema_of(day) == "1"
    appended = read(day)
    assert len(appended) > len(before) and appended[:len(before)] == before
    same_values(appended[len(before):], truth, whole=False) # as a program of version 1 would have saved them
    assert any("valorAdjudicado" in (normal(row)["extra"] or {}) for row in appended[len(before):])
    assert_consistent(day)
    assert ask("status", day.lake).summary["done"] == len(appended)
    ingest(sim, day.lake)
    assert schema_of(day) == "2"
    rows = read(day)
    got, wanted = by_key(rows), truth_of(sim)
    for row in appended:
        assert got[key_of(row)] == brought_up_row(normal(row))
    assert own(appended).items() <= own(rows).items()
    same_values([row for row in rows if key_of(row) in wanted], wanted)
    assert any(row["valorAdjudicado"] for row in rows) and any(item["observacaoItem"] for row in rows for item in row["itens"] or [])
    assert_consistent(day)


def test_compact_upgrades_and_changes_nothing_else(day, next_version):
    before = read(day)
    next_version()
    run("compact", "--date", DAY, lake=day.lake, exit=0)
    rows = read(day)
    assert schema_of(day) == "2"
    assert by_key(rows) == {key: brought_up_row(row) for key, row in by_key(before).items()}
    assert own(rows) == own(before)
    content = day.file.read_bytes()
    run("compact", "--date", DAY, lake=day.lake, exit=0)
    assert day.file.read_bytes() == content # once


def test_renewal_upgrades(day, simulator, next_version):
    """--no-auto-resume ends in one rewrite: the rows fetched again have the new columns from the API."""
    sim = simulator(*DAY_OF)
    next_version()
    ingest(sim, day.lake, "--no-auto-resume")
    assert schema_of(day) == "2"
    wanted = truth_of(sim)
    same_values([row for row in read(day) if key_of(row) in wanted], wanted)
    assert_consistent(day)


def test_the_older_program_refuses_the_newer_file(day, simulator, next_version, monkeypatch):
    sim, older = simulator(*DAY_OF), str(program.binary())
    next_version()
    run("compact", "--date", DAY, lake=day.lake, exit=0)
    content = day.file.read_bytes()
    monkeypatch.setenv("PNCP_DETAILS", older)
    for command in (["ingest"], ["ingest", "--no-auto-resume"], ["compact"], ["adopt"]):
        result = run(*command, "--date", DAY, lake=day.lake, sim=sim, exit=1)
        assert any("has schema version 2, this version knows 1: use a newer pncp-details" in line for line in result.stderr)
        assert day.file.read_bytes() == content


def test_runs_of_both_versions_in_turn(day, simulator, next_version, monkeypatch):
    """Until the rewrite both append, and see each other's rows and the older one's list."""
    sim, older = simulator(*DAY_OF), str(program.binary())
    truth = truth_of(sim)
    next_version()
    ahead = str(program.binary())
    for binary in (older, ahead, older, ahead):
        monkeypatch.setenv("PNCP_DETAILS", binary)
        ingest(sim, day.lake, "--batch-size", 5)
        assert schema_of(day) == "1"
    same_values(read(day), truth, whole=False)
    ingest(sim, day.lake)
    assert schema_of(day) == "2"
    wanted = truth_of(sim)
    same_values([row for row in read(day) if key_of(row) in wanted], wanted)
