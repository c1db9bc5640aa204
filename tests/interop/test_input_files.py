"""--input: a day's contratações from a file of any usual writer give the same rows as the program's own listing."""

import datetime
import json
from decimal import Decimal

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from program import DAY, FAST, key_of, list_path, rows, run, same_values, truth_of
from simulator import Simulator, loads_raw
from tables import flat, table_of, typed, with_doubles

COUNT = 60
OTHER_DAY = "2025-10-21T12:00:00"


@pytest.fixture(scope="module")
def sim():
    with Simulator("--day", DAY, "--count", COUNT) as started:
        yield started


@pytest.fixture(scope="module")
def listing(sim) -> list:
    """The day's contratações as the API sends them; amounts as Decimal."""
    return [entry["contratacao"] for entry in sim.truth(DAY)]


@pytest.fixture(scope="module")
def texts(sim) -> list:
    """The same, each as JSON text with its numbers as they were sent."""
    def text(value):
        if isinstance(value, dict):
            return "{" + ",".join(f"{json.dumps(name)}:{text(inner)}" for name, inner in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(text, value)) + "]"
        return str(value) if type(value).__name__ == "RawNumber" else json.dumps(value, ensure_ascii=False)

    return [text(entry["contratacao"]) for entry in sim.truth(DAY, parse=loads_raw)]


@pytest.fixture(scope="module")
def truth(sim) -> dict:
    return truth_of(sim)


# ---- writers ----------------------------------------------------------------------------------------


def write_json(path, listing, texts):
    path.write_text("[" + ",\n".join(texts) + "]", encoding="utf-8")


def write_ndjson(path, listing, texts):
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*texts, "", ""]).encode())


def write_envelope(path, listing, texts):
    path.write_text(f'{{"totalRegistros":{len(texts)},"links":{{"data":[]}},"data":[{",".join(texts)}]}}', encoding="utf-8")


def write_pages(path, listing, texts):
    pages = [f'{{"data":[{",".join(texts[at:at + 7])}],"numeroPagina":{at}}}\n' for at in range(0, len(texts), 7)]
    path.write_text("".join(pages), encoding="utf-8")


def write_arrow(path, listing, texts):
    pq.write_table(table_of(listing), path)


def write_arrow_typed(path, listing, texts):
    pq.write_table(table_of([typed(row) for row in listing]), path, compression="zstd", data_page_version="2.0")


def write_flat(path, listing, texts):
    table = with_doubles(table_of([flat(typed(row)) for row in listing]))
    times = [i for i, field in enumerate(table.schema) if pa.types.is_timestamp(field.type)]
    for i in times: # datetime64[ns]
        table = table.set_column(i, table.column_names[i], table.column(i).cast(pa.timestamp("ns")))
    pq.write_table(table, path)


def write_spark(path, listing, texts):
    pq.write_table(table_of([typed(row) for row in listing]), path, flavor="spark", use_compliant_nested_type=False)


def write_duckdb(path, listing, texts):
    lines = path.with_suffix(".ndjson")
    lines.write_text("\n".join(texts), encoding="utf-8")
    duckdb.execute(f"COPY (SELECT * FROM read_json('{lines}')) TO '{path}' (FORMAT parquet, CODEC zstd)")


def write_polars(path, listing, texts):
    pl.from_arrow(table_of([typed(row) for row in listing])).write_parquet(path)


WRITERS = [write_json, write_ndjson, write_envelope, write_pages, write_arrow, write_arrow_typed, write_flat, write_spark,
           write_duckdb, write_polars]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__.removeprefix("write_"))
