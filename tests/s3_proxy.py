"""A proxy between S3 clients and a server, which goes wrong where a test says so, and tells what was asked.

    proxy = S3Proxy(minio)                                     # in tests: the fixture s3_proxy(minio)
    proxy.on(drop(), "PUT", nth=2)                             # the second PUT never reaches the server, nor an answer its sender
    proxy.on(lose(), "POST", query="uploadId=", nth=1)         # the first Complete is done, and nobody is told
    proxy.on(ignore("If-Match"), "PUT")                        # a server that does not know conditions
    proxy.on(call(before=lambda: minio.put(key, b"other")), "PUT", path="details.parquet", nth=1)
    program.run(..., lake=lake, env=proxy.env)
    proxy.seen("PUT", path="details.parquet")                  # -> list of Seen

Plain http. Requests go on as they came, with the Host that was signed; only when a header is taken out it signs anew, with the server's
secret. A request and an answer are held in memory whole.
"""

import http
import http.client
import http.server
import os
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Callable

from s3_client import Client, Reply

UPSTREAM_SECONDS = 120
# of one connection, and what either side makes anew
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "expect"}


@dataclass
class Fault:
    """What becomes of a request, in the order of the fields."""

    name: str
    before: Callable = None # called when the request's head is here
    cut_request: int | bool = False # of its body this many bytes reach the server (True: half), then both sides see a reset
    forward: bool = True
    without: tuple = () # headers that the server does not get
    after: Callable = None # called when the server has answered
    delay_seconds: float = 0
    silent: bool = False # the connection ends without an answer
    change: Callable = None # a function of the Reply (an empty 200 unless forwarded) that gives another one
    cut_answer: int | bool = False # of its body this many bytes reach the client (True: half), then it sees a reset


def drop() -> Fault:
    """The server never sees it; the connection ends without an answer."""
    return Fault("drop", forward=False, silent=True)


def lose() -> Fault:
    """The server has done it; the connection ends without an answer."""
    return Fault("lose", silent=True)


def delay(seconds) -> Fault:
    """The server has done it; the answer waits."""
    return Fault("delay", delay_seconds=seconds)


def cut_request(after=True) -> Fault:
    """A reset in the middle of the request's body."""
    return Fault("cut_request", cut_request=after)


def cut_answer(after=True) -> Fault:
    """A reset in the middle of the answer's body, or when it has none of its head."""
    return Fault("cut_answer", cut_answer=after)


def answer(status, code="", message="Said by a test.", body=None, headers=(), forward=False) -> Fault:
    """This answer, with an S3 error of that code unless there is a `body`; forward: although the server has done it."""
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    content = xml.encode() if code and body is None else body or b""
    named = http.client.HTTPMessage()
    for name, value in {"Content-Type": "application/xml", **dict(headers)}.items():
        named[name] = value
    return Fault(f"answer {status} {code}".rstrip(), forward=forward, change=lambda reply: Reply(status, named, content))


def slow_down(forward=False) -> Fault:
    return answer(503, "SlowDown", forward=forward)


def broken(forward=False) -> Fault:
    return answer(500, "InternalError", forward=forward)


def error_in_200(code="InternalError", forward=False) -> Fault:
    """As S3 answers a Complete or a copy that fails after it has begun to answer."""
    return answer(200, code, forward=forward)


def ignore(*headers) -> Fault:
    """A server that does not know these headers: If-Match, If-None-Match, x-amz-copy-source-if-match, Range …"""
    return Fault("ignore " + " ".join(headers), without=headers)


def change(function) -> Fault:
    """function(Reply) -> Reply: the server's answer, and what the client gets."""
    return Fault("change", change=function)


def call(before=None, after=None) -> Fault:
    """Functions without arguments, to be called before the server sees the request and when it has answered."""
    return Fault("call", before=before, after=after)


@dataclass
class Seen:
    method: str
    path: str # as it was sent
    query: str
    headers: dict # by small names
    bytes_in: int = 0 # of the request's body
    served: int = None # the server's status; None: it was not asked, or is not there
    status: int = None # the one that the client was told; None: none
    bytes_out: int = 0 # of the answer's body
    fault: str = None
    done: bool = False


@dataclass
class Rule:
    fault: Fault
    method: str
    query: str
    path: str
    nth: object
    signed_by: str = ""
    matched: int = 0

    def takes(self, seen) -> bool:
        """Counts the requests that it is about."""
        if not matches(seen, self.method, self.query, self.path) or self.signed_by not in seen.headers.get("authorization", ""):
            return False
        self.matched += 1
        return self.nth is None or self.matched in (self.nth if hasattr(self.nth, "__contains__") else (self.nth,))


def matches(seen, method=None, query="", path="") -> bool:
    return method in (None, seen.method) and query in seen.query and path in seen.path


