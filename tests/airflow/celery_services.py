"""The same with CeleryExecutor: Redis, PostgreSQL and two workers, all on this machine and thrown away."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from airflow_services import Services
from s3_servers import free_port

POSTGRES_USER = "postgres"


def find(name):
    """A program in PATH, or of the newest PostgreSQL of Debian."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    return str(newest[-1]) if newest else shutil.which(name)


def missing() -> list:
    return [name for name in ("redis-server", "initdb", "postgres") if find(name) is None]


class CeleryServices(Services):
    components = ("api-server", "scheduler", "dag-processor", "worker-1", "worker-2")

    def __init__(self, env, concurrency=3):
        self.redis_port, self.postgres_port, self.concurrency = free_port(), free_port(), concurrency
        self.stores = Path(tempfile.mkdtemp(prefix="pncp-stores-"))
        database = f"postgresql+psycopg2://{POSTGRES_USER}@127.0.0.1:{self.postgres_port}/postgres"
        super().__init__(env, {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
            "C_FORCE_ROOT": "1", # Celery's word for: this root is a test machine's
        })

    def __enter__(self):
        self._start_redis()
        self._start_postgres()
        return super().__enter__()

    def __exit__(self, *exc):
        super().__exit__(*exc)
        shutil.rmtree(self.stores, ignore_errors=True)

    def start(self, name, *words, **env):
        if not name.startswith("worker"):
            return super().start(name, *words, **env)
        super().start(name, "celery", "worker", "--concurrency", str(self.concurrency), "--celery-hostname", f"{name}@%h",
                      "--pid", str(self.home / f"{name}.pid"), AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT=str(free_port()))

    def _store(self, name, *words, **more):
        with open(self.home / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                                    cwd=self.stores, **more)

    def _start_redis(self):
        self._store("redis", find("redis-server"), "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.stores))

    def _start_postgres(self):
        """It refuses to be root."""
        data, user = self.stores / "postgres", {}
        data.mkdir()
        if os.geteuid() == 0:
            user = {"user": POSTGRES_USER, "group": POSTGRES_USER, "extra_groups": []}
            for folder in (self.stores, data):
                os.chown(folder, pwd.getpwnam(POSTGRES_USER).pw_uid, -1)
        subprocess.run([find("initdb"), "-D", data, "-U", POSTGRES_USER, "--auth", "trust", "--no-sync"], check=True, capture_output=True,
                       cwd=self.stores, **user)
        self._store("postgres", find("postgres"), "-D", str(data), "-p", str(self.postgres_port), "-h", "127.0.0.1", "-k", str(self.stores),
                    "-c", "fsync=off", **user)
        deadline = time.monotonic() + 30
        while subprocess.run([find("pg_isready"), "-h", "127.0.0.1", "-p", str(self.postgres_port)], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, self.component_log("postgres")
            time.sleep(0.2)

    def memory(self) -> dict:
        """MiB by component, shared pages counted once (PSS), of what runs now."""
        pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
        sums = {}
        for name, process in self.processes.items():
            sums[name] = round(sum(_pss(pid) for pid in pids if _session(pid) == process.pid) / 1024)
        sums["pncp-details"] = round(sum(_pss(pid) for pid in pids if _command(pid) == "pncp-details") / 1024)
        return sums


def _read(pid, name) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def _pss(pid) -> int:
    return next((int(line.split()[1]) for line in _read(pid, "smaps_rollup").splitlines() if line.startswith("Pss:")), 0)


def _session(pid) -> int:
    words = _read(pid, "stat").rpartition(")")[2].split()
    return int(words[3]) if words else -1


def _command(pid) -> str:
    return _read(pid, "comm").strip()
