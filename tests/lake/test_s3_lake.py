"""A day in a bucket: what tests/lake shows of a folder, on real servers. What is read back is a copy of the bucket."""

import json
import random
import signal
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_day import Day, assert_consistent, assert_history, ingest, reset, stop, wait_until
from lake_in_bucket import DETAILS, LEASE, Bucket
from program import DAY, finish, key_of, run, same_values, truth_of

@pytest.fixture
def bucket(s3_server, tmp_path):
    return Bucket(s3_server, tmp_path)


@pytest.fixture
def on_minio(minio, tmp_path):
    return Bucket(minio, tmp_path)


@pytest.mark.threads
def test_three_checkpoints(bucket, simulator):
    sim = simulator("--day", DAY, "--count", 60)
    result = bucket.ingest(sim, "--max-contratacoes", 5, "--checkpoint-every", 2)
    lines = [line for line in result.stderr if "heckpoint" in line]
    assert [line.split(" contratacoes")[0] for line in lines[:3]] == ["💾 Checkpoint 1: Saved 2", "💾 Checkpoint 2: Saved 2",
                                                                     "💾 Final checkpoint: Saved remaining 1"]
    day = bucket.copy()
    assert len(day.rows()) == 5 and [entry["n"] for entry in day.history()] == [1, 2, 3]
    assert_history(day)
    assert bucket.server.head(bucket.url + "/" + DETAILS)["x-amz-meta-pncp-commit"] == day.commit()
    bucket.ingest(sim)
    bucket.assert_whole(sim)


@pytest.mark.full
def test_a_day_that_grows_beyond_a_part(on_minio, simulator):
    """Small objects are sent whole, large ones by parts that the store copies; nothing is lost on the way from one to the other."""
    sim = simulator("--day", DAY, "--count", 11000)
    result = on_minio.ingest(sim, "--checkpoint-every", 400)
    day = on_minio.assert_whole(sim)
    kinds = [entry["kind"] for entry in day.history()]
    assert kinds == ["append"] * result.day["checkpoints"] + ["rewrite"]
    assert day.file.stat().st_size > 5 * 1024 * 1024


def test_batches_without_state(on_minio, simulator):
    sim = simulator("--day", DAY, "--count", 120)
    done = set()
    for every in (7, 50, 20):
        result = on_minio.ingest(sim, "--batch-size", 40, "--checkpoint-every", every)
        assert result.day["saved"] == 40
        keys = set(on_minio.copy().keys())
        assert len(keys) == len(done) + 40 and done < keys
        done = keys
        for key in on_minio.server.list(on_minio.url + "/pncp_details/_state/"):
            on_minio.server.delete(f"s3://lh-bronze/{key}")
    on_minio.ingest(sim)
    on_minio.assert_whole(sim)
    reset(sim)
    again = on_minio.ingest(sim)
    assert again.day["already_complete"] and again.day["api_calls"] == 0


@pytest.mark.threads
def test_the_second_run_names_the_first(bucket, simulator):
    sim = simulator("--day", DAY, "--count", 200, "--latency-detail", 30)
    first = bucket.start(sim, "--connections", 2)
    wait_until(lambda: bucket.server.get(bucket.url + "/" + LEASE), first)
    held = json.loads(bucket.server.get(bucket.url + "/" + LEASE))
    assert set(held) == {"v", "run_id", "host", "pid", "since", "renewed_at", "expires_at"} and held["pid"] == first.pid
    second = bucket.ingest(sim, "--wait-lease", 0, exit=75)
    assert held["run_id"] in second.stderr[-1]
    waiting = bucket.ingest(sim, "--wait-lease", 60) # until the first has released it
    assert finish(first).exit == 0 and waiting.exit == 0
    bucket.assert_whole(sim)


