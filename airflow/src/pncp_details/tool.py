"""The program pncp-details as a child process: its command line, its log lines, its summary, its exit status.

    tool = Tool(command_line("ingest", date="20251022", lake="s3://lh-bronze", batch_size=200), environment())
    result = tool.run(logging.getLogger("pncp"))
    result.code, result.summary
    raise_for(result)                       # ToolError unless it ended well

Without Airflow, so that the operators and the plain Python call are the same thing.
"""

import ctypes
import json
import logging
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
STOP_SECONDS = 4.0  # Airflow 3 kills a task 5 s after it asked it to end; the program needs 3
LINE_BYTES = 64 * 1024  # the program cuts a message at 1,399 bytes; whatever is longer is not its own
ANSWER_BYTES = 8 << 20  # of standard output: a summary is 1 KB a day
WATCH_SECONDS = 1.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h

DATE = re.compile(r"today|yesterday|\d{8}|\d{4}-\d{2}-\d{2}")
SIZE = re.compile(r"auto|[1-9]\d*")
COUNT = re.compile(r"[1-9]\d*")
TIME = re.compile(r"\d+(ms|s|m|h)?")
SHARE = re.compile(r"\d+|\d+(\.\d+)?%")

# setting -> flag, what it may be, in words. True and False are given by themselves.
SETTINGS = {
    "checkpoint_every": ("--checkpoint-every", SIZE, "a number from 1 to 10000, or auto"),
    "batch_size": ("--batch-size", SIZE, "a number from 1, or auto"),
    "max_contratacoes": ("--max-contratacoes", COUNT, "a number from 1"),
    "max_duration": ("--max-duration", TIME, "a time such as 90s, 45m, 2h"),
    "max_failed": ("--max-failed", SHARE, "a number such as 10, or a share such as 0.5%"),
    "max_rate": ("--max-rate", COUNT, "a number of requests a second, from 1"),
    "input": ("--input", re.compile(r".+"), "a path, an object or a pattern"),
}


class SettingError(ValueError):
    """A setting that cannot be; nothing was started."""


class ToolError(RuntimeError):
    """The program did not end well. `retry`: the same again may help."""

    def __init__(self, message: str, code: int, retry: bool, summary: dict | None = None):
        super().__init__(message)
        self.code, self.retry, self.summary = code, retry, summary


@dataclass
class Result:
    code: int  # as a shell has it: 128 and the signal for one that a signal ended
    summary: dict | None  # what --json printed
    last_error: str  # the last line that told an error, "" without
    argv: list[str]


# ---- command line -----------------------------------------------------------------------------------


def missing(value: Any) -> bool:
    """Not given: templates make texts of everything."""
    return value is None or str(value).strip() in ("", "None", "none")


def setting(name: str, value: Any) -> list[str]:
    """The words of one setting, none when it is not given."""
    if missing(value):
        return []
    flag, form, words = SETTINGS[name]
    text = str(value).strip()
    if isinstance(value, bool) or not form.fullmatch(text):
        raise SettingError(f"{name} is {value!r}; give {words}")
    return [flag, text]


def truth(name: str, value: Any, default: bool) -> bool:
    if missing(value):
        return default
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise SettingError(f"{name} is {value!r}; give true or false")
    return text == "true"


def day_text(value: Any) -> str:
    """A day, or a range A..B, as the program takes it."""
    text = value if isinstance(value, str) else f"{value:%Y%m%d}"
    if not all(DATE.fullmatch(part) for part in text.split("..", 1)):
        raise SettingError(f"date is {text!r}; give a day such as 2025-10-22 or 20251022, today or yesterday")
    return text if ".." in text else text.replace("-", "")


def find_binary(binary: str | None = None) -> str:
    """The program: as given, else PNCP_DETAILS_BINARY, else pncp-details in PATH."""
    wanted = binary or os.environ.get("PNCP_DETAILS_BINARY") or "pncp-details"
    found = shutil.which(wanted)
    if found is None:
        raise SettingError(f"{wanted} is not there: install pncp-details on every worker, or say where it is in PNCP_DETAILS_BINARY")
    return found


def find_lake(lake: str | None) -> str:
    if missing(lake):
        lake = os.environ.get("PNCP_LAKE")
    if not lake:
        raise SettingError("no lake is given: set the argument lake, or PNCP_LAKE, to a folder or s3://bucket[/prefix]")
    return lake


def command_line(command: str, *, date: Any, lake: str | None, binary: str | None = None, auto_resume: Any = None,
                 extra: str | Iterable[str] = (), **settings: Any) -> list[str]:
    """The words of a run with a JSON log and a JSON summary. `extra`: further flags, a text as a shell has it or words."""
    words = [find_binary(binary), command, "--date", day_text(date), "--lake", find_lake(lake), "--json", "--log", "json"]
    if not truth("auto_resume", auto_resume, True):
        words.append("--no-auto-resume")
    for name, value in settings.items():
        words += setting(name, value)
    return words + (shlex.split(extra) if isinstance(extra, str) else [str(word) for word in extra])


