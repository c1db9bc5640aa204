"""Parquet files of other writers, read as rows of JSON: what pyarrow, DuckDB and Polars wrote comes back value by value.

The reader is tests/unit/foreign_rows.c, which prints rows as NDJSON: $PNCP_FOREIGN_ROWS, else
build/release/tests/unit/foreign-rows.
"""

import datetime
import json
import math
import os
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulator import ROOT

READER = Path(os.environ.get("PNCP_FOREIGN_ROWS", ROOT / "build" / "release" / "tests" / "unit" / "foreign-rows"))
COUNT = 1500
NOON = datetime.datetime(2025, 10, 22, 12)

FONTE = pa.struct([("codigo", pa.uint16()), ("nome", pa.string()), ("dataInclusao", pa.timestamp("us"))])
SCHEMA = pa.schema([
    ("numeroControlePNCP", pa.string()), ("sequencialCompra", pa.int64()), ("anoCompra", pa.int32()),
    ("orgaoEntidade", pa.struct([("cnpj", pa.string()), ("razaoSocial", pa.string())])), ("srp", pa.bool_()),
    ("valor", pa.decimal128(18, 4)), ("grande", pa.decimal128(38, 6)), ("taxa", pa.float64()), ("peso", pa.float32()),
    ("fontes", pa.list_(FONTE)), ("marcas", pa.list_(pa.string())), ("listas", pa.list_(pa.list_(pa.int64()))),
    ("dia", pa.date32()), ("quando", pa.timestamp("ms")), ("texto", pa.string()), ("nada", pa.null()),
])


def fonte(i, k):
    return {"codigo": k, "nome": f"fonte {k}", "dataInclusao": NOON + datetime.timedelta(microseconds=i % 3)}


def row(i) -> dict:
    """Nulls and empty lists at every level, runs and repeated values, unequal lengths."""
    return {
        "numeroControlePNCP": f"39215827000158-1-{i:06}/2025", "sequencialCompra": i, "anoCompra": 2025,
        "orgaoEntidade": None if i % 7 == 3 else {"cnpj": "39215827000158",
                                                  "razaoSocial": f"Órgão {i % 11}" if i % 5 else None},
        "srp": i % 3 == 0 if i % 4 else None, "valor": Decimal(i * 1001) / 100, "grande": Decimal(-i**9) / 10**6,
        "taxa": i / 7 if i % 6 else math.nan, "peso": float(i) if i % 9 else None,
        "fontes": None if i % 9 == 0 else [fonte(i, k) if k % 3 != 2 else None for k in range(i % 5)],
        "marcas": None if i % 8 == 0 else [f"m{k}" if k % 2 else None for k in range(i % 4)],
        "listas": [[1, 2], [], None, [i]] if i % 2 else None,
        "dia": NOON.date() + datetime.timedelta(days=i - COUNT // 2),
        "quando": NOON + datetime.timedelta(days=i % 300, milliseconds=i % 4),
        "texto": "x" * (i % 300) + f'ç€😀"\\\n\t{i}', "nada": None,
    }


def shown(value):
    """A value of pyarrow as the reader must print it: null members are left out, null elements are not."""
    if isinstance(value, dict):
        members = {name: shown(inner) for name, inner in value.items()}
        return {name: inner for name, inner in members.items() if inner is not None}
    if isinstance(value, list):
        return [shown(inner) for inner in value]
    if isinstance(value, datetime.datetime):
        text = value.isoformat()
        return text.rstrip("0") if "." in text else text
    if isinstance(value, datetime.date):
        return value.isoformat()
    return None if isinstance(value, float) and math.isnan(value) else value


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return pa.Table.from_pylist([row(i) for i in range(COUNT)], schema=SCHEMA)


def run_reader(*paths):
    return subprocess.run([READER, *paths], capture_output=True, timeout=120, check=False)


def read(path) -> list:
    result = run_reader(path)
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line, parse_float=Decimal) for line in result.stdout.decode().splitlines()]


def error(path) -> str:
    """What the reader says of a file that it refuses: "code: message"."""
    result = run_reader(path)
    assert result.returncode == 1
    return result.stderr.decode().strip().removeprefix(f"{path}: ")


def check(path, table):
    wanted = [shown(entry) for entry in table.to_pylist()]
    got = read(path)
    assert len(got) == len(wanted)
    for number, (mine, theirs) in enumerate(zip(got, wanted), 1):
        for name, value in theirs.items():
            equal = float(mine[name]) == value if isinstance(value, float) else mine[name] == value
            assert equal and type(mine[name]) in (type(value), int, Decimal), (number, name, mine[name], value)
        assert list(mine) == list(theirs) # in the file's order


