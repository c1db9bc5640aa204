"""pncp-details as a Python function, and what it leaves in a lake.

    result = run("--date", DAY, "--checkpoint-every", 20, lake=lake, sim=sim)
    result.exit, result.stderr, result.summary          # the summary of --json; its only day: result.day
    same_values(rows(lake, DAY), truth_of(sim, DAY))    # every value of every row

The binary is $PNCP_DETAILS, else build/release/pncp-details of this tree.
"""

import atexit
import datetime
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from columns import OWN_OF_RUN, expect_row, loads
from simulator import ROOT

DAY = "20251022"
# Yesterday on the Brasília clock: open for a run that says --final-after 48h, final with --final-after 0.
OPEN_DAY = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=3, days=1)).strftime("%Y%m%d")
# Where lots wait that could not be saved: not in the home of whoever runs the tests. Their names tell lakes apart.
STATE_HOME = Path(tempfile.mkdtemp(prefix="pncp-tests-state-"))
atexit.register(shutil.rmtree, STATE_HOME, ignore_errors=True)
# Waits of tests: short, so that retries cost nothing.
FAST = ("--retry-wait", "10ms", "--brake-wait", "50ms", "--deadline", "2s", "--outage-wait", "5s")


def fast(*given) -> tuple:
    """FAST without the flags that are in `given`: a flag may not be given twice."""
    return tuple(word for flag, value in zip(FAST[::2], FAST[1::2]) if flag not in given for word in (flag, value))


def binary() -> Path:
    """The program under test."""
    return Path(os.environ.get("PNCP_DETAILS", ROOT / "build" / "release" / "pncp-details"))


@dataclass
class Result:
    exit: int
    stdout: str
    stderr: list # lines
    summary: dict # what --json printed; None: nothing, or no JSON

    @property
    def day(self) -> dict:
        return self.summary["days"][0]


def command(*args, lake=None) -> list:
    """The command line: `args` as texts, the lake, and --json for what has a summary."""
    words = [str(arg) for arg in args]
    if lake is not None:
        words += ["--lake", str(lake), "--json"]
    return [str(binary()), *words]


def environment(sim=None, env=None) -> dict:
    """This process's environment without settings of the program or of stores, the simulator's addresses, and `env`. Without a
    simulator nobody answers: a test that goes wrong must not reach the real API."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PNCP_", "AWS_", "MINIO_", "BUCKET_BRONZE"))}
    clean["no_proxy"] = clean["NO_PROXY"] = "127.0.0.1"
    clean["XDG_STATE_HOME"] = str(STATE_HOME)
    nobody = {"PNCP_CONSULTA_URL": "http://127.0.0.1:1", "PNCP_DETAIL_URL": "http://127.0.0.1:1"}
    return {**clean, **(sim.environment if sim else nobody), **(env or {})}


def finish(process, timeout=120) -> Result:
    """Wait for a process of start()."""
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        raise AssertionError(f"{process.args} did not end in {timeout} s:\n{stderr[-4000:]}") from None
    stdout, stderr = stdout or "", stderr or "" # those that are not pipes are None
    try:
        summary = json.loads(stdout)
    except ValueError:
        summary = None
    return Result(process.returncode, stdout, stderr.splitlines(), summary)


def start(*args, lake=None, sim=None, env=None, before=(), **popen) -> subprocess.Popen:
    """Begin a run; finish() or a signal ends it. `before`: the words of a command that runs it, such as strace."""
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, "text": True,
                "encoding": "utf-8", "errors": "replace", "env": environment(sim, env), **popen}
    return subprocess.Popen([*map(str, before), *command(*args, lake=lake)], **settings)


def run(*args, lake=None, sim=None, env=None, timeout=120, exit=None, **more) -> Result:
    """Run the program to its end; `exit`: how it must end."""
    result = finish(start(*args, lake=lake, sim=sim, env=env, **more), timeout)
    assert exit in (None, result.exit), "\n".join([f"{args}: exit {result.exit}", result.stdout[-2000:], *result.stderr[-20:]])
    return result


# ---- the lake -------------------------------------------------------------------------------------


def _folder(date) -> str:
    return f"year={date[:4]}/month={date[4:6]}/day={date[6:]}"


def details_path(lake, date=DAY) -> Path:
    return Path(lake) / "pncp_details" / _folder(date) / "details.parquet"


def list_path(lake, date=DAY) -> Path:
    return Path(lake) / "pncp_contratacoes" / _folder(date) / "contratacoes.parquet"


def state_path(lake, kind, date=DAY) -> Path:
    """kind: itens, arquivos (…_state.json), falhas, completo, progresso."""
    suffix = "_state" if kind in ("itens", "arquivos") else ""
    return Path(lake) / "pncp_details" / "_state" / kind / f"pncp_details_{date}{suffix}.json"


def falhas(lake, date=DAY) -> list:
    """The entries of falhas, without a file none."""
    path = state_path(lake, "falhas", date)
    return json.loads(path.read_text(encoding="utf-8"))["entries"] if path.exists() else []


def rows(lake, date=DAY) -> list:
    """The rows of a day, as dicts; without a file none. `lake` may be the Parquet file itself."""
    path = Path(lake) if str(lake).endswith(".parquet") else details_path(lake, date)
    return pq.ParquetFile(path).read().to_pylist() if path.exists() else []


def list_rows(lake, date=DAY) -> list:
    """The rows of a day's saved list."""
    return pq.ParquetFile(list_path(lake, date)).read().to_pylist()


