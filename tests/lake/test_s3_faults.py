"""Each request of a commit goes wrong once, in each way; and stores that do not keep their word."""

import random
import re

import pytest
from lake_day import assert_history, ingest
from lake_in_bucket import DETAILS, Bucket
from program import DAY, same_values, truth_of
from s3_client import Reply
from s3_proxy import (answer, broken, call, change, cut_answer, cut_request, delay, drop, error_in_200, ignore, lose, slow_down)

WAYS = {
    "drop": drop, "lose": lose, "delay": lambda: delay(1), "cut_request": cut_request, "cut_answer": cut_answer, "slow_down": slow_down,
    "slow_down_done": lambda: slow_down(forward=True), "broken": broken, "broken_done": lambda: broken(forward=True),
    "conflict_done": lambda: answer(409, "ConditionalRequestConflict", forward=True),
    "changed_done": lambda: answer(412, "PreconditionFailed", forward=True),
}
IN_200 = {"error_in_200": error_in_200, "error_in_200_done": lambda: error_in_200(forward=True)}
# of a commit that keeps less than a part, and of one that the store copies
SMALL = {"put": ("PUT", ""), "get": ("GET", "")}
LARGE = {"begin": ("POST", "uploads="), "copy": ("PUT", "partNumber=1&"), "part": ("PUT", "partNumber=2&"), "complete": ("POST", "uploadId="),
         "head": ("HEAD", "")}


def ways_of(request) -> list:
    """An error comes inside a 200 where a store takes long; only what has a condition can fail it."""
    conditions = ("conflict_done", "changed_done")
    return [way for way in WAYS if request != "get" or way not in conditions] + [*(IN_200 if request in ("copy", "complete") else ())]


def cases(requests) -> list:
    """(request, way) of each; but for a seeded sample they are for test-full."""
    every = [(request, way) for request in requests for way in ways_of(request)]
    sample = random.Random(len(every)).sample(every, min(6, len(every))) # seeded: the same every time
    return [pytest.param(*case, marks=() if case in sample else (pytest.mark.full,), id="-".join(case)) for case in every]


def goes_wrong(sim, server, proxy, bucket, fault, method, query, expected) -> None:
    """A run through the proxy, in which the second such request about the day's file goes wrong."""
    proxy.on(fault, method, query=query, path="details.parquet", nth=2)
    result = ingest(sim, bucket.url, "--checkpoint-every", 20, "--batch-size", 100, "--outage-wait", "30s", env=proxy.env)
    assert any(seen.fault for seen in proxy.seen(path="details.parquet")), "it did not come to that"
    day = bucket.copy()
    keys = set(day.keys())
    assert len(day.keys()) == len(keys) == expected
    assert_history(day)
    own = [entry for entry in day.history() if entry["run"] == result.summary["run_id"]]
    assert sum(entry["contratacoes"] for entry in own) == result.day["saved"] == 100
    same_values(day.rows(), {key: row for key, row in truth_of(sim).items() if key in keys})


@pytest.mark.parametrize("request_of, way", cases(SMALL))
def test_a_request_of_a_small_commit(request_of, way, minio, s3_proxy, simulator, tmp_path):
    sim, proxy, bucket = simulator("--day", DAY, "--count", 150), s3_proxy(minio), Bucket(minio, tmp_path)
    goes_wrong(sim, minio, proxy, bucket, WAYS[way](), *SMALL[request_of], 100)


@pytest.fixture(scope="session")
def large_day(minio, tmp_path_factory):
    """(simulator's arguments, files): a day that is as large as a part (padding has made it so), and some left to do."""
    from simulator import Simulator # noqa: PLC0415
    args = ("--day", DAY, "--count", 1000, "--itens-max", 12)
    bucket = Bucket(minio, tmp_path_factory.mktemp("large"))
    with Simulator(*args) as sim:
        ingest(sim, bucket.url, "--checkpoint-every", 8, "--batch-size", 800, env=minio.env)
    files = bucket.copy().files()
    assert len(files[DETAILS]) > 5 * 1024 * 1024
    return args, files


