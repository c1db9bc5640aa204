"""Fixtures for every suite."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent / "api"))

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
