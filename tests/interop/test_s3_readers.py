"""Other implementations read s3:// themselves: after every checkpoint, and again and again while a run replaces the object."""

import io
import threading

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from lake_in_bucket import DETAILS, Bucket
from program import DAY, finish, key_of, same_values, truth_of
from pyarrow import fs
from test_readers import by_key, same_table

EACH, CHECKPOINTS = 5, 60


class Readers:
    """The three on one server."""

    def __init__(self, server):
        self.server, self.address = server, server.endpoint.removeprefix("http://")
        self.key, self.secret = server.signer.access, server.signer.secret

    def store(self) -> fs.S3FileSystem:
        return fs.S3FileSystem(access_key=self.key, secret_key=self.secret, endpoint_override=self.address, scheme="http")

    def pyarrow(self, url) -> pa.Table:
        with self.store().open_input_file(url.removeprefix("s3://")) as file:
            return pq.ParquetFile(file).read()

    def one_get(self, url) -> pa.Table:
        """One request, one version: what docs/OPERATIONS.md says of a day that grows. (A stream of pyarrow's asks range by range.)"""
        return pq.ParquetFile(io.BytesIO(self.server.get(url))).read()

    def polars(self, url) -> pa.Table:
        options = {"aws_endpoint_url": self.server.endpoint, "aws_access_key_id": self.key, "aws_secret_access_key": self.secret,
                   "aws_region": "us-east-1", "aws_allow_http": "true"}
        return pl.read_parquet(url, storage_options=options, use_pyarrow=False).to_arrow()

    def duckdb(self, url) -> pa.Table:
        with duckdb.connect() as connection:
            connection.execute("LOAD httpfs; SET TimeZone = 'UTC'")
            connection.execute(f"CREATE SECRET (TYPE s3, KEY_ID '{self.key}', SECRET '{self.secret}', ENDPOINT '{self.address}', "
                               "USE_SSL false, URL_STYLE path)")
            return connection.sql("SELECT * FROM read_parquet(?, hive_partitioning = false)", params=[url]).to_arrow_table()


def has_httpfs() -> bool:
    try:
        with duckdb.connect() as connection:
            connection.execute("LOAD httpfs")
        return True
    except duckdb.Error:
        return False


needs_httpfs = pytest.mark.skipif(not has_httpfs(), reason="DuckDB's httpfs is not installed: it is downloaded from extensions.duckdb.org")
ALL = ["pyarrow", "polars", pytest.param("duckdb", marks=needs_httpfs), "one_get"]


@pytest.mark.parametrize("name", ALL)
def test_after_every_checkpoint(name, minio, simulator, tmp_path):
    """A run of ten checkpoints a time, so that tiny and small groups are folded, and at last compaction."""
    sim, bucket, read = simulator("--day", DAY, "--count", 200), Bucket(minio, tmp_path), getattr(Readers(minio), name)
    for n in range(1, 6):
        bucket.ingest(sim, "--batch-size", 40, "--checkpoint-every", 4)
        table = read(f"{bucket.url}/{DETAILS}")
        keys = {key_of(row) for row in table.select(["cnpj", "ano", "sequencial"]).to_pylist()}
        assert table.num_rows == len(keys) == 40 * n
        same_table(by_key(table), by_key(pq.ParquetFile(bucket.copy().file).read()), f"{name}, run {n}")
    same_values(bucket.copy().rows(), truth_of(sim))


class Looping:
    """Reads again and again. What it makes of an object that another one has replaced meanwhile is an error, or one commit's rows."""

    def __init__(self, read, url):
        self.read, self.url = read, url
        self.met, self.errors, self.stop = [], [], threading.Event()
        self.thread = threading.Thread(target=self.loop)
        self.thread.start()

    def loop(self):
        while not self.stop.is_set():
            try:
                self.met.append(by_key(self.read(self.url)))
            except Exception as error: # whatever a library makes of two versions, or of none yet
                self.errors.append(repr(error))

    def end(self):
        self.stop.set()
        self.thread.join()
        self.met.append(by_key(self.read(self.url)))


@pytest.mark.parametrize("name", ALL)
def test_while_a_run_replaces_the_object(name, minio, simulator, tmp_path):
    """Checkpoints, folds and compaction: an exact commit or an error, never other values; of one GET never an error."""
    sim, bucket = simulator("--day", DAY, "--count", EACH * CHECKPOINTS, "--latency-detail", 40, "--itens-max", 8), Bucket(minio, tmp_path)
    bucket.ask("list", sim=sim)
    process = bucket.start(sim, "--checkpoint-every", EACH, "--connections", 2)
    loop = Looping(getattr(Readers(minio), name), f"{bucket.url}/{DETAILS}")
    try:
        result = finish(process)
    finally:
        loop.end()
    assert result.exit == 0 and result.day["checkpoints"] == CHECKPOINTS and result.day["complete"]
    day = bucket.copy()
    assert day.history()[-1]["kind"] == "rewrite"
    same_values(day.rows(), truth_of(sim))
    last, seen = by_key(pq.ParquetFile(day.file).read()), []
    for table in loop.met:
        checkpoints = pc.max(table["checkpoint"]).as_py()
        assert table.num_rows == checkpoints * EACH
        same_table(table, last.filter(pc.less_equal(last["checkpoint"], checkpoints)), f"{name}: {checkpoints} checkpoints")
        seen.append(checkpoints)
    assert seen == sorted(seen) and len(set(seen)) >= 5 and seen[-1] == CHECKPOINTS, (seen, loop.errors[:3])
    assert name != "one_get" or len(set(loop.errors)) <= 1 # before there was an object
