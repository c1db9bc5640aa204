"""What a run sends to a bucket: how much of a growing day, and how often beside it."""

import json
import time
from collections import Counter

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from lake_day import assert_history
from lake_in_bucket import DETAILS, Bucket
from program import DAY, run, same_values, truth_of
from s3_proxy import slow_down

PART = 5 * 1024 * 1024


@pytest.fixture
def proxied(minio, s3_proxy, tmp_path):
    """(lake, proxy): each run through it."""
    proxy, bucket = s3_proxy(minio), Bucket(minio, tmp_path)
    return bucket, proxy


def sent(proxy) -> int:
    return sum(seen.bytes_in for seen in proxy.seen(path="details.parquet"))


def first_group_at(path) -> int:
    group = pq.ParquetFile(path).metadata.row_group(0)
    return min(group.column(0).data_page_offset, group.column(0).dictionary_page_offset or PART * 2)


def test_a_growing_day_is_not_sent_again_and_again(proxied, simulator):
    """Once enough was sent twice the file gets padding, so that the store copies what is kept; readers do not mind."""
    bucket, proxy = proxied
    sim = simulator("--day", DAY, "--count", 2400)
    result = bucket.ingest(sim, "--batch-size", 2000, "--checkpoint-every", 20, env=proxy.env)
    day = bucket.copy()
    size = day.file.stat().st_size
    assert first_group_at(day.file) == PART and day.file.read_bytes()[4:PART] == bytes(PART - 4)
    whole = sum(seen.bytes_in for seen in proxy.seen("PUT", path="details.parquet") if not seen.query)
    assert whole < 3 * PART and sent(proxy) < 5 * PART < result.day["checkpoints"] * (size - PART) / 3
    keys = day.keys()
    saved = set(keys)
    same_values(day.rows(), {key: row for key, row in truth_of(sim).items() if key in saved})
    assert_history(day)
    assert bucket.ask("verify").summary["problems"] == 0
    with duckdb.connect() as connection:
        count = connection.sql("SELECT count(*), sum(len(itens)) FROM read_parquet(?)", params=[str(day.file)]).fetchall()[0]
    assert count == (2000, sum(entry["itens"] for entry in day.history()))
    assert pl.read_parquet(day.file, columns=["cnpj", "ano", "sequencial"]).rows() == [
        (cnpj, int(ano), int(sequencial)) for cnpj, ano, sequencial in (key.split("|") for key in keys)]

    # the next run goes on behind the padding, and compaction leaves it out
    proxy.forget()
    bucket.ingest(sim, "--batch-size", 380, "--checkpoint-every", 20, env=proxy.env)
    assert sent(proxy) < PART and first_group_at(bucket.copy().file) == PART
    bucket.ingest(sim, env=proxy.env)
    assert first_group_at(bucket.assert_whole(sim).file) == 4


def test_a_small_day_is_sent_whole(proxied, simulator):
    """From a copy that the run has: what is kept is not fetched to be sent again, and folds are right in it."""
    bucket, proxy = proxied
    sim = simulator("--day", DAY, "--count", 200)
    fetched = []
    for batch in (30, 30, 120): # the first finds no file, the last makes four times as many commits as the second
        proxy.forget()
        result = bucket.ingest(sim, "--batch-size", batch, "--checkpoint-every", 5, env=proxy.env)
        assert result.day["checkpoints"] == batch / 5
        assert not proxy.seen("POST", path="details.parquet")
        fetched.append(len(proxy.seen("GET", path="details.parquet")))
    assert fetched[2] - fetched[1] < 6, fetched # what a fold moves down; not each of 18 commits
    day = bucket.copy()
    assert first_group_at(day.file) == 4
    saved = set(day.keys())
    same_values(day.rows(), {key: row for key, row in truth_of(sim).items() if key in saved})
    assert bucket.ask("verify").summary["problems"] == 0


@pytest.mark.parametrize("count, every", [(150, 20), (1500, 20)], ids=["whole", "by parts"])
def test_bytes_sent_are_those_that_were_sent(count, every, proxied, simulator):
    """Of small objects all of them; a try that the store refused counts as well."""
    bucket, proxy = proxied
    sim = simulator("--day", DAY, "--count", count + 10)
    proxy.on(slow_down(), "PUT", path=DETAILS.rsplit("/", 1)[1], nth=3)
    result = bucket.ingest(sim, "--batch-size", count, "--checkpoint-every", every, "--log", "json", env=proxy.env)
    events = [json.loads(line) for line in result.stderr if line.startswith("{")]
    told = [event["bytes_sent"] for event in events if event["event"] in ("checkpoint", "final_checkpoint")]
    assert sum(told) == sent(proxy) and len(told) == result.day["checkpoints"]
    assert result.day["last_checkpoint"]["bytes_sent"] == told[-1]
    by_parts = bool(proxy.seen("POST", path="details.parquet"))
    assert by_parts == (count > 1000) and (by_parts or told[-1] == result.day["last_checkpoint"]["file_bytes"])


@pytest.mark.full
@pytest.mark.timeout(600)
def test_versions_an_hour(minio, simulator, tmp_path):
    """Beside the data's a bucket with versions keeps at most 200 an hour: those of five and a half minutes, and what a run writes at its
    beginning and end."""
    minio.make_bucket("hourly", versioning=True)
    lake = "s3://hourly/lake"
    sim = simulator("--day", DAY, "--count", 4000, "--latency-detail", 200)
    begun = time.monotonic()
    result = run("--date", DAY, "--connections", 2, "--max-duration", "330s", lake=lake, sim=sim, env=minio.env, timeout=400)
    hours = (time.monotonic() - begun) / 3600
    assert result.exit == 0 and result.day["remaining"] > 0 and hours > 329 / 3600
    kept = Counter(key.split("/_state/")[1].split("/")[0] for key in minio.versions(lake) if "/_state/" in key)
    once = {"lease": 2, "progresso": 2, "execucoes": 1, "sonda": 2, "itens": 2, "arquivos": 2, "falhas": 2, "completo": 1,
            "pncp_contratacoes_20251022": 14}
    assert set(kept) <= set(once)
    assert sum(kept.values()) - sum(once[name] for name in kept) <= 200 * hours, kept