def seconds_of(text: Any) -> float:
    """45m -> 2700.0; a bare number is seconds."""
    words = setting("max_duration", text)
    number, unit = re.fullmatch(r"(\d+)(\w*)", words[1]).groups()
    return int(number) * {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600}[unit]


# ---- running ----------------------------------------------------------------------------------------


def _load_prctl():
    try:
        return ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):  # no Linux
        return None


_prctl = _load_prctl()  # before any fork


class Tool:
    """One run. stop() may be called from a signal handler or another thread."""

    def __init__(self, argv: list[str], env: Mapping[str, str]):
        self.argv, self.env = argv, dict(env)
        self.process: subprocess.Popen | None = None
        self.last_error = ""

    def run(self, log: logging.Logger) -> Result:
        """Start it, hand its log lines on, wait. However this is left, the program is not left behind: an exception stops
        it, the kernel sends it SIGTERM when this process dies, and when this process has lost its own parent (the worker
        was killed) it is stopped too. SIGTERM saves what is finished."""
        log.info("%s", shlex.join(self.argv))
        parent = os.getppid()
        with tempfile.TemporaryFile() as answer:
            try:
                self.process = subprocess.Popen(
                    self.argv, env=self.env, stdin=subprocess.DEVNULL, stdout=answer, stderr=subprocess.PIPE,
                    start_new_session=True, preexec_fn=self._end_with_me(os.getpid()) if _prctl else None)
                self._relay(log, parent)
                code = self._wait()
            finally:
                self.stop(log)
            answer.seek(0)
            summary = self._summary(answer.read(ANSWER_BYTES + 1), log)
        return Result(code if code >= 0 else 128 - code, summary, self.last_error, self.argv)

    def stop(self, log: logging.Logger | None = None, seconds: float = STOP_SECONDS) -> None:
        """SIGTERM, and SIGKILL when it has not ended `seconds` later."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        if log:
            log.warning("pncp-details is asked to save and end")
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.poll() is None:
            if log:
                log.error("pncp-details has not ended in %g s and is killed; the next run goes on from its last checkpoint", seconds)
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    @staticmethod
    def _end_with_me(pid: int):
        def in_the_child():
            _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != pid:  # it died before that
                os._exit(143)

        return in_the_child

    def _wait(self) -> int:
        """Without holding the lock of Popen.wait() for long, which stop() in a signal handler would wait for in vain."""
        while (code := self.process.poll()) is None:
            time.sleep(0.02)
        return code

    def _relay(self, log: logging.Logger, parent: int) -> None:
        descriptor, rest = self.process.stderr.fileno(), b""
        with selectors.DefaultSelector() as selector, self.process.stderr:
            selector.register(descriptor, selectors.EVENT_READ)
            while True:
                readable = selector.select(WATCH_SECONDS)
                if os.getppid() != parent:
                    raise ToolError("the process that supervises this task has died", 143, retry=True)
                if not readable:
                    continue
                piece = os.read(descriptor, LINE_BYTES)
                *lines, rest = (rest + piece).split(b"\n")
                for line in [*lines, rest] if not piece or len(rest) > LINE_BYTES else lines:
                    self._tell(log, line)
                if not piece:
                    return
                if len(rest) > LINE_BYTES:
                    rest = b""

    def _tell(self, log: logging.Logger, line: bytes) -> None:
        text = line.decode("utf-8", "backslashreplace").rstrip()
        if not text:
            return
        try:
            record = json.loads(text)
            level, message = LEVELS[record["level"]], str(record["msg"])
        except (ValueError, KeyError, TypeError):  # said before the log was open, as usage errors are
            level, message = logging.ERROR, text
        if level >= logging.ERROR:
            self.last_error = message
        log.log(level, "%s", message)

    @staticmethod
    def _summary(answer: bytes, log: logging.Logger) -> dict | None:
        if not answer.strip():
            return None
        try:
            return json.loads(answer[:ANSWER_BYTES])
        except ValueError:
            log.error("pncp-details printed no JSON: %r", answer[:200])
            return None


# ---- exit status --------------------------------------------------------------------------------------

NEVER_RETRY = (1, 2)
MEANING = {
    1: "a retry will not help",
    2: "it was called wrongly",
    3: "some contratacoes could not be fetched; they are kept in falhas and asked again when they are due",
    75: "try again later",
    130: "interrupted, after saving",
    137: "killed",
    143: "ended by SIGTERM, after saving",
}


def retry_helps(code: int) -> bool:
    return code not in NEVER_RETRY


def raise_for(result: Result, summary: dict | None = None) -> None:
    """ToolError, with `summary`, unless the program ended with 0."""
    if result.code == 0:
        return
    meaning = MEANING.get(result.code, "unexpected")
    why = f": {result.last_error}" if result.last_error else ""
    raise ToolError(f"pncp-details ended with exit {result.code} ({meaning}){why}", result.code, retry_helps(result.code), summary)