ENCODINGS = {"texto": "DELTA_BYTE_ARRAY", "sequencialCompra": "DELTA_BINARY_PACKED", "peso": "BYTE_STREAM_SPLIT",
             "numeroControlePNCP": "DELTA_LENGTH_BYTE_ARRAY", "valor": "DELTA_BYTE_ARRAY", "anoCompra": "BYTE_STREAM_SPLIT"}
ARROW = {
    "as it comes": {}, "no dictionary": {"use_dictionary": False}, "small pages": {"data_page_size": 2000},
    "row groups": {"row_group_size": 701}, "delta": {"use_dictionary": False, "column_encoding": ENCODINGS},
    "decimals as integers": {"store_decimal_as_integer": True}, "version 1": {"version": "1.0"},
    "spark": {"flavor": "spark"}, "int96": {"use_deprecated_int96_timestamps": True},
    "old lists": {"use_compliant_nested_type": False},
    "page index": {"write_page_index": True, "write_page_checksum": True},
}


@pytest.mark.parametrize("pages", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4"])
def test_codecs_of_pyarrow(tmp_path, table, codec, pages):
    pq.write_table(table, tmp_path / "a.parquet", compression=codec, data_page_version=pages)
    check(tmp_path / "a.parquet", table)


@pytest.mark.parametrize("pages", ["1.0", "2.0"])
@pytest.mark.parametrize("options", ARROW.values(), ids=ARROW.keys())
def test_options_of_pyarrow(tmp_path, table, options, pages):
    pq.write_table(table, tmp_path / "a.parquet", data_page_version=pages, **options)
    check(tmp_path / "a.parquet", table)


@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "gzip", "zstd", "lz4_raw"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_duckdb(tmp_path, table, codec, version):
    path = tmp_path / "d.parquet"
    plain = table.drop_columns(["nada"]) # DuckDB turns a column of type null into int32
    with duckdb.connect() as connection:
        connection.register("t", plain)
        options = f"FORMAT parquet, CODEC {codec}, PARQUET_VERSION {version}, ROW_GROUP_SIZE 1024"
        connection.execute(f"COPY t TO '{path}' ({options})")
    check(path, plain)


@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "gzip", "zstd", "lz4"])
def test_polars(tmp_path, table, codec):
    path = tmp_path / "p.parquet"
    pl.from_arrow(table).write_parquet(path, compression=codec, row_group_size=600)
    check(path, table)


def test_flat_columns_of_json_normalize(tmp_path):
    """pandas.json_normalize: names with a dot; the bare name where an object is null; integers beside nulls are doubles."""
    records = [{"anoCompra": 2025, "orgaoEntidade": {"cnpj": "1", "uf": {"sigla": "ES"}}, "orgaoSubRogado": None},
               {"anoCompra": None, "orgaoEntidade": {"cnpj": "2", "uf": {"sigla": None}}, "orgaoSubRogado": {"cnpj": "3"}}]
    flat = pa.table({"anoCompra": [2025.0, math.nan], "orgaoEntidade.cnpj": ["1", "2"],
                     "orgaoSubRogado": pa.array([None, None], pa.float64()), "orgaoEntidade.uf.sigla": ["ES", None],
                     "orgaoSubRogado.cnpj": [None, "3"]})
    pq.write_table(flat, tmp_path / "n.parquet")
    wanted = [shown(record) for record in records]
    del wanted[1]["orgaoEntidade"]["uf"] # an object whose members are all null
    assert read(tmp_path / "n.parquet") == wanted


OTHERS = {
    "an instant becomes the clock of Brasilia": ("timestamptz '2025-10-22 11:41:33+00'", "2025-10-22T08:41:33"),
    "nanoseconds": ("timestamp_ns '2025-10-22 08:41:33.000000001'", "2025-10-22T08:41:33.000000001"),
    "uint64": ("18446744073709551615::ubigint", 18446744073709551615), "int8": ("-3::tinyint", -3),
    "decimal of 2 bytes": ("1.5::decimal(4,1)", Decimal("1.5")), "enum": ("'b'::enum('a','b')", "b"),
    "decimal of 38 digits": ("-12345678901234567890.123::decimal(38,3)", Decimal("-12345678901234567890.123")),
    "map": ("map {'a': 1}", [{"key": "a", "value": 1}]), "blob": ("'abc'::blob", "abc"),
    "json stays text": ("""'{"a":1}'::json""", '{"a":1}'), "large double": ("1e300::double", Decimal("1e300")),
}


@pytest.mark.parametrize("expression, wanted", OTHERS.values(), ids=OTHERS.keys())
def test_other_types_of_duckdb(tmp_path, expression, wanted):
    path = tmp_path / "d.parquet"
    duckdb.execute(f"COPY (SELECT {expression} AS a) TO '{path}' (FORMAT parquet)")
    assert read(path) == [{"a": wanted}]


