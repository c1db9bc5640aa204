"""Signed S3 requests, on the standard library alone: what the tests ask a server by, beside the program under test.

    client = Client("http://127.0.0.1:9000", Signer(access, secret))
    client.request("PUT", "lh-bronze", "a/b", body=b"bytes", headers={"If-None-Match": "*"}).status

Signature version 4, as in Amazon S3's documentation, "Authenticating Requests (AWS Signature Version 4)".
"""

import hashlib
import hmac
import http.client
import ssl
import time
import urllib.parse
import xml.etree.ElementTree as ET
from dataclasses import dataclass

TIMEOUT_SECONDS = 60


def encode(text, safe="") -> str:
    """Percent-encoded, all but what S3 leaves as it is."""
    return urllib.parse.quote(text, safe=safe + "-_.~")


def query_string(pairs) -> str:
    """name=value of a dict or of pairs, encoded and in the order in which they are signed."""
    pairs = pairs.items() if isinstance(pairs, dict) else pairs
    return "&".join(f"{name}={value}" for name, value in sorted((encode(str(name)), encode(str(value))) for name, value in pairs))


@dataclass(frozen=True)
class Signer:
    access: str
    secret: str
    region: str = "us-east-1"
    service: str = "s3"

    def sign(self, method, path, query, headers, names=None) -> str:
        """The value of Authorization for a request with the encoded `path` and `query`. x-amz-date and x-amz-content-sha256 are
        among `headers`; names: the headers that are signed, all unless given."""
        headers = {name.lower(): value for name, value in headers.items()}
        names, when = sorted(names or headers), headers["x-amz-date"]
        path, query = encode(urllib.parse.unquote(path), "/"), query_string(urllib.parse.parse_qsl(query, keep_blank_values=True))
        lines = [f"{name}:{' '.join(headers[name].split())}\n" for name in names]
        canonical = "\n".join([method, path, query, "".join(lines), ";".join(names), headers["x-amz-content-sha256"]])
        scope = f"{when[:8]}/{self.region}/{self.service}/aws4_request"
        key = ("AWS4" + self.secret).encode()
        for word in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"):
            key = hmac.digest(key, word.encode(), "sha256")
        return f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, SignedHeaders={';'.join(names)}, Signature={key.hex()}"


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def etag(self) -> str:
        """Of the header, else of the XML in the body; with its quotes."""
        return self.headers["ETag"] or self.text("ETag")

    @property
    def code(self) -> str:
        """The error's <Code>; None: it has no XML."""
        return self.text("Code")

    def texts(self, name) -> list:
        """The texts of the elements `name` in the body."""
        if not self.body.lstrip().startswith(b"<"):
            return []
        return [element.text or "" for element in ET.fromstring(self.body).iter() if element.tag.split("}")[-1] == name]

    def text(self, name) -> str:
        return next(iter(self.texts(name)), None)


class Client:
    """A connection a request: what one test does to a connection is nothing to another."""

    def __init__(self, url, signer, ca_file=None):
        self.url, self.signer = url, signer
        self._address = urllib.parse.urlsplit(url)
        self._tls = ssl.create_default_context(cafile=ca_file) if self._address.scheme == "https" else None

    def _connect(self, timeout):
        if self._tls is None:
            return http.client.HTTPConnection(self._address.hostname, self._address.port, timeout=timeout)
        return http.client.HTTPSConnection(self._address.hostname, self._address.port, timeout=timeout, context=self._tls)

    def request(self, method, bucket, key="", query=(), body=b"", headers=None, timeout=TIMEOUT_SECONDS) -> Reply:
        """headers: more of them, signed too. A body goes with every PUT and POST, be it empty."""
        path, query = "/" + encode("/".join([bucket, key] if key else [bucket]), "/"), query_string(query)
        signed = {"Host": self._address.netloc, "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
                  "x-amz-content-sha256": hashlib.sha256(body).hexdigest(), **(headers or {})}
        authorization = self.signer.sign(method, path, query, signed)
        connection = self._connect(timeout)
        try:
            connection.connect()
            try:
                connection.request(method, path + (f"?{query}" if query else ""), body=body if method in ("PUT", "POST") else None,
                                   headers={**signed, "Authorization": authorization})
            except ConnectionError:
                pass # who refuses does not read a long body to its end; the answer may be there
            response = connection.getresponse()
            return Reply(response.status, response.msg, response.read())
        finally:
            connection.close()
