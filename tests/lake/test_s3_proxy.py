"""The proxy that goes wrong (tests/s3_proxy.py): each of its faults does to client and server what it says."""

import http.client
import threading
import time

import pytest
from lake_day import wait_until
from s3_client import Reply, Signer, encode
from s3_proxy import S3Proxy, answer, broken, call, change, cut_answer, cut_request, delay, drop, error_in_200, ignore, lose, slow_down
from s3_servers import split

STALE = '"' + "0" * 32 + '"'
NO_ANSWER = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


@pytest.fixture
def proxy(s3_server, s3_proxy):
    return s3_proxy(s3_server)


@pytest.fixture
def key(s3_server):
    return s3_server.url() + "/year=2025/ç d"


def through(proxy, method, key, query=(), body=b"", headers=None) -> Reply:
    return proxy.client.request(method, *split(key), query, body, headers)


def test_all_goes_through(proxy, s3_server, key):
    assert proxy.env == {**s3_server.env, "AWS_ENDPOINT_URL_S3": proxy.endpoint}
    reply = through(proxy, "PUT", key, body=b"12345", headers={"If-None-Match": "*", "x-amz-meta-a": "b"})
    assert reply.status == 200 and reply.etag == s3_server.head(key)["ETag"]
    assert through(proxy, "PUT", key, body=b"x", headers={"If-None-Match": "*"}).code == "PreconditionFailed"
    reply = through(proxy, "GET", key, headers={"Range": "bytes=1-2"})
    assert (reply.status, reply.body, reply.headers["Content-Range"]) == (206, b"23", "bytes 1-2/5")
    reply = through(proxy, "HEAD", key)
    assert (reply.body, reply.headers["Content-Length"], reply.headers["x-amz-meta-a"]) == (b"", "5", "b")
    reply = through(proxy, "GET", "s3://lh-bronze", {"list-type": 2, "prefix": split(key)[1]})
    assert reply.texts("Key") == [split(key)[1]]
    assert through(proxy, "DELETE", key).status == 204 and through(proxy, "GET", key).status == 404
    seen = proxy.seen()
    assert [(one.method, one.status, one.served, one.bytes_in, one.fault) for one in seen[:5]] == [
        ("PUT", 200, 200, 5, None), ("PUT", 412, 412, 1, None), ("GET", 206, 206, 0, None), ("HEAD", 200, 200, 0, None),
        ("GET", 200, 200, 0, None)]
    assert seen[0].path == "/" + encode("/".join(split(key)), "/") and seen[0].headers["if-none-match"] == "*"
    assert [one.bytes_out for one in seen[2:4]] == [2, 0] and all(one.done for one in seen)
    assert proxy.seen("GET", query="list-type=2") == seen[4:5] and len(proxy.seen(path="/year%3D2025/")) == 6
    proxy.forget()
    assert proxy.seen() == []


