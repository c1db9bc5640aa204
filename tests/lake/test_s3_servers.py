"""What the S3 servers of the tests do with conditions: the ground that a lake on S3 stands on. Where MinIO and versitygw differ, both
ways are here, so that a new version of either shows."""

import hashlib
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest
from s3_client import Client, Signer, encode
from s3_servers import split

MIB = 1024 * 1024
PART = 5 * MIB # the least that a part may have unless it is the last
STALE = '"' + "0" * 32 + '"'


@pytest.fixture
def key(s3_server):
    """Of an object that does not exist yet, called as the lake's are."""
    return s3_server.url() + "/pncp_details/year=2025/month=10/day=22/details.parquet"


def status(reply) -> tuple:
    """(200,), (412, "PreconditionFailed"): what was answered."""
    return (reply.status, reply.code) if reply.code else (reply.status,)


class Upload:
    """A multipart upload to `key`."""

    def __init__(self, server, key, headers=None):
        self.server, self.key, self.parts = server, key, []
        reply = server.request("POST", key, {"uploads": ""}, headers=headers)
        assert reply.status == 200
        self.id = reply.text("UploadId")

    def _part(self, body, headers):
        number = len(self.parts) + 1
        reply = self.server.request("PUT", self.key, {"partNumber": number, "uploadId": self.id}, body, headers)
        if reply.status == 200:
            self.parts.append(reply.etag)
        return reply

    def send(self, body):
        return self._part(body, None)

    def copy(self, source, first, last, if_match):
        return self._part(b"", {"x-amz-copy-source": "/" + encode("/".join(split(source)), "/"),
                                "x-amz-copy-source-range": f"bytes={first}-{last}", "x-amz-copy-source-if-match": if_match})

    def complete(self, headers=None):
        parts = "".join(f"<Part><PartNumber>{i + 1}</PartNumber><ETag>{etag}</ETag></Part>" for i, etag in enumerate(self.parts))
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        return self.server.request("POST", self.key, {"uploadId": self.id}, body, headers)

    def abort(self):
        return self.server.request("DELETE", self.key, {"uploadId": self.id})


def etag_of(*parts) -> str:
    """Of an object put whole, or of parts."""
    if len(parts) == 1:
        return f'"{hashlib.md5(parts[0]).hexdigest()}"'
    return f'"{hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()}-{len(parts)}"'


# ---- whole objects --------------------------------------------------------------------------------


def test_create_only_what_is_not_there(s3_server, key):
    assert s3_server.get(key) is None and s3_server.head(key) is None
    create = {"If-None-Match": "*"}
    reply = s3_server.request("PUT", key, body=b"first", headers=create)
    assert (reply.status, reply.etag) == (200, etag_of(b"first"))
    assert status(s3_server.request("PUT", key, body=b"second", headers=create)) == (412, "PreconditionFailed")
    assert s3_server.get(key) == b"first" and s3_server.head(key)["ETag"] == etag_of(b"first")


def test_replace_only_the_version_that_was_read(s3_server, key):
    assert status(s3_server.request("PUT", key, body=b"x", headers={"If-Match": STALE})) == (404, "NoSuchKey")
    assert s3_server.get(key) is None
    first = s3_server.put(key, b"first")
    assert status(s3_server.request("PUT", key, body=b"x", headers={"If-Match": STALE})) == (412, "PreconditionFailed")
    assert s3_server.get(key) == b"first"
    assert s3_server.request("PUT", key, body=b"second", headers={"If-Match": first}).status == 200
    assert status(s3_server.request("PUT", key, body=b"x", headers={"If-Match": first})) == (412, "PreconditionFailed")
    assert s3_server.get(key) == b"second"
    assert s3_server.request("PUT", key, body=b"third", headers={"If-Match": etag_of(b"second").strip('"')}).status == 200


def test_a_long_body_is_refused_unread(s3_server, key):
    """The answer comes while it is sent, and the connection ends."""
    s3_server.put(key, b"first")
    for condition in ({"If-None-Match": "*"}, {"If-Match": STALE}):
        assert s3_server.request("PUT", key, body=bytes(30 * MIB), headers=condition).status == 412
    assert s3_server.get(key) == b"first"


