"""Real S3 servers on this machine: MinIO and versitygw, as ./dev setup builds them (tools/servers).

    lake = server.url()                         # s3://lh-bronze/lake-00003: one that does not exist yet; the server runs
    program.run(..., lake=lake, env=server.env)
    server.list(lake), server.get(lake + "/pncp_details/…"), server.head(...), server.uploads(...)
    server.kill(); server.start()               # kill -9; the same port and data

A key is named by its URL, or without one it lies in the bucket lh-bronze. The binaries are in $PNCP_SERVERS, else where this tree's setup
has put them.
"""

import base64
import errno
import itertools
import json
import os
import random
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
from dataclasses import replace
from hashlib import md5
from http.client import HTTPMessage
from pathlib import Path

from s3_client import Client, Reply, Signer
from simulator import ROOT

BUCKET = "lh-bronze"
REGION = "us-east-1"
START_SECONDS = 60
_numbers = itertools.count(1)


def binary(name) -> Path:
    """minio or versitygw; it need not be there."""
    folder = os.environ.get("PNCP_SERVERS")
    if not folder:
        script = '. "$0/tools/common.sh"; servers_dir'
        folder = subprocess.run(["bash", "-c", script, ROOT], check=True, capture_output=True, text=True).stdout.strip()
    return Path(folder) / name


def free_port() -> int:
    """A port that nobody listens on, below those that the system gives to connections: while a killed server is away, no
    client may get its port."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, max(lowest, 20_000))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise


def folder_with_xattrs() -> Path:
    """A folder where files may have extended attributes of the user's, which versitygw keeps what it knows in; None: there is
    none among those where a test may write."""
    for folder in (tempfile.gettempdir(), "/var/tmp", os.environ.get("PNCP_BUILD", ROOT / "build")):
        try:
            with tempfile.NamedTemporaryFile(dir=folder) as file:
                os.setxattr(file.name, "user.pncp.test", b"1")
                return Path(folder)
        except OSError:
            pass
    return None


def make_certificate(folder) -> Path:
    """public.crt, signed by itself, and private.key of 127.0.0.1 and localhost: MinIO's names for them."""
    certificate = folder / "public.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                    "-addext", "keyUsage=critical,digitalSignature,keyCertSign", "-keyout", folder / "private.key",
                    "-out", certificate], check=True, capture_output=True)
    return certificate


def split(key) -> tuple:
    """(bucket, key) of a URL, or of a key in the usual bucket."""
    if not key.startswith("s3://"):
        return BUCKET, key
    bucket, _, key = key.removeprefix("s3://").partition("/")
    return bucket, key