def test_one_connection_for_many_requests(proxy, s3_server, key):
    """Of 1 MiB each way: what a client keeps open stays so."""
    body, bucket_and_name = b"0123456789abcdef" * 65536, "/" + encode("/".join(split(key)), "/")
    connection = http.client.HTTPConnection("127.0.0.1", int(proxy.endpoint.split(":")[-1]))
    connection.connect()
    socket = connection.sock
    for method in ("PUT", "GET", "PUT", "HEAD", "GET"):
        sent = body if method == "PUT" else None
        headers = {"Host": proxy.endpoint.removeprefix("http://"), "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
                   "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())}
        headers["Authorization"] = s3_server.signer.sign(method, bucket_and_name, "", headers)
        connection.request(method, bucket_and_name, sent, headers)
        response = connection.getresponse()
        assert response.status == 200 and response.read() == (body if method == "GET" else b"")
    assert connection.sock is socket
    connection.close()


def test_drop(proxy, s3_server, key):
    proxy.on(drop(), "PUT", nth=2)
    assert through(proxy, "PUT", key, body=b"first").status == 200
    with pytest.raises(NO_ANSWER):
        through(proxy, "PUT", key, body=b"second")
    assert s3_server.get(key) == b"first"
    assert through(proxy, "PUT", key, body=b"third").status == 200
    assert [(one.served, one.status, one.fault) for one in proxy.seen("PUT")] == [(200, 200, None), (None, None, "drop"),
                                                                                 (200, 200, None)]


def test_lose(proxy, s3_server, key):
    proxy.on(lose(), "PUT", nth=1)
    with pytest.raises(NO_ANSWER):
        through(proxy, "PUT", key, body=b"first")
    assert s3_server.get(key) == b"first"
    assert [(one.served, one.status, one.done) for one in proxy.seen()] == [(200, None, True)]


def test_delay(proxy, s3_server, key):
    proxy.on(delay(0.7), "PUT")
    begun = time.monotonic()
    thread = threading.Thread(target=through, args=(proxy, "PUT", key, (), b"x"))
    thread.start()
    wait_until(lambda: s3_server.get(key) == b"x") # done, and not told
    assert [(one.status, one.done) for one in proxy.seen()] == [(None, False)]
    thread.join()
    assert 0.7 <= time.monotonic() - begun < 10 and proxy.seen()[0].status == 200


@pytest.mark.parametrize("after", [True, 0, 1000])
def test_a_cut_request(proxy, s3_server, key, after):
    s3_server.put(key, b"old")
    proxy.on(cut_request(after), "PUT")
    with pytest.raises(NO_ANSWER):
        through(proxy, "PUT", key, body=b"0123456789" * 100_000)
    assert proxy.seen()[0].bytes_in == (500_000 if after is True else after)
    assert s3_server.get(key) == b"old"


@pytest.mark.parametrize("after", [True, 0, 1000])
def test_a_cut_answer(proxy, s3_server, key, after):
    s3_server.put(key, b"0123456789" * 100_000)
    proxy.on(cut_answer(after), "GET")
    with pytest.raises(ConnectionResetError) as raised:
        through(proxy, "GET", key)
    assert raised.type is ConnectionResetError # not the one of http.client that says: it ended
    assert proxy.seen()[0].bytes_out == (500_000 if after is True else after)


def test_a_cut_answer_without_a_body(proxy, s3_server, key):
    proxy.on(cut_answer(), "PUT")
    with pytest.raises(ConnectionResetError) as raised:
        through(proxy, "PUT", key, body=b"x")
    assert raised.type is ConnectionResetError
    assert s3_server.get(key) == b"x"


@pytest.mark.parametrize("fault, status, code", [(broken, 500, "InternalError"), (slow_down, 503, "SlowDown"),
                                                 (error_in_200, 200, "InternalError")])
@pytest.mark.parametrize("forward", [False, True])
def test_answers_that_are_made_up(proxy, s3_server, key, fault, status, code, forward):
    proxy.on(fault(forward=forward), "PUT", nth=range(1, 3))
    for body in (b"first", b"second"):
        reply = through(proxy, "PUT", key, body=body)
        assert (reply.status, reply.code, reply.headers["Content-Type"]) == (status, code, "application/xml")
    assert s3_server.get(key) == (b"second" if forward else None)
    assert through(proxy, "PUT", key, body=b"third").status == 200
    assert [one.served for one in proxy.seen()] == [200 if forward else None] * 2 + [200]


def test_an_answer_of_any_kind(proxy, key):
    proxy.on(answer(307, body=b"elsewhere", headers={"Location": "http://127.0.0.1:1/"}), "GET")
    proxy.on(answer(403, "AccessDenied"), "HEAD")
    reply = through(proxy, "GET", key)
    assert (reply.status, reply.body, reply.headers["Location"]) == (307, b"elsewhere", "http://127.0.0.1:1/")
    reply = through(proxy, "HEAD", key)
    assert (reply.status, reply.body) == (403, b"")


def test_a_server_that_knows_no_conditions(proxy, s3_server, key):
    """What is not sent need not be signed: the others still are."""
    s3_server.put(key, b"old")
    proxy.on(ignore("If-Match", "If-None-Match"), "PUT")
    for condition in ({"If-Match": STALE}, {"If-None-Match": "*"}):
        assert through(proxy, "PUT", key, body=b"new", headers={**condition, "x-amz-meta-a": "b"}).status == 200
        assert s3_server.get(key) == b"new" and s3_server.head(key)["x-amz-meta-a"] == "b"
    proxy.clear()
    assert through(proxy, "PUT", key, body=b"x", headers={"If-Match": STALE}).status == 412


def test_a_server_that_knows_no_conditions_of_parts(proxy, s3_server, key):
    s3_server.put(key, b"old")
    proxy.on(ignore("x-amz-copy-source-if-match"), "PUT", query="partNumber=")
    proxy.on(ignore("If-Match"), "POST", query="uploadId=")
    upload = through(proxy, "POST", key, {"uploads": ""}).text("UploadId")
    source = {"x-amz-copy-source": "/" + encode("/".join(split(key)), "/"), "x-amz-copy-source-range": "bytes=1-2"}
    part = through(proxy, "PUT", key, {"partNumber": 1, "uploadId": upload}, headers={**source, "x-amz-copy-source-if-match": STALE})
    assert part.status == 200
    body = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part.etag}</ETag></Part></CompleteMultipartUpload>"
    reply = through(proxy, "POST", key, {"uploadId": upload}, body.encode(), {"If-Match": STALE})
    assert (reply.status, reply.code, s3_server.get(key)) == (200, None, b"ld")