def test_own_headers_are_kept(s3_server, key):
    s3_server.put(key, b"x", {"x-amz-meta-commit": "abc", "x-amz-meta-commit-by": "def", "Content-Type": "application/x-test"})
    head = s3_server.head(key)
    assert (head["x-amz-meta-commit"], head["x-amz-meta-commit-by"]) == ("abc", "def")
    assert head["Content-Type"] == "application/x-test" and head["Content-Length"] == "1"


def test_a_range_of_the_version_that_was_read(s3_server, key):
    etag = s3_server.put(key, bytes(range(100)))

    def ask(wanted, if_match):
        reply = s3_server.request("GET", key, headers={"Range": f"bytes={wanted}", "If-Match": if_match})
        return reply.status, reply.body if reply.status == 206 else reply.code

    assert ask("10-19", etag) == (206, bytes(range(10, 20)))
    assert ask("-8", etag) == (206, bytes(range(92, 100)))
    assert ask("90-200", etag) == (206, bytes(range(90, 100)))
    assert ask("100-", etag) == (416, "InvalidRange")
    assert ask("10-19", STALE) == (412, "PreconditionFailed")
    s3_server.delete(key)
    assert ask("10-19", etag) == (404, "NoSuchKey")


def test_a_condition_on_delete_is_no_guard(s3_server, key):
    s3_server.put(key, b"x")
    wanted = {"minio": (204, None), "versitygw": (412, b"x")}
    assert (s3_server.request("DELETE", key, headers={"If-Match": STALE}).status, s3_server.get(key)) == wanted[s3_server.name]
    s3_server.delete(key)
    s3_server.delete(key) # which is not there: no error


@pytest.mark.parametrize("name", ["year=2025/a b", "ç/ã+&?#%", "x=1/y=2/file.tmp~", "'()*!;:@,$"])
def test_keys_of_every_kind(s3_server, name):
    key = f"{s3_server.url()}/{name}"
    s3_server.put(key, b"x")
    assert s3_server.get(key) == b"x" and s3_server.list(key) == [split(key)[1]]


def test_lists(s3_server):
    lake = s3_server.url()
    prefix = split(lake)[1]
    names = [f"_state/itens/{i}.json" for i in range(5)] + ["a.json", "data/year=2025/x", "data/year=2026/x"]
    for name in names:
        s3_server.put(f"{lake}/{name}", b"x")
    assert s3_server.list(lake) == [f"{prefix}/{name}" for name in names]
    assert s3_server.list(lake + "/_state/itens/") == [f"{prefix}/{name}" for name in names[:5]]
    assert s3_server.list(lake + "/nothing") == []
    reply = s3_server.request("GET", "s3://lh-bronze", {"list-type": 2, "prefix": prefix + "/", "delimiter": "/"})
    assert reply.texts("Key") == [f"{prefix}/a.json"]
    assert reply.texts("Prefix") == [f"{prefix}/", f"{prefix}/_state/", f"{prefix}/data/"] # the first is the one asked for
    assert (reply.texts("Size"), reply.text("KeyCount"), reply.text("IsTruncated")) == (["1"], "3", "false")
    keys, query = [], {"list-type": 2, "prefix": prefix + "/", "max-keys": 3}
    for wanted in (3, 3, 2):
        reply = s3_server.request("GET", "s3://lh-bronze", query)
        assert len(reply.texts("Key")) == wanted
        keys += reply.texts("Key")
        query["continuation-token"] = reply.text("NextContinuationToken")
    assert keys == [f"{prefix}/{name}" for name in names] and reply.text("IsTruncated") == "false"


# ---- parts ----------------------------------------------------------------------------------------


def test_append_by_copying_the_beginning(s3_server, key):
    old, tail = b"o" * (PART + 100), b"tail"
    etag = s3_server.put(key, old)
    upload = Upload(s3_server, key, {"x-amz-meta-commit": "abc"})
    assert status(upload.copy(key, 0, PART - 1, STALE)) == (412, "PreconditionFailed")
    assert status(upload.copy(key, 0, len(old), etag))[0] == 400 # past the end
    assert upload.copy(key, 0, PART - 1, etag).status == 200
    assert upload.send(tail).status == 200
    assert s3_server.uploads(key) == [upload.id] and s3_server.get(key) == old
    reply = upload.complete({"If-Match": etag})
    assert (reply.status, reply.etag) == (200, etag_of(old[:PART], tail))
    assert s3_server.get(key) == old[:PART] + tail and s3_server.uploads(key) == []
    head = s3_server.head(key)
    assert (head["ETag"], head["x-amz-meta-commit"]) == (reply.etag, "abc")


