"""One day's things in a lake, and what must hold of them. Beside program.py, for the suites about lakes.

    day = Day(lake)                    # 20251022 unless said otherwise
    day.keys(), day.history(), day.falhas()
    assert_consistent(day)             # history, state and falhas agree with the rows
"""

import calendar
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import program
import pyarrow.parquet as pq
from program import DAY, details_path, list_path, state_path

PARTS = ("itens", "arquivos")


class Day:
    def __init__(self, lake, date=DAY):
        self.lake, self.date = Path(lake), date
        self.file, self.list_file = details_path(lake, date), list_path(lake, date)
        self.folder = self.file.parent
        self.states = self.lake / "pncp_details" / "_state"
        self.falhas_file = state_path(lake, "falhas", date)
        self.completo_file = state_path(lake, "completo", date)
        self.progresso_file = state_path(lake, "progresso", date)
        self.run_lock = self.states / "lock" / f"pncp_details_{date}.run"

    def state_file(self, part) -> Path:
        return state_path(self.lake, part, self.date)

    def state(self, part) -> dict:
        return json.loads(self.state_file(part).read_bytes())

    def falhas(self) -> list:
        return program.falhas(self.lake, self.date)

    def shift_falhas(self, seconds, *keys) -> None:
        """As if the attempts at `keys` (all without) had been made so many seconds earlier."""
        document = json.loads(self.falhas_file.read_bytes())
        for entry in document["entries"]:
            for name in ("first_at", "last_at", "not_before"):
                if not keys or entry["key"] in keys:
                    entry[name] = stamp(parse_stamp(entry[name]) - seconds)
        self.falhas_file.write_text(json.dumps(document))

    def completo(self) -> dict:
        return json.loads(self.completo_file.read_bytes())

    def progresso(self) -> dict:
        return json.loads(self.progresso_file.read_bytes())

    def records(self) -> dict:
        """Run id -> the record of a run that came to its end."""
        return {path.stem: json.loads(path.read_bytes()) for path in sorted((self.states / "execucoes").glob("*"))}

    def temps(self) -> list:
        return sorted((self.states / "tmp").glob("*"))

    def rows(self) -> list:
        return program.rows(self.lake, self.date)

    def keys(self) -> list:
        """Of every row, in the file's order; without a file none."""
        if not self.file.exists():
            return []
        table = pq.ParquetFile(self.file).read(["cnpj", "ano", "sequencial"])
        return [program.key_of(row) for row in table.to_pylist()]

    def listed(self) -> list:
        """Keys of the saved list, in its order."""
        return [program.key_of(row) for row in program.list_rows(self.lake, self.date)]

    def metadata(self) -> dict:
        """pncp.* of the footer."""
        pairs = pq.ParquetFile(self.file).metadata.metadata.items()
        return {name.decode(): value.decode() for name, value in pairs if name.startswith(b"pncp.")}

    def commit(self) -> str:
        return self.metadata()["pncp.commit"]

    def history(self) -> list:
        return json.loads(self.metadata()["pncp.history"])

    def row_groups(self) -> int:
        return pq.ParquetFile(self.file).metadata.num_row_groups

    def files(self) -> dict:
        """Path below the lake -> bytes, of every file there but locks."""
        paths = [path for path in self.lake.rglob("*") if path.is_file() and "lock" not in path.parts]
        return {str(path.relative_to(self.lake)): path.read_bytes() for path in paths}

    def data_files(self) -> dict:
        """The same, of what lies in the day's own folder."""
        below = str(self.folder.relative_to(self.lake)) + "/"
        return {path: content for path, content in self.files().items() if path.startswith(below)}


def stamp(seconds) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def parse_stamp(text) -> int:
    """Seconds since 1970 of a time as the formats write it; ValueError for any other form."""
    seconds = calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    if stamp(seconds) != text:
        raise ValueError(text)
    return seconds


# ---- running ----------------------------------------------------------------------------------------


def ingest(sim, lake, *args, date=DAY, **more):
    """A run over the day with short waits; exit 0 unless said otherwise."""
    return program.run("--date", date, *program.fast(*args), *args, sim=sim, lake=lake, **{"exit": 0, **more})


def ask(command, lake, *args, date=DAY, **more):
    """status, verify, list, compact …: the answer is in .summary."""
    return program.run(command, "--date", date, *args, lake=lake, **{"exit": 0, **more})


