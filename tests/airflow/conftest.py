"""./dev test airflow runs these tests in venvs with Airflow 3.3 and 2.11. Without Airflow nothing here is collected."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
spec = importlib.util.find_spec("airflow")
if spec is not None and spec.origin:  # a mere folder of that name has none
    import airflow_home  # noqa: F401
else:
    sys.path.pop(0)
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture
def simulator_in_environment(monkeypatch, simulator):
    """simulator_in_environment(arguments) -> a simulator that this process and what it starts find."""
    def begin(*args):
        sim = simulator(*args)
        for name, value in sim.environment.items():
            monkeypatch.setenv(name, value)
        return sim

    return begin
