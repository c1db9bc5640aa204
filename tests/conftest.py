"""Fixtures for every suite."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "api"))

import program  # noqa: E402
import s3_servers  # noqa: E402
from s3_proxy import S3Proxy  # noqa: E402
from simulator import Simulator, binary  # noqa: E402


@pytest.fixture
def simulator():
    """Start simulators: simulator("--count", 50) -> Simulator. All are stopped at the end; a bad exit fails the test."""
    if not binary().exists():
        pytest.fail(f"{binary()} is missing: build it, or set PNCP_SIM")
    started = []

    def start(*args):
        sim = Simulator(*args)
        started.append(sim)
        return sim

    yield start
    statuses = [(sim.args, sim.stop()) for sim in started]
    bad = [entry for entry in statuses if entry[1] != 0]
    assert not bad, f"pncp-sim ended badly: {bad}"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of captured answers, $PNCP_SAMPLES; without it the test is skipped."""
    folder = os.environ.get("PNCP_SAMPLES")
    if not folder:
        pytest.skip("PNCP_SAMPLES is not set")
    return Path(folder)


@pytest.fixture
def lake(tmp_path) -> Path:
    """The root of a lake that does not exist yet."""
    return tmp_path / "lake"


def served(kind, folder=None):
    """A server of tests/s3_servers.py until the fixture ends."""
    if not s3_servers.binary(kind.name).exists():
        pytest.skip(f"{s3_servers.binary(kind.name)} is missing: run ./dev setup --servers, or set PNCP_SERVERS")
    server = kind(folder)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def minio():
    """A MinIO for all tests: each makes a lake of its own with minio.url(), and may kill and start it."""
    yield from served(s3_servers.Minio)


@pytest.fixture(scope="session")
def minio_tls():
    """The same over https; its certificate is minio_tls.ca_file."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    yield from served(s3_servers.MinioTls)


@pytest.fixture(scope="session")
def versitygw():
    """The same by another maker, stricter about what S3 is."""
    folder = s3_servers.folder_with_xattrs()
    if folder is None:
        pytest.skip("versitygw needs a file system with extended attributes (user.*): point TMPDIR to a folder on one")
    yield from served(s3_servers.Versitygw, folder)


@pytest.fixture(params=["minio", "versitygw"])
def s3_server(request):
    """Each of the two in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def s3_proxy():
    """Start proxies: s3_proxy(minio) -> S3Proxy. A function of a test that raised in one fails the test."""
    started = []

    def start(server):
        started.append(S3Proxy(server))
        return started[-1]

    yield start
    for proxy in started:
        proxy.stop()
    errors = [error for proxy in started for error in proxy.errors]
    assert not errors, errors


def preloaded(tmp_path_factory, name, **settings) -> dict:
    """The environment in which tests/lake/NAME.c is loaded into the program."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip(f"there is no C compiler for {name}.c")
    library = tmp_path_factory.mktemp(name) / f"{name}.so"
    source = Path(__file__).resolve().parent / "lake" / f"{name}.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source], check=True)
    env = {"LD_PRELOAD": str(library), **settings}
    if b"__asan_init" in program.binary().read_bytes(): # which wants to come first
        env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return env


@pytest.fixture(scope="session")
def fast_clock(tmp_path_factory) -> dict:
    """The environment in which the monotonic clock runs sixty times as fast."""
    return preloaded(tmp_path_factory, "fast_clock", FAST_CLOCK="60")


@pytest.fixture(scope="session")
def no_run_lock(tmp_path_factory) -> dict:
    """The environment in which every run gets its day, whoever has it."""
    return preloaded(tmp_path_factory, "no_run_lock")


@pytest.fixture(scope="session")
def run_at(tmp_path_factory):
    """run_at(when) -> the environment in which a run begins at that time: a datetime with its zone."""
    moved = preloaded(tmp_path_factory, "moved_clock")
    return lambda when: {**moved, "WALL_CLOCK": str(round(when.timestamp() - time.time()))}
