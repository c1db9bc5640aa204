"""Reading a few small objects of a bucket, with the addresses and key pairs that pncp-details itself takes from its environment.
The standard library only: a worker has no S3 client for certain. Credentials of other kinds (web identity, profiles) are not
known here."""

import datetime
import hashlib
import hmac
import ssl
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping

TIMEOUT_SECONDS = 30
OBJECT_BYTES = 8 << 20
EMPTY = hashlib.sha256(b"").hexdigest()


def first_of(env: Mapping[str, str], *names: str) -> str | None:
    return next((env[name] for name in names if env.get(name)), None)


class S3Reader:
    def __init__(self, bucket: str, env: Mapping[str, str]):
        self.region = first_of(env, "AWS_REGION", "AWS_DEFAULT_REGION", "MINIO_REGION_NAME") or "us-east-1"
        endpoint = first_of(env, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "MINIO_ENDPOINT_URL") or f"https://s3.{self.region}.amazonaws.com"
        self.access, self.token = env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SESSION_TOKEN")
        self.secret = env.get("AWS_SECRET_ACCESS_KEY")
        if not (self.access and self.secret):
            self.access, self.secret, self.token = env.get("MINIO_ACCESS_KEY"), env.get("MINIO_SECRET_KEY"), None
        if not (self.access and self.secret):
            raise OSError("there is no key pair of the bucket in the environment or the Connection")
        self.base = f"{endpoint.rstrip('/')}/{bucket}"
        authority = first_of(env, "AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        handlers = [urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority))]
        self.opener = urllib.request.build_opener(*handlers)

    def keys(self, prefix: str, start_after: str) -> Iterator[str]:
        """The keys below `prefix` that come after `start_after`, in their order."""
        query = {"list-type": "2", "prefix": prefix, "start-after": start_after}
        while True:
            page = ElementTree.fromstring(self._request("", query))
            for element in page.iter():
                if element.tag.rpartition("}")[2] == "Key":
                    yield element.text
            token = next((e.text for e in page.iter() if e.tag.rpartition("}")[2] == "NextContinuationToken"), None)
            if not token:
                return
            query["continuation-token"] = token

    def get(self, key: str) -> bytes:
        return self._request("/" + key, {})

    def _request(self, path: str, query: Mapping[str, str]) -> bytes:
        parts = urllib.parse.urlsplit(self.base + urllib.parse.quote(path))
        text = "&".join(f"{urllib.parse.quote(name, safe='')}={urllib.parse.quote(value, safe='')}" for name, value in sorted(query.items()))
        headers = self._signed(parts.netloc, parts.path, text)
        url = urllib.parse.urlunsplit((parts.scheme, parts.netloc, parts.path, text, ""))
        try:
            with self.opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_SECONDS) as answer:
                return answer.read(OBJECT_BYTES)
        except urllib.error.HTTPError as error:
            raise OSError(f"{parts.netloc} answers {error.code} to {parts.path}") from None

    def _signed(self, host: str, path: str, query: str) -> dict[str, str]:
        """AWS Signature Version 4 of a GET without a body."""
        now = f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%SZ}"
        headers = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": now}
        if self.token:
            headers["x-amz-security-token"] = self.token
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        request = hashlib.sha256(f"GET\n{path}\n{query}\n{lines}\n{names}\n{EMPTY}".encode()).hexdigest()
        key = b"AWS4" + self.secret.encode()
        for word in scope.split("/"):
            key = hmac.digest(key, word.encode(), "sha256")
        signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{request}".encode(), "sha256").hexdigest()
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={self.access}/{scope}, SignedHeaders={names}, Signature={signature}"
        return headers