def test_what_is_left_out_does_not_make_a_bad_signature_good(proxy, s3_server, key):
    """Only where something is taken out is the proxy's own signature there."""
    client = proxy.client
    client.signer = Signer(s3_server.signer.access, "wrong")
    proxy.on(ignore("If-Match"))
    assert client.request("PUT", *split(key), body=b"x").code == "SignatureDoesNotMatch"
    assert client.request("PUT", *split(key), body=b"x", headers={"If-Match": STALE}).status == 200


def test_a_changed_answer(proxy, s3_server, key):
    def other_etag(reply):
        del reply.headers["ETag"]
        reply.headers["ETag"] = STALE
        return reply

    s3_server.put(key, b"x")
    proxy.on(change(other_etag), "HEAD")
    assert through(proxy, "HEAD", key).etag == STALE
    proxy.on(change(lambda reply: Reply(reply.status, reply.headers, reply.body + b"more")), "GET")
    assert through(proxy, "GET", key).body == b"xmore"


def test_what_happens_in_between(proxy, s3_server, key):
    etag, after = s3_server.put(key, b"old"), []
    proxy.on(call(before=lambda: s3_server.put(key, b"another's"), after=lambda: after.append(s3_server.get(key))), "PUT", nth=1)
    assert through(proxy, "PUT", key, body=b"mine", headers={"If-Match": etag}).status == 412
    assert after == [b"another's"]


def test_a_killed_server(proxy, s3_server, key):
    """In the middle of a request, and while it is away."""
    proxy.on(call(after=s3_server.kill), "PUT", nth=1)
    assert through(proxy, "PUT", key, body=b"x").status == 200
    with pytest.raises(NO_ANSWER):
        through(proxy, "GET", key)
    assert proxy.seen("GET")[0].served is None
    s3_server.start()
    assert through(proxy, "GET", key).body == b"x"


def test_which_rule_has_a_request(proxy, key):
    """The first that takes it; each counts all that it is about."""
    proxy.on(answer(500, "First"), "GET", nth={2, 4})
    proxy.on(answer(500, "Second"), path="/year", nth=3)
    proxy.on(answer(500, "Third"), query="never=")
    codes = [through(proxy, "GET", key).code for _ in range(5)]
    assert codes == ["NoSuchKey", "First", "Second", "First", "NoSuchKey"]


def test_many_at_once(proxy, s3_server, key):
    proxy.on(slow_down(), "PUT", nth=range(1, 51))
    statuses = []

    def write(writer):
        for i in range(10):
            statuses.append(through(proxy, "PUT", f"{key}/{writer}/{i}", body=b"x" * 1000).status)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 30 + [503] * 50 and len(s3_server.list(key)) == 30
    assert sum(one.bytes_in for one in proxy.seen()) == 80_000


def test_a_body_of_unknown_length(proxy, key):
    """In chunks: the server says what it thinks of them."""
    connection = http.client.HTTPConnection("127.0.0.1", int(proxy.endpoint.split(":")[-1]))
    connection.request("PUT", "/lh-bronze/x", iter([b"12345", b"67"]), {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert 400 <= connection.getresponse().status < 500
    assert proxy.seen()[0].bytes_in == 7
    connection.close()


def test_a_function_that_fails_is_known(minio):
    def gone():
        raise ConnectionRefusedError

    with S3Proxy(minio) as proxy:
        proxy.on(call(before=lambda: 1 / 0), nth=1)
        proxy.on(call(after=gone), nth=2)
        for _ in range(2):
            with pytest.raises(NO_ANSWER):
                through(proxy, "GET", minio.url())
    assert [type(error) for error in proxy.errors] == [ZeroDivisionError, ConnectionRefusedError]