def test_a_signal_saves_what_is_finished(bucket, simulator):
    sim = simulator("--day", DAY, "--count", 400, "--latency-detail", 20)
    process = bucket.start(sim, "--checkpoint-every", 25, "--connections", 8)
    wait_until(lambda: bucket.server.get(bucket.url + "/" + DETAILS), process)
    result, seconds = stop(process, signal.SIGTERM)
    assert result.exit == 143 and seconds < 5 # 3 on a machine that is not busy
    day = bucket.copy()
    assert len(day.keys()) == result.day["saved"] > 0
    assert json.loads(bucket.server.get(bucket.url + "/" + LEASE))["expires_at"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    bucket.ingest(sim)
    bucket.assert_whole(sim)


def test_a_signal_while_the_store_hangs(on_minio, simulator):
    """It answers nothing and refuses nothing: what is finished is spooled, the run is out in time, and the next one saves it."""
    sim = simulator("--day", DAY, "--count", 400, "--latency-detail", 20)
    process = on_minio.start(sim, "--checkpoint-every", 25, "--connections", 8)
    wait_until(lambda: on_minio.server.get(on_minio.url + "/" + DETAILS), process)
    on_minio.server.process.send_signal(signal.SIGSTOP)
    try:
        time.sleep(1) # something is fetched that cannot be saved
        result, seconds = stop(process, signal.SIGTERM)
    finally:
        on_minio.server.process.send_signal(signal.SIGCONT)
    assert result.exit == 143 and seconds < 5, seconds # 3 on a machine that is not busy
    assert any("wait in" in line and "spool" in line for line in result.stderr), result.stderr
    on_minio.server.delete(on_minio.url + "/" + LEASE) # or wait for it 90 s
    on_minio.ingest(sim) # of the spool what the store has not saved after all
    on_minio.assert_whole(sim)


def test_runs_that_do_not_see_each_other(on_minio, simulator):
    """The lease is taken from each before the next begins: the conditional writes alone keep every row, once."""
    sim = simulator("--day", DAY, "--count", 240, "--itens-max", 5, "--latency-detail", 10)
    runs = []
    for _ in range(4):
        runs.append(on_minio.start(sim, "--checkpoint-every", 7, "--connections", 4, "--wait-lease", 0))
        wait_until(lambda: on_minio.server.get(on_minio.url + "/" + LEASE), runs[-1])
        on_minio.server.delete(on_minio.url + "/" + LEASE)
    results = [finish(run) for run in runs]
    assert {result.exit for result in results} == {0}, "\n".join(line for result in results for line in result.stderr[-4:])
    assert sum(result.day["saved"] for result in results) == 240
    day = on_minio.copy()
    assert_history(day)
    same_values(day.rows(), truth_of(sim))
    on_minio.ingest(sim)
    on_minio.assert_whole(sim)


def test_a_range_is_one_run(on_minio, simulator):
    """One record, each day's progress at its end, and no lease left."""
    sim, days = simulator("--count", 20, "--itens-max", 4), ("20251030", "20251031", "20251101")
    result = on_minio.ingest(sim, date=f"{days[0]}..{days[2]}")
    lake = on_minio.copy().lake
    records = Day(lake).records()
    assert list(records) == [result.summary["run_id"]] and records[result.summary["run_id"]]["summary"] == result.summary
    for date in days:
        day = Day(lake, date)
        same_values(day.rows(), truth_of(sim, date))
        assert_consistent(day)
        assert day.progresso()["phase"] == "ended" and day.completo()["commit"] == day.commit()
        lease = json.loads((day.states / "lease" / f"pncp_details_{date}.json").read_bytes())
        assert lease["expires_at"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def test_absent_parts_are_renewed(on_minio, simulator):
    sim = simulator("--day", DAY, "--count", 60)
    keys = [key for key, row in truth_of(sim).items() if row["itens_situacao"] == "ok"][:10]
    sim.control(*[("rule", "/{}/compras/{}/{}/itens*=404".format(*key.split("|"))) for key in keys])
    assert on_minio.ingest(sim).day["ausente"] >= 10
    sim.control(clear="rules")
    result = on_minio.ask("retry", "--all", sim=sim)
    assert result.day["renewed"] == 10
    on_minio.assert_whole(sim)


def test_begun_anew(on_minio, simulator):
    sim = simulator("--day", DAY, "--count", 60)
    first = on_minio.ingest(sim)
    second = on_minio.ingest(sim, "--no-auto-resume")
    assert second.day["renewed"] == 60
    day = on_minio.assert_whole(sim)
    assert {row["run_id"] for row in day.rows()} == {second.summary["run_id"]} != {first.summary["run_id"]}


def test_adopt(on_minio, simulator):
    sim = simulator("--day", DAY, "--count", 30)
    folder = on_minio.url + "/pncp_details/year=2025/month=10/day=22/"
    theirs = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": [1, 2]}), theirs)
    on_minio.server.put(folder + "details.parquet", theirs.getvalue().to_pybytes())
    on_minio.server.put(folder + "chunk_0001.parquet", b"a chunk")
    refused = on_minio.ingest(sim, exit=1)
    assert "adopt" in refused.stderr[-1]
    on_minio.ask("adopt")
    on_minio.ingest(sim)
    on_minio.assert_whole(sim)
    legado = on_minio.url + "/pncp_details_legado/year=2025/month=10/day=22/"
    assert on_minio.server.get(legado + "chunk_0001.parquet") == b"a chunk"


@pytest.mark.parametrize("changes, code, words", [
    ({"AWS_SECRET_ACCESS_KEY": "not-this-one"}, 1, "AWS_SECRET_ACCESS_KEY"),
    ({"AWS_ACCESS_KEY_ID": "nobody"}, 1, "AWS_ACCESS_KEY_ID"),
    ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, 75, "no answer from http://127.0.0.1:9"),
])
def test_what_is_wrong_is_said_in_one_line(changes, code, words, bucket, simulator):
    sim = simulator("--day", DAY, "--count", 10)
    env = {**bucket.server.env, **changes}
    result = bucket.ingest(sim, env=env, exit=code)
    assert words in result.stderr[-1] and "not-this-one" not in "\n".join(result.stderr)
    doctor = ask_doctor(bucket.url, env, code)
    assert doctor["findings"][-1]["level"] == "REFUSED" and words in doctor["findings"][-1]["text"]


def test_no_such_bucket(s3_server, simulator):
    sim = simulator("--day", DAY, "--count", 10)
    result = ingest(sim, "s3://no-such-bucket/x", env=s3_server.env, exit=1)
    assert "there is no such bucket" in result.stderr[-1]


def ask_doctor(url, env, code=0) -> dict:
    return run("doctor", lake=url, env=env, exit=code).summary


def test_doctor(bucket):
    findings = ask_doctor(bucket.url, bucket.server.env)["findings"]
    assert {finding["level"] for finding in findings} == {"good"}
    assert {"If-Match on PUT", "If-None-Match on PUT", "If-Match on CompleteMultipartUpload", "versioning", "object lock", "clock"} <= {
        finding["what"] for finding in findings}


def test_a_versioned_bucket_gets_a_warning(minio, simulator):
    sim = simulator("--day", DAY, "--count", 20)
    minio.make_bucket("versioned", versioning=True)
    result = ingest(sim, "s3://versioned/lake", env=minio.env)
    assert any("lifecycle" in line for line in result.stderr)
    assert {finding["level"] for finding in ask_doctor("s3://versioned/lake", minio.env)["findings"]} == {"good", "warning"}


@pytest.mark.parametrize("days", [0, 3])
def test_object_lock(days, minio, simulator, tmp_path):
    """It is told, and commits go on: each is a version of its own."""
    sim, name = simulator("--day", DAY, "--count", 20), f"locked-{days}"
    minio.make_bucket(name, retention_days=days)
    lock = next(finding for finding in ask_doctor(f"s3://{name}/lake", minio.env)["findings"] if finding["what"] == "object lock")
    assert lock["level"] == ("warning" if days else "good") and (not days or "for 3 days (GOVERNANCE)" in lock["text"])
    ingest(sim, f"s3://{name}/lake", "--checkpoint-every", 5, env=minio.env)
    assert sum(key.endswith("/details.parquet") for key in minio.versions(f"s3://{name}/lake")) == 5 # and compaction


def test_private_ca(minio_tls, simulator):
    sim = simulator("--day", DAY, "--count", 20)
    lake = minio_tls.url()
    ingest(sim, lake, env=minio_tls.env)
    untrusted = {**minio_tls.env, "AWS_CA_BUNDLE": ""}
    assert "AWS_CA_BUNDLE" in ingest(sim, lake, env=untrusted, exit=1).stderr[-1]


FULL = pytest.mark.full


@pytest.mark.parametrize("kills", [12, pytest.param(200, marks=[FULL, pytest.mark.timeout(900)])])
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "by parts"])
def test_kill_of_the_client(padded, kills, on_minio, simulator):
    """At random moments; the day is complete in the end, whatever they were. Its commits are of both kinds."""
    sim = simulator("--day", DAY, "--count", 800 + 12 * kills, "--itens-max", 12, "--latency-detail", 5)
    if padded:
        on_minio.ingest(sim, "--checkpoint-every", 8, "--batch-size", 800)
        assert on_minio.copy().file.stat().st_size > 5 * 1024 * 1024
    moments, whole = random.Random(kills), set(on_minio.copy().keys())
    for i in range(kills):
        process = on_minio.start(sim, "--checkpoint-every", 5, "--connections", 8, "--wait-lease", 0)
        wait_until(lambda: on_minio.server.get(on_minio.url + "/" + LEASE), process)
        time.sleep(moments.uniform(0, 0.4))
        process.kill()
        process.communicate()
        on_minio.server.delete(on_minio.url + "/" + LEASE) # or wait for it 90 s
        if i % 20 == 11:
            keys = on_minio.copy().keys()
            assert len(keys) == len(set(keys)) and whole <= set(keys)
            whole = set(keys)
    assert len(whole) > (800 if padded else 0)
    on_minio.ingest(sim)
    on_minio.assert_whole(sim, killed=True)


