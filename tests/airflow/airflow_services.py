"""A real Airflow 3 on this machine, component by component, each a process of its own.

    with Services({"PNCP_LAKE": …}) as airflow:
        run = airflow.trigger(DAG, {"date": "20251022"})
        airflow.wait(DAG, run)                      # -> "success", "failed"
        airflow.xcom(DAG, run, "ingest_details"), airflow.log(DAG, run, "ingest_details")
"""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

from airflow_home import DAGS, PACKAGE
from s3_servers import free_port

AIRFLOW = Path(sys.executable).with_name("airflow")
START_SECONDS = 180
SQLITE_SECONDS = 60 # that Airflow waits for its database
ASK_SECONDS = SQLITE_SECONDS + 15
ASK_TRIES = 3


class Services:
    components = ("api-server", "scheduler", "dag-processor")

    def __init__(self, env, more=None):
        """env: of all components, and so of the tasks; more: Airflow's settings."""
        self.home = Path(tempfile.mkdtemp(prefix="pncp-airflow-"))
        self.port, self.processes = free_port(), {}
        shutil.copytree(DAGS, self.home / "dags")
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PNCP_", "AWS_", "MINIO_"))},
            "PYTHONPATH": str(PACKAGE), "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1",
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "8",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__API__PORT": str(self.port), "AIRFLOW__API__HOST": "127.0.0.1", "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{self.port}",
            "AIRFLOW__API__SECRET_KEY": "of-the-tests", "AIRFLOW__API_AUTH__JWT_SECRET": "of-the-tests-and-long-enough-for-hs512-" * 2,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db?timeout={SQLITE_SECONDS}",
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(self.home / "logs"),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            # How soon a task whose worker is gone is missed; 300 s and 10 s unless said otherwise.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            **(more or {}), **env,
        }

    def __enter__(self):
        try:
            self.run("db", "migrate")
            self.run("pools", "set", "pncp_api", "2", "details")
            self.run("pools", "set", "pncp_listing", "1", "listing")
            for name in self.components:
                self.start(name)
            self._wait_for(self._is_well)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        """SIGTERM to each, then SIGKILL to what is left of its session."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, *words) -> str:
        """The airflow command."""
        done = subprocess.run([AIRFLOW, *words], env=self.env, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        assert done.returncode == 0, f"airflow {words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def run_alone(self, *words) -> str:
        """The airflow command, with scheduler and DAG processor stopped meanwhile: SQLite refuses a long command of Airflow's
        ("database is locked") as soon as another has written since its first read."""
        others = [self.processes[name] for name in ("scheduler", "dag-processor")]
        try:
            while True:
                for process in others:
                    os.killpg(process.pid, signal.SIGSTOP)
                if self._nobody_writes():
                    return self.run(*words)
                for process in others: # one was stopped while it wrote
                    os.killpg(process.pid, signal.SIGCONT)
                time.sleep(0.2)
        finally:
            for process in others:
                os.killpg(process.pid, signal.SIGCONT)

    def _nobody_writes(self) -> bool:
        with contextlib.closing(sqlite3.connect(self.home / "airflow.db", timeout=0.5, isolation_level=None)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
                database.execute("ROLLBACK")
            except sqlite3.OperationalError:
                return False
        return True

    def start(self, name, *words, **env):
        with open(self.home / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen([AIRFLOW, *(words or (name,))], env={**self.env, **env}, stdin=subprocess.DEVNULL,
                                                    stdout=log, stderr=log, start_new_session=True)

    def _wait_for(self, happened, seconds=START_SECONDS):
        deadline = time.monotonic() + seconds
        while not (value := happened()):
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} has ended: {self.component_log(name)}"
            assert time.monotonic() < deadline, "Airflow: it did not happen: " + "".join(self.component_log(name) for name in self.processes)
            time.sleep(0.3)
        return value

    def component_log(self, name) -> str:
        return f"\n== {name}\n" + (self.home / f"{name}.log").read_text(errors="replace")[-3000:]

    def _is_well(self) -> bool:
        try:
            health = self.get("/monitor/health")
            listed = {dag["dag_id"] for dag in self.get("/dags")["dags"]}
        except OSError:
            return False
        return len(listed) == len(list((self.home / "dags").glob("*.py"))) and \
            all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))

    # ---- REST ---------------------------------------------------------------------------------------

    def request(self, method, path, body=None):
        """What has no answer, or a failure of the server's, is asked again: an Airflow on SQLite may wait for its database
        longer than SQLite lets it. None: an earlier asking was heard after all (409)."""
        for tries in range(1, ASK_TRIES + 1):
            try:
                return self._ask(method, path, body)
            except urllib.error.HTTPError as error:
                if error.code == 409 and tries > 1:
                    return None
                if error.code < 500 or tries == ASK_TRIES:
                    raise ValueError(f"{error.code}: {error.read().decode()[:2000]}") from None
            except TimeoutError:
                if tries == ASK_TRIES:
                    raise AssertionError(f"{method} {path}: no answer" + self.component_log("api-server")) from None

    def _ask(self, method, path, body):
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if not path.startswith("/auth"):
            headers["Authorization"] = f"Bearer {self.token()}"
        url = f"http://127.0.0.1:{self.port}" + (path if path.startswith("/auth") else f"/api/v2{path}")
        request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:
            return json.loads(answer.read() or b"null")

    def token(self) -> str:
        if not hasattr(self, "_token"):
            self._token = self.request("GET", "/auth/token")["access_token"]
        return self._token

    def get(self, path):
        return self.request("GET", path)

    def variable(self, name, value) -> None:
        self.request("POST", "/variables", {"key": f"pncp_details_{name}", "value": str(value)})

    def trigger(self, dag_id, conf) -> str:
        """The id of the DAG run: ours, so that asking twice makes one run."""
        run_id = f"manual__{uuid.uuid4()}"
        self.request("POST", f"/dags/{dag_id}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": conf})
        return run_id

    def state(self, dag_id, run_id) -> str:
        return self.get(f"/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id)}")["state"]

    def wait(self, dag_id, run_id, seconds=180) -> str:
        return self._wait_for(lambda: (state := self.state(dag_id, run_id)) in ("success", "failed") and state, seconds)

    def _task(self, dag_id, run_id, task_id, map_index=-1):
        path = f"/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id)}/taskInstances/{task_id}"
        return path if map_index < 0 else f"{path}/{map_index}"

    def task(self, dag_id, run_id, task_id) -> dict:
        return self.get(self._task(dag_id, run_id, task_id))

    def tasks(self, dag_id, run_id) -> list:
        return self.get(f"/dags/{dag_id}/dagRuns/{urllib.parse.quote(run_id)}/taskInstances?limit=100")["task_instances"]

    def xcom(self, dag_id, run_id, task_id, key="return_value", map_index=-1):
        return self.get(f"{self._task(dag_id, run_id, task_id)}/xcomEntries/{key}?deserialize=true&map_index={map_index}")["value"]

    def log(self, dag_id, run_id, task_id, attempt=1) -> list:
        """Its entries: dicts with event and level."""
        return self.get(f"{self._task(dag_id, run_id, task_id)}/logs/{attempt}?full_content=true")["content"]