class S3Proxy:
    def __init__(self, server):
        """server: of tests/s3_servers.py; it may be killed and started meanwhile."""
        self.server = server
        self.rules, self.requests, self.errors = [], [], [] # errors: of a test's own functions
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._http = _Listener(("127.0.0.1", 0), _Handler)
        self._http.proxy = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def env(self) -> dict:
        return {**self.server.env, "AWS_ENDPOINT_URL_S3": self.endpoint}

    @property
    def client(self) -> Client:
        """One that asks through it."""
        return Client(self.endpoint, self.server.signer)

    def on(self, fault, method=None, query="", path="", nth=None, signed_by="") -> None:
        """What becomes of the requests of that method whose raw query and path hold these texts, of that access key. nth: of those the one (1 is the
        next), or those in a range or set. The first rule that takes a request has it; the others count it."""
        with self._lock:
            self.rules.append(Rule(fault, method, query, path, nth, signed_by))

    def clear(self) -> None:
        """From now on all goes well."""
        with self._lock:
            self.rules.clear()

    def forget(self) -> None:
        """What was asked so far."""
        with self._lock:
            self.requests.clear()

    def seen(self, method=None, query="", path="") -> list:
        """The requests that came, in their order; those under way are not `done`."""
        with self._lock:
            return [seen for seen in self.requests if matches(seen, method, query, path)]

    def judge(self, seen) -> Fault:
        """For the handler: note the request, and what becomes of it."""
        with self._lock:
            self.requests.append(seen)
            takers = [rule.fault for rule in self.rules if rule.takes(seen)]
        seen.fault = takers[0].name if takers else None
        return takers[0] if takers else Fault("pass")

    def stop(self) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, *args):
        self._open = set()
        super().__init__(*args)

    def process_request(self, request, client_address):
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self):
        super().server_close()
        for request in list(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass # has just gone

    def handle_error(self, request, client_address):
        pass # the handler keeps those that a test must know


def reset(connection) -> None:
    """Close with a reset, not with an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format, *args):
        pass

    def _serve(self):
        proxy = self.server.proxy
        path, _, query = self.path.partition("?")
        self.seen = Seen(self.command, path, query, {name.lower(): value for name, value in self.headers.items()})
        fault = proxy.judge(self.seen)
        try:
            self._go(fault)
        except (OSError, http.client.HTTPException):
            self.close_connection = True # one of the two sides has gone
        except Exception as error: # of this file
            proxy.errors.append(error)
            self.close_connection = True
        finally:
            self.seen.done = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _go(self, fault):
        seen = self.seen
        if fault.before:
            self._call(fault.before)
        if fault.cut_request is not False:
            part = self._body(fault.cut_request)
            seen.bytes_in = len(part)
            upstream = self._send(fault, part)
            reset(upstream.sock)
            return self._reset()
        body = self._body()
        seen.bytes_in = len(body)
        reply = Reply(200, http.client.HTTPMessage(), b"")
        if fault.forward:
            upstream = self._send(fault, body)
            try:
                response = upstream.getresponse()
                reply = Reply(response.status, response.msg, response.read())
            finally:
                upstream.close()
            seen.served = reply.status
        if fault.after:
            self._call(fault.after)
        self.server.proxy.stopped.wait(fault.delay_seconds)
        if fault.silent:
            self.close_connection = True
            return None
        if fault.change:
            reply = self._call(fault.change, reply)
        return self._answer(reply, fault.cut_answer)

    def _body(self, cut=False) -> bytes:
        """The request's body, or as much of it as a cut leaves."""
        if self._is_chunked():
            chunks = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass # trailers
            body = b"".join(chunks)
            return body[:self._kept(len(body), cut)]
        return self.rfile.read(self._kept(int(self.headers["Content-Length"] or 0), cut))

    @staticmethod
    def _kept(length, cut) -> int:
        return length if cut is False else length // 2 if cut is True else min(cut, length)

    def _is_chunked(self) -> bool:
        return "chunked" in self.seen.headers.get("transfer-encoding", "")

    def _call(self, function, *args):
        """One of a test's."""
        try:
            return function(*args)
        except Exception as error:
            self.server.proxy.errors.append(error)
            raise ConnectionAbortedError from error

    def _send(self, fault, body) -> http.client.HTTPConnection:
        """The head without what the fault takes out, and this much of the body."""
        stripped = {name.lower() for name in fault.without}
        headers = [(name, value) for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP | stripped]
        if stripped & self.seen.headers.keys():
            headers = [(name, self._signed_anew(stripped) if name.lower() == "authorization" else value) for name, value in headers]
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.proxy.server.port, timeout=UPSTREAM_SECONDS)
        upstream.connect()
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            upstream.putheader(name, value)
        upstream.putheader("Connection", "close")
        try:
            if self._is_chunked():
                upstream.putheader("Transfer-Encoding", "chunked")
                upstream.endheaders([body] if body else [], encode_chunked=True)
            else:
                upstream.endheaders(body)
        except ConnectionError:
            pass # it has heard enough: its answer may be there
        return upstream

    def _signed_anew(self, stripped) -> str:
        seen = self.seen
        names = re.search(r"SignedHeaders=([^,\s]+)", seen.headers["authorization"])[1].split(";")
        return self.server.proxy.server.signer.sign(seen.method, seen.path, seen.query, seen.headers,
                                                    [name for name in names if name not in stripped])

    def _answer(self, reply, cut):
        bare = self.command == "HEAD" or reply.status in (204, 304)
        headers = [(name, value) for name, value in reply.headers.items()
                   if name.lower() not in HOP_BY_HOP and (bare or name.lower() != "content-length")]
        if not bare:
            headers.append(("Content-Length", str(len(reply.body))))
        try:
            phrase = http.HTTPStatus(reply.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers), "", ""]
        head, body = "\r\n".join(lines).encode("iso-8859-1"), b"" if bare else reply.body
        if cut is not False:
            self.seen.bytes_out = self._kept(len(body), cut)
            self.wfile.write(head + body[:self.seen.bytes_out] if body else head[:len(head) // 2])
            return self._reset()
        self.seen.status, self.seen.bytes_out, self.seen.done = reply.status, len(body), True # before the client knows
        self.wfile.write(head + body)
        return None

    def _reset(self):
        self.seen.done = True
        reset(self.connection)
        self.close_connection = True