@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=[FULL, pytest.mark.timeout(900)])])
def test_kill_of_the_server(kills, on_minio, simulator):
    """While a run is under way; when it meets the store away where it does not wait it ends in 75, and the next one goes on."""
    count = 100 + 60 * kills
    sim = simulator("--day", DAY, "--count", count, "--latency-detail", 10)
    on_minio.ask("list", sim=sim)

    def begin():
        process = on_minio.start(sim, "--checkpoint-every", 5, "--connections", 8, "--outage-wait", "60s")
        wait_until(lambda: on_minio.server.get(on_minio.url + "/" + DETAILS), process)
        return process

    process, moments, ends = begin(), random.Random(kills), 0
    for _ in range(kills):
        if process.poll() is not None:
            assert finish(process).exit == 75
            process, ends = begin(), ends + 1
        time.sleep(moments.uniform(0, 0.6))
        on_minio.server.kill()
        on_minio.server.start()
    result = finish(process)
    assert result.exit in (0, 75), "\n".join(result.stderr[-40:])
    assert ends <= kills // 2
    on_minio.ingest(sim)
    assert sum(entry["contratacoes"] for entry in on_minio.copy().history() if entry["kind"] in ("append", "sum")) == count
    on_minio.assert_whole(sim, killed=True)


def test_keys_are_the_same_in_any_lake(on_minio, lake, simulator):
    sim = simulator("--day", DAY, "--count", 80)
    ingest(sim, lake)
    on_minio.ingest(sim)
    own = {"run_id", "checkpoint", "obtido_em"}
    there, here = ([{name: row[name] for name in row if name not in own} for row in day.rows()] for day in (on_minio.copy(), Day(lake)))
    assert there == here and key_of(there[0])