def test_complete_replaces_only_the_version_that_was_read(s3_server, key):
    upload = Upload(s3_server, key)
    upload.send(b"new")
    assert status(upload.complete({"If-Match": STALE})) == (404, "NoSuchKey")
    assert s3_server.get(key) is None
    etag = s3_server.put(key, b"old")
    for condition in ({"If-Match": STALE}, {"If-None-Match": "*"}):
        assert status(upload.complete(condition)) == (412, "PreconditionFailed")
        assert s3_server.get(key) == b"old"
    assert s3_server.uploads(key) == [upload.id] # lost is not gone
    assert upload.complete({"If-Match": etag}).status == 200
    assert s3_server.get(key) == b"new"


def test_complete_creates_only_what_is_not_there(s3_server, key):
    upload = Upload(s3_server, key)
    upload.send(b"new")
    assert upload.complete({"If-None-Match": "*"}).status == 200
    assert s3_server.get(key) == b"new"


@pytest.mark.parametrize("copied", [True, False])
def test_a_part_that_is_too_small_is_refused_at_the_end(s3_server, key, copied):
    old = b"o" * PART
    etag = s3_server.put(key, old)
    upload = Upload(s3_server, key)
    assert (upload.copy(key, 0, PART - 2, etag) if copied else upload.send(old[:-1])).status == 200
    upload.send(b"tail")
    assert status(upload.complete({"If-Match": etag})) == (400, "EntityTooSmall")
    assert s3_server.get(key) == old
    assert upload.abort().status == 204 and s3_server.uploads(key) == []


def test_complete_twice(s3_server, key):
    """As after an answer that was lost."""
    etag = s3_server.put(key, b"old")
    upload = Upload(s3_server, key)
    upload.send(b"new")
    assert upload.complete({"If-Match": etag}).status == 200
    wanted = {"minio": (412, "PreconditionFailed"), "versitygw": (200,)}
    assert status(upload.complete({"If-Match": etag})) == wanted[s3_server.name]
    assert s3_server.get(key) == b"new"


def test_complete_what_was_aborted(s3_server, key):
    """A 200 does not say that anything was done."""
    s3_server.put(key, b"old")
    upload = Upload(s3_server, key)
    upload.send(b"new")
    assert upload.abort().status == 204
    wanted = {"minio": (404, "NoSuchUpload"), "versitygw": (200,)}
    assert status(upload.complete()) == wanted[s3_server.name]
    assert s3_server.get(key) == b"old"


# ---- many writers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["put", "complete"])
def test_one_writer_wins(s3_server, key, how):
    """8 at once, on the same version: first of nothing, then of what the last round left."""
    etag = None
    with ThreadPoolExecutor(8) as pool:
        for number in range(10):
            condition = {"If-Match": etag} if etag else {"If-None-Match": "*"}
            bodies = [b"%d by %d" % (number, writer) for writer in range(8)]
            uploads = [Upload(s3_server, key) for _ in bodies] if how == "complete" else []
            for upload, body in zip(uploads, bodies):
                upload.send(body)
            barrier = threading.Barrier(8)

            def write(writer):
                barrier.wait()
                if uploads:
                    return uploads[writer].complete(condition)
                return s3_server.request("PUT", key, body=bodies[writer], headers=condition)

            replies = list(pool.map(write, range(8)))
            assert sorted(reply.status for reply in replies) == [200] + [412] * 7
            winner = next(writer for writer, reply in enumerate(replies) if reply.status == 200)
            assert s3_server.get(key) == bodies[winner]
            etag = s3_server.head(key)["ETag"]
            assert etag == replies[winner].etag


# ---- who asks -------------------------------------------------------------------------------------


