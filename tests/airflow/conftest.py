"""./dev test airflow runs these tests in venvs with Airflow 3.3 and 2.11. Without Airflow nothing here is collected."""

import importlib.util
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
spec = importlib.util.find_spec("airflow")
if spec is not None and spec.origin:  # a mere folder of that name has none
    import airflow_home  # noqa: F401
else:
    sys.path.pop(0)
    collect_ignore_glob = ["test_*.py"]