@pytest.mark.parametrize("minutes", [-20, 20])
def test_a_clock_that_is_wrong(minutes, bucket, simulator, run_at):
    """The store refuses the first signature; from then on its own clock is used."""
    sim = simulator("--day", DAY, "--count", 20)
    env = {**run_at(datetime.now(UTC) + timedelta(minutes=minutes)), **bucket.server.env}
    clock = next(finding for finding in ask_doctor(bucket.url, env)["findings"] if finding["what"] == "clock")
    assert clock["level"] == "warning" and "set this machine's clock" in clock["text"]
    bucket.ingest(sim, env=env)
    bucket.assert_whole(sim)


def test_a_region_that_is_wrong(versitygw, simulator, tmp_path):
    """It says which one is right, once."""
    sim, bucket = simulator("--day", DAY, "--count", 20), Bucket(versitygw, tmp_path)
    bucket.ingest(sim, env={**versitygw.env, "AWS_REGION": "sa-east-1"})
    bucket.assert_whole(sim)


@pytest.mark.full
def test_a_killed_run_holds_the_day_for_its_lease(on_minio, simulator):
    sim = simulator("--day", DAY, "--count", 100, "--latency-detail", 30)
    process = on_minio.start(sim, "--connections", 2)
    wait_until(lambda: on_minio.server.get(on_minio.url + "/" + DETAILS), process)
    process.kill()
    process.communicate()
    begun = time.monotonic()
    on_minio.ingest(sim, "--wait-lease", 120, timeout=150)
    assert time.monotonic() - begun < 100
    on_minio.assert_whole(sim)


@pytest.mark.full
def test_a_run_that_was_paused_does_no_harm(on_minio, simulator):
    """It loses its lease, another run does the day, and it goes on as if nothing had been."""
    sim = simulator("--day", DAY, "--count", 200, "--latency-detail", 20)
    process = on_minio.start(sim, "--checkpoint-every", 10, "--connections", 2, "--deadline", "300s")
    wait_until(lambda: on_minio.server.get(on_minio.url + "/" + DETAILS), process)
    process.send_signal(signal.SIGSTOP)
    try:
        on_minio.ingest(sim, "--wait-lease", 120, timeout=180)
        time.sleep(60)
    finally:
        process.send_signal(signal.SIGCONT)
    result = finish(process)
    assert result.exit in (0, 75), result.stderr[-3:]
    on_minio.assert_whole(sim)
