"""Every lake does the same: one suite (tests/conformance/) on a folder and on real servers."""

import os
import subprocess

import pytest
from program import binary


def conforms(url, env=None) -> None:
    program = binary().parent / "tests" / "conformance" / "lake-conformance"
    result = subprocess.run([program, str(url)], env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-6000:]


def test_a_folder(lake):
    conforms(lake)


def test_a_server(s3_server):
    conforms(s3_server.url(), s3_server.env)


def test_tls(minio_tls):
    conforms(minio_tls.url(), minio_tls.env)