@pytest.mark.parametrize("request_of, way", cases(LARGE))
def test_a_request_of_a_large_commit(request_of, way, large_day, minio, s3_proxy, simulator, tmp_path):
    args, files = large_day
    sim, proxy, bucket = simulator(*args), s3_proxy(minio), Bucket(minio, tmp_path)
    bucket.put(files)
    goes_wrong(sim, minio, proxy, bucket, {**WAYS, **IN_200}[way](), *LARGE[request_of], 900)
    # an upload that was begun without our knowing its id stays until it is a day old
    unknown = [seen for seen in proxy.seen("POST", "uploads=", "details.parquet") if seen.fault and seen.served == 200 != seen.status]
    unknown += [seen for seen in proxy.seen("POST", "uploads=", "details.parquet") if seen.fault == "cut_request"]
    assert len(minio.uploads(f"{bucket.url}/{DETAILS}")) == len(unknown)


def test_another_run_commits_before_we_look(minio, s3_proxy, simulator, tmp_path):
    """Ours was done, the answer was lost, and the next version is there when the history is read."""
    sim, proxy, bucket = simulator("--day", DAY, "--count", 150), s3_proxy(minio), Bucket(minio, tmp_path)
    lease = f"{bucket.url}/pncp_details/_state/lease/pncp_details_{DAY}.json"

    def another():
        minio.delete(lease)
        ingest(sim, bucket.url, "--checkpoint-every", 60, "--batch-size", 60, env=minio.env)

    fault = lose()
    fault.after = another
    proxy.on(fault, "PUT", path="details.parquet", nth=2)
    result = ingest(sim, bucket.url, "--checkpoint-every", 20, "--outage-wait", "30s", env=proxy.env)
    day = bucket.copy()
    same_values(day.rows(), truth_of(sim))
    assert_history(day)
    own = [entry for entry in day.history() if entry["run"] == result.summary["run_id"] and entry["kind"] == "append"]
    assert sum(entry["contratacoes"] for entry in own) == result.day["saved"] == 90


@pytest.mark.parametrize("command", ["status", "ingest"])
def test_another_run_commits_while_we_read(command, minio, s3_proxy, simulator, tmp_path):
    """Before each read of the day's file in turn, until there are no more: what was read so far is of a version that is gone."""
    sim, proxy, bucket = simulator("--day", DAY, "--count", 150), s3_proxy(minio), Bucket(minio, tmp_path)
    lease = f"{bucket.url}/pncp_details/_state/lease/pncp_details_{DAY}.json"
    bucket.ingest(sim, "--checkpoint-every", 5, "--batch-size", 30)

    def another():
        minio.delete(lease)
        bucket.ingest(sim, "--batch-size", 1)

    expected, nth = 30, 0
    while nth == 0 or any(seen.fault for seen in proxy.seen("GET", path="details.parquet")):
        nth += 1
        proxy.clear()
        proxy.forget()
        proxy.on(call(before=another), "GET", path="details.parquet", nth=nth)
        if command == "status":
            bucket.ask("status", env=proxy.env)
        else:
            expected += bucket.ingest(sim, "--batch-size", 1, env=proxy.env).day["saved"]
        expected += any(seen.fault for seen in proxy.seen("GET", path="details.parquet"))
    assert nth > 3
    day = bucket.copy()
    assert len(day.keys()) == len(set(day.keys())) == expected
    assert_history(day)


# ---- stores that do not keep their word -------------------------------------------------------------


def unquoted(reply) -> Reply:
    tag = reply.headers["ETag"]
    if tag:
        reply.headers.replace_header("ETag", tag.strip('"'))
    return reply


REFUSED = {
    "If-None-Match is ignored": (ignore("If-None-Match"), "PUT", ""),
    "If-Match is ignored": (ignore("If-Match"), "PUT", ""),
    "If-Match is ignored on Complete": (ignore("If-Match"), "POST", "uploadId="),
    "no conditions at all": (answer(501, "NotImplemented"), "PUT", ""),
    "Complete is always good": (answer(200, body=b'<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>'),
                                "POST", "uploadId="),
}


