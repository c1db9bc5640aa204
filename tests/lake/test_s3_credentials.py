"""Credentials that may not do everything, and those that expire while a run is under way."""

import http.server
import threading
import time
from xml.sax.saxutils import escape

import pytest
from lake_day import stamp
from lake_in_bucket import LEASE, Bucket
from program import DAY, run
from s3_proxy import answer, call

READ = ("s3:GetObject", "s3:ListBucket")


@pytest.fixture
def bucket(minio, tmp_path):
    return Bucket(minio, tmp_path)


def assert_no_secrets(result, env) -> None:
    told = result.stdout + "\n".join(result.stderr)
    assert not [name for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN") if env.get(name) and env[name] in told]


def test_a_session(bucket, simulator):
    sim = simulator("--day", DAY, "--count", 60)
    env = {**bucket.server.env, **bucket.server.session()}
    assert_no_secrets(bucket.ingest(sim, env=env), env)
    bucket.assert_whole(sim)


def test_rights_to_read_only(bucket, simulator):
    sim = simulator("--day", DAY, "--count", 60)
    bucket.ingest(sim, "--batch-size", 30)
    before = bucket.copy().files()
    env = {**bucket.server.env, **bucket.server.session(READ)}
    result = bucket.ingest(sim, env=env, exit=1)
    assert "these credentials may not do that" in result.stderr[-1] and len(result.stderr) == 1
    assert_no_secrets(result, env)
    doctor = run("doctor", lake=bucket.url, env=env, exit=1).summary["findings"]
    assert doctor[-1]["level"] == "REFUSED" and "these credentials may not do that" in doctor[-1]["text"]
    assert bucket.ask("status", env=env).summary["done"] == 30 # reading is all that it needs
    assert bucket.copy().files() == before


class Sts(http.server.ThreadingHTTPServer):
    """AssumeRoleWithWebIdentity: gives one of `sessions` after the other; when there are no more it refuses."""

    daemon_threads = True

    def __init__(self, sessions, expires_s=3600):
        super().__init__(("127.0.0.1", 0), _StsHandler)
        self.sessions, self.expires_s, self.asked = list(sessions), expires_s, 0
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.shutdown()
        self.server_close()

    def env(self, folder) -> dict:
        (folder / "token").write_text("a.web.token")
        return {"AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token"), "AWS_ROLE_ARN": "arn:aws:iam::1:role/lake",
                "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{self.server_port}"}


class _StsHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def do_POST(self):
        sts = self.server
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sts.asked += 1
        if "a.web.token" not in form or sts.asked > len(sts.sessions):
            return self._reply(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
        session = sts.sessions[sts.asked - 1]
        values = {"AccessKeyId": session["AWS_ACCESS_KEY_ID"], "SecretAccessKey": session["AWS_SECRET_ACCESS_KEY"],
                  "SessionToken": session["AWS_SESSION_TOKEN"], "Expiration": stamp(time.time() + sts.expires_s)}
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
        return self._reply(200, "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>" + inner +
                           "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>")

    def _reply(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


OVER = {"AWS": (400, "ExpiredToken"), "MinIO": (403, "InvalidAccessKeyId"), "versitygw": (404, "XAdminUserNotFound")}


@pytest.fixture(params=["MinIO", *(pytest.param(name, marks=pytest.mark.full) for name in OVER if name != "MinIO")])
def over(request):
    """What a store answers when a session is over."""
    return answer(*OVER[request.param])


READ_EVERY_SECONDS = 10 # PNCP_S3_REFRESH_EVERY_S: credentials are not read anew more often


def end_session(proxy, over, session, after=0.0) -> None:
    """It is over when the second commit is to be sent, and so many seconds from now."""
    begun = time.monotonic()

    def end():
        time.sleep(max(0.0, begun + after - time.monotonic()))
        proxy.on(over, signed_by=session["AWS_ACCESS_KEY_ID"])

    proxy.on(call(before=end), "PUT", path="details.parquet", nth=2)


def test_a_session_that_ends_is_followed_by_another(over, bucket, s3_proxy, simulator, tmp_path):
    sim, proxy = simulator("--day", DAY, "--count", 200), s3_proxy(bucket.server)
    sessions = [bucket.server.session(), bucket.server.session()]
    bucket.ask("list", sim=sim)
    end_session(proxy, over, sessions[0], after=READ_EVERY_SECONDS + 2)
    unset = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    with Sts(sessions) as sts:
        env = {**proxy.env, **unset, **sts.env(tmp_path)}
        result = bucket.ingest(sim, "--checkpoint-every", 10, env=env)
        assert sts.asked == 2 and any(seen.fault for seen in proxy.seen())
    assert_no_secrets(result, sessions[0])
    bucket.assert_whole(sim)


def test_a_session_is_followed_by_another_before_it_ends(bucket, s3_proxy, simulator, tmp_path):
    """Five minutes before: the first has four."""
    sim, proxy = simulator("--day", DAY, "--count", 100, "--latency-detail", 300), s3_proxy(bucket.server)
    unset = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    sessions = [bucket.server.session() for _ in range(3)]
    with Sts(sessions, expires_s=240) as sts:
        bucket.ingest(sim, "--checkpoint-every", 10, "--connections", 4, env={**proxy.env, **unset, **sts.env(tmp_path)})
        assert sts.asked >= 2
    assert sum(sessions[1]["AWS_ACCESS_KEY_ID"] in seen.headers["authorization"] for seen in proxy.seen()) > 1
    bucket.assert_whole(sim)


@pytest.mark.parametrize("web", [False, True], ids=["from the environment", "web identity"])
def test_a_session_that_ends_for_good(web, over, bucket, s3_proxy, simulator, tmp_path):
    """The rows that are fetched wait in the spool, the exit says that another run may do it, and the next one saves them."""
    sim, proxy = simulator("--day", DAY, "--count", 200), s3_proxy(bucket.server)
    session = bucket.server.session()
    bucket.ask("list", sim=sim)
    end_session(proxy, over, session)
    spool = tmp_path / "spool"
    with Sts([session]) as sts:
        unset = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        env = {**proxy.env, **(unset | sts.env(tmp_path) if web else session)}
        result = bucket.ingest(sim, "--checkpoint-every", 10, "--outage-wait", "3s", "--spool", spool, env=env, exit=75)
    assert result.day["spooled"] > 0 and list(spool.iterdir())
    assert "expired" in result.stderr[-1] or "credentials" in result.stderr[-1]
    assert_no_secrets(result, session)
    before = len(bucket.copy().keys())
    assert before == result.day["saved"] > 0
    bucket.server.delete(bucket.url + "/" + LEASE) # or wait for it 90 s
    again = bucket.ingest(sim, "--spool", spool)
    assert again.day["saved"] >= 200 - before - result.day["spooled"] and not list(spool.iterdir())
    bucket.assert_whole(sim)