class S3Server:
    """A server with its data in a folder of its own, on a free loopback port. A subclass says how it is called."""

    name = ""
    scheme = "http"
    ca_file = None

    def __init__(self, folder=None):
        """folder: where its folder is made."""
        self.folder = Path(tempfile.mkdtemp(prefix=f"pncp-{self.name}-", dir=folder))
        self.data, self.log = self.folder / "data", self.folder / "log"
        self.data.mkdir()
        self.port = free_port()
        self.signer = Signer("tests" + secrets.token_hex(4), secrets.token_hex(16), REGION)
        self.process = None
        try:
            self.start()
            self.make_bucket(BUCKET)
        except BaseException:
            self.stop()
            raise

    def command(self) -> list:
        raise NotImplementedError

    def settings(self) -> dict:
        """Its environment, beside what every process needs."""
        return {}

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def env(self) -> dict:
        """What a client needs."""
        ca_bundle = {"AWS_CA_BUNDLE": str(self.ca_file)} if self.ca_file else {}
        return {"AWS_ENDPOINT_URL_S3": self.endpoint, "AWS_ACCESS_KEY_ID": self.signer.access,
                "AWS_SECRET_ACCESS_KEY": self.signer.secret, "AWS_REGION": REGION, **ca_bundle}

    # ---- its life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Where it is down, bring it up, and wait until it answers."""
        if self.process is not None and self.process.poll() is None:
            return
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder), **self.settings()}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(word) for word in self.command()], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env=environment, cwd=self.folder)
        deadline = time.monotonic() + START_SECONDS
        while not self._is_well():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self.name} did not start: {self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def _is_well(self) -> bool:
        """Does it list its buckets? MinIO calls itself ready before it can."""
        try:
            return self.client.request("GET", "", timeout=5).status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9. Who is connected sees a reset, who comes later is refused."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """For good, with its data."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what it holds ------------------------------------------------------------------------------

    @property
    def client(self) -> Client:
        return Client(self.endpoint, self.signer, self.ca_file)

    def url(self, prefix="lake") -> str:
        """A lake that does not exist yet, another at each call. A server that another test left down is brought up."""
        self.start()
        return f"s3://{BUCKET}/{prefix}-{next(_numbers):05}" # none begins with another one's name

    def request(self, method, key, query=(), body=b"", headers=None) -> Reply:
        """Any request about a key, or about a bucket: s3://NAME."""
        return self.client.request(method, *split(key), query, body, headers)

    def make_bucket(self, name, versioning=False, retention_days=None) -> None:
        """retention_days: with object lock, which has versions too; 0: without a default retention."""
        lock = {"x-amz-bucket-object-lock-enabled": "true"} if retention_days is not None else {}
        _good(self.request("PUT", f"s3://{name}", headers=lock))
        if retention_days:
            rule = f"<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>{retention_days}</Days></DefaultRetention></Rule>"
            body = f"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>".encode()
            _good(self.request("PUT", f"s3://{name}", {"object-lock": ""}, body, {"Content-MD5": base64.b64encode(md5(body).digest()).decode()}))
        if versioning:
            body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
            _good(self.request("PUT", f"s3://{name}", {"versioning": ""}, body))

    def put(self, key, body, headers=None) -> str:
        """Its ETag."""
        return _good(self.request("PUT", key, body=body, headers=headers)).etag

    def get(self, key) -> bytes:
        """None: there is no such key."""
        reply = self.request("GET", key)
        return None if reply.status == 404 else _good(reply).body

    def head(self, key) -> HTTPMessage:
        """Its headers, by names of any case; None: there is no such key."""
        reply = self.request("HEAD", key)
        return None if reply.status == 404 else _good(reply).headers

    def delete(self, key) -> None:
        _good(self.request("DELETE", key))

    def list(self, prefix="") -> list:
        """The keys of a bucket that begin so, in order, as they are in it."""
        bucket, prefix = split(prefix)
        keys, query = [], {"list-type": 2, "prefix": prefix}
        while True:
            reply = _good(self.request("GET", f"s3://{bucket}", query))
            keys += reply.texts("Key")
            if reply.text("IsTruncated") != "true":
                return keys
            query["continuation-token"] = reply.text("NextContinuationToken")

    def versions(self, prefix="") -> list:
        """The keys of a versioned bucket that begin so, once for each version that it keeps; what was deleted is one more."""
        bucket, prefix = split(prefix)
        keys, query = [], {"versions": "", "prefix": prefix}
        while True:
            reply = _good(self.request("GET", f"s3://{bucket}", query))
            keys += reply.texts("Key")
            if reply.text("IsTruncated") != "true":
                return keys
            query.update({"key-marker": reply.text("NextKeyMarker"), "version-id-marker": reply.text("NextVersionIdMarker")})

    def uploads(self, key) -> list:
        """Ids of the multipart uploads of this very key that are neither completed nor aborted."""
        bucket, key = split(key)
        reply = _good(self.request("GET", f"s3://{bucket}", {"uploads": "", "prefix": key}))
        return [upload for name, upload in zip(reply.texts("Key"), reply.texts("UploadId"), strict=True) if name == key]


def _good(reply) -> Reply:
    assert reply.status in (200, 204), f"{reply.status}: {reply.body[:500]}"
    return reply


class Minio(S3Server):
    """One drive."""

    name = "minio"

    @property
    def certs(self) -> Path:
        """Without any it speaks plain http."""
        return self.folder / "certs"

    def command(self) -> list:
        self.certs.mkdir(exist_ok=True)
        return [binary("minio"), "server", "--quiet", "--address", f"127.0.0.1:{self.port}", "--certs-dir", self.certs, self.data]

    def settings(self) -> dict:
        return {"MINIO_ROOT_USER": self.signer.access, "MINIO_ROOT_PASSWORD": self.signer.secret, "MINIO_CI_CD": "1",
                "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"}


    def session(self, actions=("s3:*",)) -> dict:
        """Environment of credentials of its STS: with a session token, for 15 minutes and these actions only."""
        policy = {"Version": "2012-10-17",
                  "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": ["arn:aws:s3:::*"]}]}
        form = {"Action": "AssumeRole", "Version": "2011-06-15", "DurationSeconds": 900, "Policy": json.dumps(policy)}
        client = Client(self.endpoint, replace(self.signer, service="sts"), self.ca_file)
        reply = _good(client.request("POST", "", body=urllib.parse.urlencode(form).encode(),
                                     headers={"Content-Type": "application/x-www-form-urlencoded"}))
        names = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey", "AWS_SESSION_TOKEN": "SessionToken"}
        return {name: reply.text(element) for name, element in names.items()}


class MinioTls(Minio):
    """The same over https, with a certificate that only its own file vouches for."""

    scheme = "https"

    def command(self) -> list:
        command = super().command()
        if self.ca_file is None:
            self.ca_file = make_certificate(self.certs)
        return command


class Versitygw(S3Server):
    """Its posix store: a file an object."""

    name = "versitygw"

    def command(self) -> list:
        versions = self.folder / "versions"
        versions.mkdir(exist_ok=True)
        return [binary("versitygw"), "--port", f"127.0.0.1:{self.port}", "--region", REGION, "--quiet",
                "posix", "--versioning-dir", versions, self.data]

    def settings(self) -> dict:
        return {"ROOT_ACCESS_KEY": self.signer.access, "ROOT_SECRET_KEY": self.signer.secret}