def start(sim, lake, *args, date=DAY, **more):
    return program.start("--date", date, *program.fast(*args), *args, sim=sim, lake=lake, **more)


def stop(process, number=signal.SIGTERM):
    """(result, seconds from the signal to the end)."""
    begun = time.monotonic()
    process.send_signal(number)
    result = program.finish(process, timeout=30)
    return result, time.monotonic() - begun


def wait_until(happened, process=None, seconds=30):
    """Until happened() is true; its value. A process that ends before fails the test."""
    deadline = time.monotonic() + seconds
    while not (value := happened()):
        assert process is None or process.poll() is None, f"ended with {process.returncode}: {process.communicate()}"
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
    return value


def traced(*options) -> dict:
    """For start(): strace runs the program, which keeps its process id (-D). LeakSanitizer cannot work then."""
    return {"before": ["strace", "-D", "-f", "-qq", "-o", "/dev/null", *options],
            "env": {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}}


def detail_requests(sim) -> int:
    requests = sim.stats()["requests"]
    return sum(requests[kind] for kind in ("itens", "arquivos", "quantidade_itens", "quantidade_arquivos"))


def asked(sim) -> Counter:
    """Key -> how often its first pages were asked, the larger of its two parts, since the figures were reset. One of which
    only the number of rows was asked (is the API there?) does not count."""
    keys = sim.stats(keys=True)["keys"]
    times = {key: max(kinds.get(part, 0) for part in PARTS) for key, kinds in keys.items()}
    return Counter({key: count for key, count in times.items() if count > 0})


def reset(sim) -> None:
    sim.control(reset="stats")


# ---- what must hold ---------------------------------------------------------------------------------


def assert_history(day) -> None:
    """Linear: every id once, times ascending, the newest is the commit. The newest rewrite counts all rows of its time, what
    was appended since the rest."""
    history, rows = day.history(), day.rows()
    ids = [entry["id"] for entry in history if entry["kind"] != "sum"]
    assert len(ids) == len(set(ids)) and history[-1]["id"] == day.commit()
    assert [entry["at"] for entry in history] == sorted(entry["at"] for entry in history)
    appended = [entry for entry in history if entry["kind"] != "rewrite"]
    assert sum(entry["contratacoes"] for entry in appended) == len(rows)
    last = max((i for i, entry in enumerate(history) if entry["kind"] == "rewrite"), default=0)
    for part in PARTS:
        assert sum(entry[part] for entry in history[last:]) == sum(row[f"{part}_total"] or 0 for row in rows), part


def assert_state(day) -> None:
    """Both state files, field by field, are made from the data as it is."""
    appended = [entry for entry in day.history() if entry["kind"] != "rewrite"]
    for part in PARTS:
        executions = [{"timestamp": entry["at"], "new_records": entry["contratacoes"], f"total_{part}": entry[part]}
                      for entry in appended]
        assert day.state(part) == {"v": 1, "processed_keys": day.keys(), "executions": executions, "date": day.date,
                                   "commit": day.commit()}, part


def assert_falhas(day) -> None:
    """An entry for each part that is absent or empty, none for one that is ok, none `failed` of a row that is there."""
    wanted = {(program.key_of(row), part, row[f"{part}_situacao"])
              for row in day.rows() for part in PARTS if row[f"{part}_situacao"] != "ok"}
    entries = day.falhas()
    assert {(entry["key"], entry["part"], entry["kind"]) for entry in entries if entry["kind"] != "failed"} == wanted
    assert not {entry["key"] for entry in entries if entry["kind"] == "failed"} & set(day.keys())
    keys = [(entry["key"], entry["part"]) for entry in entries]
    assert len(keys) == len(set(keys))


def assert_consistent(day) -> None:
    """Nothing is there twice, all that was made from the rows agrees with them, verify finds nothing."""
    keys = day.keys()
    assert len(keys) == len(set(keys))
    assert_history(day)
    assert_state(day)
    assert_falhas(day)
    assert ask("verify", day.lake, date=day.date).summary["sound"]


def without_run(rows) -> dict:
    """Key -> row, without what differs between two runs over the same day."""
    return {program.key_of(row): {name: value for name, value in row.items()
                                  if name not in ("run_id", "checkpoint", "obtido_em")} for row in rows}
