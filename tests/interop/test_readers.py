"""Other implementations read the day's file: after every checkpoint and after compaction each sees what the source holds."""

import datetime
import importlib.util
import json
import os
import shutil
import threading
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from columns import REQUIRED, arrow_schema
from program import (DAY, FAST, details_path, finish, key_of, rows, run, same_values, start, truth_of)
from simulator import ROOT, Simulator

COUNT, BATCH = 1000, 50
FIRST_QUERY = ROOT / "docs" / "first-query.sql"


class Day:
    """A day of 1,000 contratações saved by runs of 50, and a copy of its file after every one of them.

    The last contratação cannot be fetched at first, so that the file with all checkpoints is seen before it is compacted.
    """

    def __init__(self, folder):
        self.lake, self.files, self.exits = folder / "lake", [], []
        with Simulator("--day", DAY, "--count", COUNT, "--odd-values", "0.02", "--force-itens", "10=1200") as sim:
            self.truth = truth_of(sim)
            last = list(self.truth.values())[-1]
            sim.control(rule=f"/{last['cnpj']}/compras/{last['ano']}/{last['sequencial']}/itens=400")
            for n in range(COUNT // BATCH + 1):
                command = ["ingest"]
                if n == COUNT // BATCH:
                    sim.control(clear="rules")
                    command = ["retry", "--all"] # it is not due yet
                result = run(*command, "--date", DAY, "--batch-size", BATCH, *FAST, lake=self.lake, sim=sim)
                self.exits.append(result.exit)
                copy = folder / f"{n + 1:02}.parquet"
                shutil.copyfile(details_path(self.lake), copy)
                self.files.append(copy)
        self.compacted = self.files[-1]


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return Day(tmp_path_factory.mktemp("day"))


def read_arrow(path) -> pa.Table:
    return pq.ParquetFile(path).read()


def read_duckdb(path) -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql("SELECT * FROM read_parquet(?, hive_partitioning = false)", params=[str(path)]).to_arrow_table()


def read_polars(path) -> pa.Table:
    return pl.read_parquet(path, use_pyarrow=False).to_arrow()


def as_ours(table) -> pa.Table:
    """Another reader's table in our types: large texts become texts, nothing is lost (casts are checked)."""
    nullable = pa.schema([field.with_nullable(True) for field in arrow_schema()])
    return table.cast(nullable)


def same_table(got, wanted, what) -> None:
    wanted = as_ours(wanted.replace_schema_metadata(None))
    got = as_ours(got.replace_schema_metadata(None))
    assert got.num_rows == wanted.num_rows, what
    wrong = [name for name in wanted.column_names if not got.column(name).combine_chunks().equals(wanted.column(name).combine_chunks())]
    assert not wrong, f"{what}: {wrong}"


def test_pyarrow_reads_the_truth_after_every_checkpoint(day):
    order = list(day.truth)
    assert day.exits == [0] * 19 + [3, 0] # the last contratação failed in the twentieth run
    for n, path in enumerate(day.files):
        got = rows(path)
        wanted = order[:BATCH * (n + 1)] if n < 19 else order[:-1] if n == 19 else order
        assert {key_of(row) for row in got} == set(wanted), path.name
        same_values(got, day.truth, whole=False)


def test_the_truth_has_what_makes_the_comparison_worth_it(day):
    """Misfits, nulls, secret budgets, empty parts, long lists, blanks and signs in texts: all there, so all were compared."""
    itens = [item for row in day.truth.values() for item in row["itens"]]
    assert any(item["quantidade"] is None and item["extra"] for item in itens)
    assert any(row["itens"] == [] for row in day.truth.values()) and any(row["arquivos"] == [] for row in day.truth.values())
    assert any(item["catalogo"] for item in itens) and any(item["tipoMargemPreferencia"] for item in itens)
    assert any(row["fontesOrcamentarias"] for row in day.truth.values()) and any(row["orgaoSubRogado"] for row in day.truth.values())
    assert any(item["orcamentoSigiloso"] for item in itens) and any("\u00a0" in item["descricao"] for item in itens)
    assert any(item["valorUnitarioEstimado"] % Decimal("0.01") for item in itens)
    assert max(len(row["itens"]) for row in day.truth.values()) > 500


@pytest.mark.parametrize("read", [read_duckdb, read_polars], ids=["duckdb", "polars"])
def test_another_reader_agrees_after_every_checkpoint(day, read):
    for path in day.files:
        same_table(read(path), read_arrow(path), path.name)


def test_duckdb_reads_the_lake_by_its_folders(day):
    """year=, month=, day= are columns for readers that know Hive partitions; days are chosen by folder."""
    glob = day.lake / "pncp_details" / "**" / "*.parquet"
    with duckdb.connect() as connection:
        count = connection.execute("SELECT count(*) FROM read_parquet(?, hive_partitioning = true) "
                                   "WHERE year = 2025 AND month = 10 AND day = 22", [str(glob)]).fetchone()
    assert count == (COUNT,)


def test_first_query_of_the_readme(day, monkeypatch):
    monkeypatch.chdir(day.lake.parent)
    with duckdb.connect() as connection:
        got = connection.execute(FIRST_QUERY.read_text(encoding="utf-8")).fetchall()
    itens = [(row["numeroControlePNCP"], item["numeroItem"], item["quantidade"], item["valorTotal"], item["descricao"])
             for row in day.truth.values() for item in row["itens"]]
    itens.sort(key=lambda item: (-item[3], item[0], item[1]))
    assert len(got) >= 5
    assert [(controle, numero, quantidade, valor) for controle, numero, _, quantidade, valor in got] == [item[:4] for item in itens[:len(got)]]
    assert all(item[4].startswith(row[2]) and row[2] for row, item in zip(got, itens)) # shortened for the screen


def test_schema_is_the_contract(day):
    for path in (day.files[0], day.files[19], day.compacted):
        schema = pq.read_schema(path)
        assert schema.remove_metadata().equals(arrow_schema()), path.name
        metadata = {key.decode(): value.decode() for key, value in schema.metadata.items() if key.startswith(b"pncp.")}
        assert metadata["pncp.format"] == "details 1" and metadata["pncp.day"] == DAY
        assert list(metadata)[-1] == "pncp.commit"


def leaves(path):
    """Path, physical type and logical type of every leaf, as the footer has them."""
    schema = pq.ParquetFile(path).schema
    for i in range(len(schema)):
        column = schema.column(i)
        yield column.path, column.physical_type, json.loads(column.logical_type.to_json())


def test_parquet_types_are_what_all_engines_know(day):
    """What pyarrow's own types hide: three-level lists, decimals in 64 bits, times of the API without a zone."""
    for path, physical, logical in leaves(day.compacted):
        if logical["Type"] == "Decimal":
            assert (physical, logical["precision"], logical["scale"]) == ("INT64", 18, 4), path
        if logical["Type"] == "Timestamp":
            assert logical["timeUnit"] == "microseconds" and logical["isAdjustedToUTC"] == (path == "obtido_em"), path
        if logical["Type"] == "String":
            assert physical == "BYTE_ARRAY", path
    paths = [path for path, _, _ in leaves(day.compacted)]
    for part in ("itens", "arquivos", "fontesOrcamentarias"):
        assert all(path.startswith(f"{part}.list.element.") for path in paths if path.split(".")[0] == part)


def test_row_groups(day):
    """Every checkpoint but those folded together is a group of its own; compaction leaves one, sorted by key."""
    groups = [pq.ParquetFile(path).num_row_groups for path in day.files]
    assert groups[:3] == [1, 2, 3] and max(groups) <= 30
    assert groups[-1] == 1
    keys = [(row["cnpj"], row["ano"], row["sequencial"]) for row in rows(day.compacted)]
    assert keys == sorted(keys)
    statistics = pq.ParquetFile(day.compacted).metadata.row_group(0).column(0).statistics
    assert (statistics.min, statistics.max) == (keys[0][0], keys[-1][0])


def test_rows_say_where_they_come_from(day):
    got = rows(day.compacted)
    assert len({row["run_id"] for row in got}) == 21
    assert {row["checkpoint"] for row in got} == {1}
    now = datetime.datetime.now(datetime.timezone.utc)
    assert all(now - datetime.timedelta(minutes=10) < row["obtido_em"] <= now for row in got)
    assert {name for name, value in got[0].items() if value is not None} >= REQUIRED


# ---- while it is written ----------------------------------------------------------------------------


CHECKPOINTS, EACH = 200, 2


class Looping:
    """A reader that reads the day's file again and again. Every version that it meets is kept by how many checkpoints are
    in it (rows say theirs); whoever meets the same one must have read the same."""

    def __init__(self, read, path, seen):
        self.read, self.path, self.seen = read, path, seen
        self.met, self.wrong, self.stop = [], [], threading.Event()
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()

    def loop(self):
        while not self.stop.is_set():
            if self.path.exists():
                try:
                    self.look()
                except Exception as error: # a file that is not whole: whatever a library makes of it
                    self.wrong.append(repr(error))

    def look(self):
        with self.path.open("rb") as file: # DuckDB and Polars open a path more than once: they get this one version
            table = by_key(self.read(f"/proc/self/fd/{file.fileno()}"))
        checkpoints = pc.max(table["checkpoint"]).as_py()
        same_table(table, self.seen.setdefault(checkpoints, table), f"{checkpoints} checkpoints")
        self.met.append(checkpoints)

    def end(self):
        """Once more, so that the last version has been read too."""
        self.stop.set()
        self.thread.join()
        self.look()


def by_key(table) -> pa.Table:
    return as_ours(table).sort_by([("cnpj", "ascending"), ("ano", "ascending"), ("sequencial", "ascending")])


READERS = {"pyarrow": read_arrow, "duckdb": read_duckdb, "polars": read_polars}


@pytest.mark.threads
def test_every_read_during_a_run_is_one_of_its_commits(simulator, lake):
    """Readers need no lock: three of them read while two hundred checkpoints and a compaction replace the file. What each
    sees is the rows of the first checkpoints, all of them with every value, and never fewer than it saw before."""
    sim = simulator("--day", DAY, "--count", CHECKPOINTS * EACH, "--latency-detail", 20, "--itens-max", 8)
    truth, path, seen = truth_of(sim), details_path(lake), {}
    process = start("--date", DAY, "--checkpoint-every", EACH, "--connections", 2, *FAST, lake=lake, sim=sim)
    loops = {name: Looping(read, path, seen) for name, read in READERS.items()}
    try:
        result = finish(process)
    finally:
        for loop in loops.values():
            loop.end()
    assert result.exit == 0 and result.day["checkpoints"] == CHECKPOINTS and result.day["complete"]
    history = json.loads(pq.read_metadata(path).metadata[b"pncp.history"])
    assert [entry["kind"] for entry in history[-2:]] == ["append", "rewrite"]
    same_values(rows(path), truth)
    last = by_key(read_arrow(path))
    for checkpoints, table in seen.items(): # whoever read it: all rows of the first checkpoints, and no others
        same_table(table, last.filter(pc.less_equal(last["checkpoint"], checkpoints)), f"{checkpoints} checkpoints")
        assert table.num_rows == checkpoints * EACH
    for name, loop in loops.items():
        assert not loop.wrong, f"{name}: {len(loop.wrong)} of {len(loop.met)} reads: {loop.wrong[0]}"
        assert loop.met == sorted(loop.met), name
        assert len(set(loop.met)) >= 10 and loop.met[-1] == CHECKPOINTS, f"{name}: {loop.met}"


def test_a_wrong_value_is_noticed(day):
    """The comparison itself: one changed digit, one lost row of a list, one lost contratação."""
    got = rows(day.files[0])
    truth = {key: day.truth[key] for key in list(day.truth)[:BATCH]}
    same_values(got, truth)
    index = next(i for i, row in enumerate(got) if row["itens"] and row["arquivos"])
    key = key_of(got[index])
    for name, change in (("valorTotal", lambda item: {**item, "valorTotal": item["valorTotal"] + Decimal("0.0001")}),
                         ("descricao", lambda item: {**item, "descricao": item["descricao"] + " "})):
        broken = {**truth, key: {**truth[key], "itens": [change(truth[key]["itens"][0]), *truth[key]["itens"][1:]]}}
        with pytest.raises(AssertionError, match=rf"itens\[0\].{name}"):
            same_values(got, broken)
    with pytest.raises(AssertionError, match="arquivos has"):
        same_values(got, {**truth, key: {**truth[key], "arquivos": truth[key]["arquivos"][1:]}})
    with pytest.raises(AssertionError, match="is missing"):
        same_values(got[1:], truth)


# ---- Spark ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spark():
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed (tests/requirements-spark.txt)")
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("there is no java (openjdk-17-jre-headless)")
    from pyspark.sql import SparkSession
    session = (SparkSession.builder.master("local[1]").appName("pncp-details")
               .config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
               .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
               .config("spark.sql.files.maxPartitionBytes", "1g").getOrCreate())
    yield session
    session.stop()


@pytest.mark.full
@pytest.mark.parametrize("n", [0, 9, 19, 20], ids=["first", "tenth", "all", "compacted"])
def test_spark_agrees(day, spark, n):
    path = Path(day.files[n])
    got = spark.read.parquet(str(path)).toArrow()
    same_table(got, read_arrow(path), path.name)
