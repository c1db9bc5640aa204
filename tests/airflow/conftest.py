"""Airflow of the tests: run by ./dev test airflow in venvs of their own, with Airflow 2.11 and 3.3. Without Airflow nothing
here is collected. Its home, an SQLite database and all, is thrown away at the end."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "airflow" / "src"
DAGS = PACKAGE / "pncp_details" / "dags"

sys.path[:0] = [str(PACKAGE), str(Path(__file__).parent)]
HOME = Path(tempfile.mkdtemp(prefix="pncp-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
for name in [name for name in os.environ if name.startswith(("AIRFLOW", "_AIRFLOW"))]:
    del os.environ[name]
os.environ.update({
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(HOME / "logs"),
    "PYTHONPATH": str(PACKAGE),  # of the processes that tests start
})

try:
    from airflow import __version__ as AIRFLOW_VERSION  # a folder called airflow is no Airflow
except ImportError:
    AIRFLOW_VERSION = None
    collect_ignore_glob = ["test_*.py"]