@pytest.mark.parametrize("lie", REFUSED)
def test_a_store_that_loses_commits_is_refused(lie, minio, s3_proxy, simulator, tmp_path):
    sim, proxy, bucket = simulator("--day", DAY, "--count", 20), s3_proxy(minio), Bucket(minio, tmp_path)
    fault, method, query = REFUSED[lie]
    proxy.on(fault, method, query=query)
    result = ingest(sim, bucket.url, env=proxy.env, exit=1)
    assert "If-" in result.stderr[-1], result.stderr
    assert bucket.copy().keys() == []


SAFE = {
    "one stale HEAD": lambda stale: (change(lambda reply: stale), "HEAD", "", 1),
    "tags without quotes": lambda stale: (change(unquoted), None, "", None),
    "a conflict for a race": lambda stale: (answer(409, "ConditionalRequestConflict"), "PUT", "", 3),
}


@pytest.mark.parametrize("lie", SAFE)
def test_a_store_that_is_odd_is_safe(lie, minio, s3_proxy, simulator, tmp_path):
    sim, proxy, bucket = simulator("--day", DAY, "--count", 60), s3_proxy(minio), Bucket(minio, tmp_path)
    fault, method, query, nth = SAFE[lie](answer(404).change(None))
    proxy.on(fault, method, query=query, path="details.parquet", nth=nth)
    ingest(sim, bucket.url, "--checkpoint-every", 10, "--outage-wait", "30s", env=proxy.env)
    day = bucket.copy()
    same_values(day.rows(), truth_of(sim))
    assert_history(day)


def test_an_invented_tag_of_a_complete(large_day, minio, s3_proxy, simulator, tmp_path):
    """The store says yes to a Complete that it has not done: HEAD and the history know better."""
    args, files = large_day
    sim, proxy, bucket = simulator(*args), s3_proxy(minio), Bucket(minio, tmp_path)
    bucket.put(files)
    body = b'<CompleteMultipartUploadResult><ETag>"0123456789abcdef0123456789abcdef-2"</ETag></CompleteMultipartUploadResult>'
    goes_wrong(sim, minio, proxy, bucket, answer(200, body=body), "POST", "uploadId=", 900)


def test_a_commit_above_a_part_costs_six_requests(large_day, minio, s3_proxy, simulator, tmp_path):
    args, files = large_day
    sim, proxy, bucket = simulator(*args), s3_proxy(minio), Bucket(minio, tmp_path)
    bucket.put(files)
    result = ingest(sim, bucket.url, "--checkpoint-every", 50, "--batch-size", 100, env=proxy.env)
    assert result.day["checkpoints"] == 2
    posts = [i for i, seen in enumerate(proxy.seen(path="details.parquet")) if "uploadId=" in seen.query and seen.method == "POST"]
    about = proxy.seen(path="details.parquet")
    between = about[posts[0] + 1:posts[1] + 2] # from the HEAD of the first to that of the second
    assert [seen.method for seen in between[1:]] == ["POST", "PUT", "PUT", "POST", "HEAD"]
    sent = sum(seen.bytes_in for seen in between)
    assert sent < 1024 * 1024


def test_uploads_of_a_day_ago_are_removed(large_day, minio, s3_proxy, simulator, tmp_path):
    args, files = large_day
    sim, proxy, bucket = simulator(*args), s3_proxy(minio), Bucket(minio, tmp_path)
    bucket.put(files)
    for _ in range(2):
        minio.request("POST", f"{bucket.url}/{DETAILS}", {"uploads": ""})
    old, young = minio.uploads(f"{bucket.url}/{DETAILS}")

    def aged(reply) -> Reply:
        head, mark, tail = reply.body.decode().partition(old)
        return Reply(reply.status, reply.headers, (head + mark + re.sub(r"<Initiated>\d{4}", "<Initiated>2020", tail, count=1)).encode())

    proxy.on(change(aged), "GET", query="uploads=")
    ingest(sim, bucket.url, "--checkpoint-every", 50, "--batch-size", 100, env=proxy.env)
    assert minio.uploads(f"{bucket.url}/{DETAILS}") == [young]