REFUSED = {
    "time '08:00:00' AS hora": "parse: column hora: TIME stored as INT64 cannot be read",
    "uuid() AS u": "parse: column u: UUID stored as FIXED_LEN_BYTE_ARRAY cannot be read",
    "{'i': interval 1 day} AS s": "parse: column s.i: INTERVAL stored as FIXED_LEN_BYTE_ARRAY cannot be read",
    r"'\xFF'::blob AS b": "parse: row 1: column b: text that is not UTF-8",
    "'inf'::double AS d": "parse: row 1: column d: an infinite number",
    "timestamp 'infinity' AS t": "parse: row 1: column t: a day outside the years 1 to 9999",
    '1 AS "a.b", 2 AS a': "parse: row 1: column a: it has a value, and so has one that is in it",
}


@pytest.mark.parametrize("select, message", REFUSED.items())
def test_what_has_no_json_is_named(tmp_path, select, message):
    path = tmp_path / "r.parquet"
    duckdb.execute(f"COPY (SELECT {select}) TO '{path}' (FORMAT parquet)")
    assert error(path) == message


def test_a_codec_that_is_not_there_is_named(tmp_path):
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "b.parquet", compression="brotli")
    assert error(tmp_path / "b.parquet") == ("unsupported: row 1: column a: compressed by BROTLI, which this program was "
                                             "built without")


def test_tables_without_rows(tmp_path, table):
    empty = table.slice(0, 0)
    pq.write_table(empty, tmp_path / "a.parquet")
    pq.write_table(empty, tmp_path / "b.parquet", use_dictionary=False)
    pl.from_arrow(empty).write_parquet(tmp_path / "p.parquet")
    duckdb.execute(f"COPY (SELECT 1 AS a WHERE false) TO '{tmp_path / 'd.parquet'}' (FORMAT parquet)")
    assert [read(tmp_path / f"{name}.parquet") for name in "abpd"] == [[], [], [], []]


def test_a_row_group_without_rows(tmp_path):
    with pq.ParquetWriter(tmp_path / "a.parquet", pa.schema([("a", pa.string())])) as writer:
        for rows in (["x"], [], ["y", None]):
            writer.write_table(pa.table({"a": pa.array(rows, pa.string())}))
    assert read(tmp_path / "a.parquet") == [{"a": "x"}, {"a": "y"}, {}]


def test_memory_is_pages_not_the_file(tmp_path):
    """A text column of 60 MB in one row group: carquet would keep all of its pages."""
    path, script = tmp_path / "t.parquet", tmp_path / "peak.py"
    texts = pa.array([f"{i:08}" + "x" * 2000 for i in range(30000)])
    pq.write_table(pa.table({"a": texts}), path, use_dictionary=False, compression="zstd", row_group_size=30000)
    script.write_text("import resource, subprocess, sys\n"
                      "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
                      "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n", encoding="utf-8")
    result = subprocess.run([sys.executable, script, READER, path], capture_output=True, text=True, check=True, timeout=120)
    if b"__asan_init" not in READER.read_bytes(): # that keeps what is freed
        assert int(result.stdout) < 30 * 1024


def test_damaged_files_end_in_an_error(tmp_path, table):
    """Bytes changed anywhere, files cut anywhere: rows or an error, never a crash (the sanitizer build looks closer)."""
    dice = random.Random(5)
    seeds, files = [], []
    small = table.slice(0, 60)
    for options in ({"compression": "none"}, {"compression": "snappy", "data_page_version": "2.0"},
                    {"use_dictionary": False, "column_encoding": ENCODINGS, "compression": "none"}):
        pq.write_table(small, tmp_path / "seed.parquet", **options)
        seeds.append((tmp_path / "seed.parquet").read_bytes())
    pl.from_arrow(small).write_parquet(tmp_path / "seed.parquet", compression="uncompressed")
    seeds.append((tmp_path / "seed.parquet").read_bytes())
    for number in range(400):
        data = bytearray(dice.choice(seeds))
        footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        first, last = dice.choice([(0, footer), (footer, len(data))])
        for _ in range(dice.choice([1, 1, 2, 8])):
            data[dice.randrange(first, last)] = dice.randrange(256)
        if dice.random() < 0.1:
            data = data[:dice.randrange(len(data))]
        files.append(tmp_path / f"{number}.parquet")
        files[-1].write_bytes(data)
    result = run_reader(*files)
    refused = [line.split(": ", 2) for line in result.stderr.decode(errors="replace").splitlines()]
    assert result.returncode == 1, result.stderr[-2000:]
    assert all(line[1] in ("parse", "unsupported", "limit", "out of memory") and line[2] for line in refused), refused
    assert 200 < len(refused) <= 400