def key_of(row) -> str:
    """cnpj|ano|sequencial of a row of the lake."""
    return f"{row['cnpj']}|{row['ano']}|{row['sequencial']}"


# ---- what must be in it ---------------------------------------------------------------------------


def truth_of(sim, date=DAY) -> dict:
    """What the simulator holds of a day, by key: the rows that must be in the file."""
    expected = [expect_row(**entry) for entry in sim.truth(date, parse=loads)]
    return {key_of(row): row for row in expected}


def _extra(row):
    """A record with its extra as JSON, so that key order and blanks do not matter."""
    return {**row, "extra": loads(row["extra"])} if row["extra"] is not None else row


def normal(row) -> dict:
    """A row of the lake in the form of truth_of, without what only the run knows."""
    row = {name: value for name, value in row.items() if name not in OWN_OF_RUN}
    for name in ("itens", "arquivos", "fontesOrcamentarias"):
        if row.get(name):
            row[name] = [_extra(inner) for inner in row[name]]
    return _extra(row)


def _first_difference(got, wanted, path):
    if isinstance(got, dict) and isinstance(wanted, dict):
        for name in {**wanted, **got}:
            if name not in got or name not in wanted:
                return f"{path}.{name} is only in the {'truth' if name in wanted else 'file'}"
            if got[name] != wanted[name]:
                return _first_difference(got[name], wanted[name], f"{path}.{name}")
    if isinstance(got, list) and isinstance(wanted, list):
        if len(got) != len(wanted):
            return f"{path} has {len(got)} rows, not {len(wanted)}"
        for i, pair in enumerate(zip(got, wanted)):
            if pair[0] != pair[1]:
                return _first_difference(*pair, f"{path}[{i}]")
    return f"{path} is {repr(got)[:200]}, not {repr(wanted)[:200]}"


def differences(got, truth, quantidade=True) -> list:
    """What is wrong in `got`, rows of the lake: one line a row. Rows of the truth that are not there are not named.
    quantidade: what /quantidade said, where it was asked, must be the number of rows."""
    wrong, seen = [], set()
    for row in got:
        key = key_of(row)
        wanted = truth.get(key)
        if key in seen:
            wrong.append(f"{key} is there twice")
        elif wanted is None:
            wrong.append(f"{key} is not in the truth")
        else:
            value = normal(row)
            if value != wanted:
                wrong.append(_first_difference(value, wanted, key))
            for part in ("itens", "arquivos") if quantidade else ():
                if row[part + "_quantidade"] not in (None, row[part + "_total"] or 0):
                    wrong.append(f"{key}: {row[part + '_total']} {part}, /quantidade {row[part + '_quantidade']}")
        seen.add(key)
    return wrong


def same_values(got, truth, whole=True, quantidade=True) -> None:
    """Every value of every row equals the truth; whole: and no row of the truth is missing."""
    wrong = differences(got, truth, quantidade)
    if whole:
        wrong += [f"{key} is missing" for key in truth.keys() - {key_of(row) for row in got}]
    assert not wrong, f"{len(wrong)} of {len(truth)}: " + "; ".join(wrong[:5])
