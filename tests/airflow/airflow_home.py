"""Where Airflow of the tests lives: a folder with its SQLite database, thrown away at the end. Imported before Airflow is."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "airflow" / "src"
DAGS = PACKAGE / "pncp_details" / "dags"

HOME = Path(tempfile.mkdtemp(prefix="pncp-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
sys.path.insert(0, str(PACKAGE))
for name in [name for name in os.environ if name.startswith(("AIRFLOW", "_AIRFLOW"))]:
    del os.environ[name]
os.environ.update({
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db?timeout=60",
    "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(HOME / "logs"),
    "PYTHONPATH": str(PACKAGE),  # of the processes that tests start
})