def test_every_writer(tmp_path, lake, sim, listing, texts, truth, write):
    path = tmp_path / "entrada"
    write(path, listing, texts)
    result = run("--input", path, "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert (result.day["listed"], result.day["saved"]) == (COUNT, COUNT)
    assert result.day["list_calls"] == 0
    same_values(rows(lake), truth)


def test_the_list_of_another_lake(tmp_path, sim, truth):
    """contratacoes.parquet as a run saved it: nothing of the program's own columns ends in extra."""
    run("--date", DAY, *FAST, lake=tmp_path / "a", sim=sim, exit=0)
    result = run("--input", list_path(tmp_path / "a"), "--date", DAY, *FAST, lake=tmp_path / "b", sim=sim, exit=0)
    assert result.day["saved"] == COUNT
    same_values(rows(tmp_path / "b"), truth)


# ---- rows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "date32", "json"])
def test_a_publication_date_without_time(tmp_path, lake, sim, listing, truth, kind):
    """It is that day. The column means a time: what was given goes to extra, as every value that does not fit."""
    days = ["2025-10-22"] * (COUNT - 2) + ["2025-10-21", "2025-10-23"]
    records = [{"numeroControlePNCP": row["numeroControlePNCP"], "objetoCompra": row["objetoCompra"],
                "dataPublicacaoPncp": datetime.date.fromisoformat(day) if kind == "date32" else day}
               for row, day in zip(listing, days)]
    path = tmp_path / "entrada"
    if kind == "json":
        path.write_text(json.dumps(records), encoding="utf-8")
    else:
        pq.write_table(table_of(records), path)
    result = run("--input", path, "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert result.day["listed"] == COUNT - 2
    assert sum("2 rows of another publication day left out" in line for line in result.stderr) == 1
    saved = rows(lake)
    assert {key_of(row) for row in saved} == set(list(truth)[:COUNT - 2])
    for row in saved:
        assert (row["data_publicacao"], row["dataPublicacaoPncp"]) == (datetime.date(2025, 10, 22), None)
        assert json.loads(row["extra"]) == {"dataPublicacaoPncp": "2025-10-22"}


def test_a_key_counts_once(tmp_path, lake, sim, listing, truth):
    pq.write_table(table_of(listing + listing[::-1]), tmp_path / "e.parquet")
    result = run("--input", tmp_path / "e.parquet", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert (result.day["listed"], result.day["saved"]) == (COUNT, COUNT)
    same_values(rows(lake), truth)


@pytest.mark.parametrize("kind", ["parquet", "json"])
def test_rows_of_another_day_are_left_out_with_a_warning(tmp_path, lake, sim, listing, texts, truth, kind):
    path = tmp_path / f"e.{kind}"
    if kind == "parquet":
        pq.write_table(table_of([*listing, *({**row, "dataPublicacaoPncp": OTHER_DAY} for row in listing[:3])]), path)
    else:
        others = [json.dumps({"numeroControlePNCP": row["numeroControlePNCP"], "dataPublicacaoPncp": OTHER_DAY})
                  for row in listing[:3]]
        path.write_text("\n".join(others + texts), encoding="utf-8")
    result = run("--input", path, "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert result.day["listed"] == COUNT
    same_values(rows(lake), truth)
    warnings = [line for line in result.stderr if "left out" in line]
    assert len(warnings) == 1 and "3 rows" in warnings[0] and str(path) in warnings[0], result.stderr


def test_unknown_columns_go_along(tmp_path, lake, sim, listing):
    table = table_of(listing).append_column("nota", pa.array([f"n{i}" for i in range(COUNT)])) \
                             .append_column("peso", pa.array([Decimal(i) / 4 for i in range(COUNT)]))
    pq.write_table(table, tmp_path / "e.parquet")
    run("--input", tmp_path / "e.parquet", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    extras = [json.loads(row["extra"], parse_float=Decimal) for row in rows(lake)]
    assert sorted((extra["nota"], extra["peso"]) for extra in extras) == sorted(
        (f"n{i}", Decimal(i) / 4) for i in range(COUNT))


# ---- refused ----------------------------------------------------------------------------------------


def broken(tmp_path, listing, texts) -> dict:
    """Files that cannot be taken, and what must be said of them."""
    pq.write_table(table_of(listing), tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    pq.write_table(table_of(listing), tmp_path / "brotli.parquet", compression="brotli")
    (tmp_path / "cut.parquet").write_bytes(whole[:-100])
    (tmp_path / "headless.parquet").write_bytes(whole[:5000])
    (tmp_path / "cut.json").write_text("[" + ",".join(texts[:3]) + ",", encoding="utf-8")
    (tmp_path / "page.html").write_text("<html></html>", encoding="utf-8")
    return {"brotli.parquet": "BROTLI", "cut.parquet": "parquet",
            "headless.parquet": "parquet", "cut.json": "ends inside an array",
            "page.html": "expected an object or an array"}


def test_what_cannot_be_taken_is_named(tmp_path, lake, sim, listing, texts):
    for name, message in broken(tmp_path, listing, texts).items():
        result = run("--input", tmp_path / name, "--date", DAY, *FAST, lake=lake, sim=sim, exit=1)
        said = " ".join(result.stderr)
        assert str(tmp_path / name) in said and message in said, (name, result.stderr)
        assert rows(lake) == []