def test_who_may_ask(s3_server, key):
    bucket, name = split(key)

    def ask(signer, **headers):
        reply = Client(s3_server.endpoint, signer).request("GET", bucket, name, headers={key.replace("_", "-"): value
                                                                                        for key, value in headers.items()})
        return status(reply)

    def minutes_ago(minutes):
        return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 60 * minutes))

    s3_server.put(key, b"x")
    good = s3_server.signer
    assert ask(good) == (200,) and ask(good, x_amz_date=minutes_ago(14)) == (200,)
    for minutes in (16, -16):
        assert ask(good, x_amz_date=minutes_ago(minutes)) == (403, "RequestTimeTooSkewed")
    assert ask(Signer(good.access, "wrong")) == (403, "SignatureDoesNotMatch")
    unknown = {"minio": (403, "InvalidAccessKeyId"), "versitygw": (404, "XAdminUserNotFound")}
    assert ask(Signer("nobody", good.secret)) == unknown[s3_server.name]
    elsewhere = {"minio": (200,), "versitygw": (400, "AuthorizationHeaderMalformed")}
    assert ask(Signer(good.access, good.secret, "sa-east-1")) == elsewhere[s3_server.name]
    assert status(s3_server.request("PUT", "s3://no-such-bucket/x", body=b"x")) == (404, "NoSuchBucket")


def test_other_bytes_than_were_signed(s3_server, key):
    reply = s3_server.request("PUT", key, body=b"x", headers={"x-amz-content-sha256": hashlib.sha256(b"y").hexdigest()})
    assert status(reply) == (400, "XAmzContentSHA256Mismatch") and s3_server.get(key) is None


# ---- the harness itself ---------------------------------------------------------------------------


def test_a_kill_keeps_what_was_acknowledged(s3_server):
    """Four write while the server is killed; what they were told is there, and what they were not told is there whole or not."""
    lake, acknowledged, port = s3_server.url(), set(), s3_server.port
    body = b"0123456789" * 30_000

    def write(writer):
        for i in range(10_000):
            try:
                s3_server.put(f"{lake}/{writer}/{i}", body)
            except (OSError, HTTPException):
                return
            acknowledged.add(f"{split(lake)[1]}/{writer}/{i}")

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 20:
        time.sleep(0.01)
    s3_server.kill()
    for thread in threads:
        thread.join()
    with pytest.raises(ConnectionRefusedError):
        s3_server.get(f"{lake}/0/0")
    s3_server.start()
    s3_server.start() # no second one
    assert s3_server.port == port
    keys = set(s3_server.list(lake))
    assert acknowledged <= keys and len(keys - acknowledged) <= 4
    assert all(s3_server.get(key) == body for key in keys)


def test_a_server_that_was_left_down(s3_server):
    s3_server.kill()
    assert s3_server.list(s3_server.url()) == []


def test_lakes_are_apart(s3_server):
    one, other = s3_server.url(), s3_server.url("other")
    assert one.startswith("s3://lh-bronze/lake-") and other.startswith("s3://lh-bronze/other-")
    s3_server.put(one + "/x", b"1")
    assert s3_server.list(other) == [] and s3_server.get("x") is None


def test_a_bucket_with_versions(s3_server):
    bucket = "s3://" + s3_server.url("versions").split("/")[-1]
    s3_server.make_bucket(bucket.removeprefix("s3://"), versioning=True)
    assert s3_server.request("GET", bucket, {"versioning": ""}).text("Status") == "Enabled"
    assert s3_server.request("GET", "s3://lh-bronze", {"versioning": ""}).text("Status") is None
    key = bucket + "/a/b"
    etag = s3_server.put(key, b"first")
    assert s3_server.request("PUT", key, body=b"x", headers={"If-Match": STALE}).status == 412
    assert s3_server.request("PUT", key, body=b"second", headers={"If-Match": etag}).status == 200
    assert s3_server.request("PUT", key, body=b"x", headers={"If-None-Match": "*"}).status == 412
    reply = s3_server.request("GET", bucket, {"versions": ""})
    assert (reply.texts("Key"), reply.texts("IsLatest")) == (["a/b", "a/b"], ["true", "false"])
    s3_server.delete(key)
    assert s3_server.get(key) is None
    wanted = {"minio": 200, "versitygw": 412} # to the one a mark that it was deleted is nothing, to the other an object
    assert s3_server.request("PUT", key, body=b"third", headers={"If-None-Match": "*"}).status == wanted[s3_server.name]
    assert s3_server.request("PUT", key, body=b"third", headers={"If-Match": STALE}).status == 412


def test_over_https(minio_tls):
    lake = minio_tls.url()
    minio_tls.put(lake + "/x", b"1")
    assert minio_tls.get(lake + "/x") == b"1" and minio_tls.env["AWS_CA_BUNDLE"] == str(minio_tls.ca_file)
    with pytest.raises(ssl.SSLCertVerificationError):
        Client(minio_tls.endpoint, minio_tls.signer).request("GET", "lh-bronze")
