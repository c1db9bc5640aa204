"""The program as a child: command line, environment, log lines, exits, and that it is never left behind. Without a database."""

import datetime
import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import program
import pytest
from airflow_home import PACKAGE, ROOT
from lake_day import Day, assert_consistent, wait_until
from pncp_details import ToolError, fetch_details_for_date
from pncp_details.days import BRASILIA, day_of_run, days_between, is_final, last_days
from pncp_details.environment import connection_environment, environment
from pncp_details.summary import SUMMARY_BYTES, total
from pncp_details.tool import SettingError, Tool, command_line, seconds_of
from program import DAY, FAST, rows, same_values, truth_of

log = logging.getLogger("pncp")


@pytest.fixture
def here(monkeypatch, simulator_in_environment, lake):
    """here(arguments of the simulator) -> the simulator, found by what this process starts."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MINIO_", "PNCP_"))]:
        if name not in ("PNCP_DETAILS", "PNCP_SIM", "PNCP_BUILD", "PNCP_SERVERS", "PNCP_SAMPLES"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PNCP_DETAILS_BINARY", str(program.binary()))
    monkeypatch.setenv("XDG_STATE_HOME", str(program.STATE_HOME))
    monkeypatch.setenv("PNCP_LAKE", str(lake))
    return simulator_in_environment


def words(**settings):
    return command_line("ingest", **{"date": DAY, "lake": "/lake", "binary": "true", **settings})


# ---- command line -------------------------------------------------------------------------------------


def test_the_command_line():
    begin = words()
    assert begin[1:] == ["ingest", "--date", DAY, "--lake", "/lake", "--json", "--log", "json"]
    assert words(date=datetime.date(2025, 10, 22), batch_size="auto", checkpoint_every=50, max_contratacoes="", auto_resume="True",
                 input=None, max_failed="0.5%", max_rate="None", extra="--spool '/a b'") == \
        [*begin, "--batch-size", "auto", "--checkpoint-every", "50", "--max-failed", "0.5%", "--spool", "/a b"]
    assert words(auto_resume=False, extra=["--connections", 4]) == [*begin, "--no-auto-resume", "--connections", "4"]
    assert words(date="2025-10-22..yesterday")[3] == "2025-10-22..yesterday"


@pytest.mark.parametrize("wrong, message", [
    ({"batch_size": "lots"}, "batch_size is 'lots'; give a number from 1, or auto"),
    ({"batch_size": 0}, "batch_size is 0;"), ({"batch_size": True}, "batch_size is True;"), ({"checkpoint_every": "5 0"}, "checkpoint_every is '5 0'"),
    ({"max_failed": "0,5%"}, "max_failed is '0,5%'"), ({"max_duration": "1 day"}, "max_duration is '1 day'; give a time such as 90s"),
    ({"date": "22/10/2025"}, "date is '22/10/2025'; give a day such as 2025-10-22"), ({"auto_resume": "perhaps"}, "give true or false"),
    ({"binary": "/nowhere/pncp"}, "/nowhere/pncp is not there: install pncp-details on every worker")])
def test_what_cannot_be_is_refused(wrong, message):
    with pytest.raises(SettingError) as error:
        words(**wrong)
    assert message in str(error.value)


def test_a_lake_is_required(here, monkeypatch):
    monkeypatch.delenv("PNCP_LAKE")
    with pytest.raises(SettingError, match="no lake is given: set the argument lake, or PNCP_LAKE"):
        fetch_details_for_date(DAY)


def test_times():
    assert [seconds_of(text) for text in ("90", "90s", "500ms", "45m", "2h")] == [90, 90, 0.5, 2700, 7200]


# ---- environment --------------------------------------------------------------------------------------


class Connection:
    def __init__(self, login=None, password=None, host=None, port=None, schema=None, **extra):
        self.login, self.password, self.host, self.port, self.schema, self.extra_dejson = login, password, host, port, schema, extra


def test_the_environment_is_a_list_of_names(monkeypatch):
    for name in ("AIRFLOW__CORE__FERNET_KEY", "DB_PASSWORD", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "no_proxy", "LD_PRELOAD"):
        monkeypatch.setenv(name, "x")
    plain = environment("dag/run/task")
    assert {"PATH", "no_proxy", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"} <= set(plain) and plain["PNCP_SCHEDULER_RUN_ID"] == "dag/run/task"
    assert not {"AIRFLOW__CORE__FERNET_KEY", "DB_PASSWORD", "LD_PRELOAD"} & set(plain)
    store = connection_environment(Connection("key", "secret", endpoint_url="http://minio:9000", region_name="sa-east-1"))
    given = environment(store=store)
    assert store == {"AWS_ENDPOINT_URL_S3": "http://minio:9000", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "sa-east-1"}
    assert given["AWS_ACCESS_KEY_ID"] == "key" and "AWS_PROFILE" not in given  # the Connection alone says who asks


@pytest.mark.parametrize("connection, address", [
    (Connection(host="minio", port=9000), "http://minio:9000"), (Connection(host="minio", schema="https"), "https://minio"),
    (Connection(host="http://minio:9000"), "http://minio:9000"), (Connection(service_config={"s3": {"endpoint_url": "http://m:1"}}), "http://m:1"),
    (Connection(), None)])
def test_the_address_of_a_connection(connection, address):
    assert connection_environment(connection).get("AWS_ENDPOINT_URL_S3") == address


# ---- running ------------------------------------------------------------------------------------------


def tool(sim, lake, *args):
    argv = command_line("ingest", date=DAY, lake=str(lake), binary=str(program.binary()), extra=[*program.fast(*args), *args])
    return Tool(argv, program.environment(sim))


def test_log_lines_with_their_levels(simulator, lake, caplog):
    sim = simulator("--day", DAY, "--count", 20)
    sim.control(fault="detail:503=1")
    with caplog.at_level(logging.DEBUG):
        result = tool(sim, lake, "--max-contratacoes", 5, "--verbose", "--attempts", 2, "--outage-wait", "1s").run(log)
    assert result.code == 75
    levels = {record.levelname for record in caplog.records if record.name == "pncp"}
    assert {"INFO", "WARNING", "ERROR", "DEBUG"} <= levels
    assert any(record.getMessage() == "Processing 5 contratacoes..." and record.levelname == "INFO" for record in caplog.records)
    assert not any('"msg"' in record.getMessage() for record in caplog.records)
    assert "run again later" in result.last_error


def test_usage_errors_are_told(simulator, lake, caplog):
    result = tool(simulator("--day", DAY, "--count", 1), lake, "--nonsense").run(log)
    assert (result.code, result.summary) == (2, None) and "--nonsense" in result.last_error
    assert any(record.levelname == "ERROR" and "--nonsense" in record.getMessage() for record in caplog.records)


def slow(simulator):
    return simulator("--day", DAY, "--count", 300, "--latency-detail", 60)


def begun(lake):
    return lambda: Day(lake).keys()


def test_stop_saves(simulator, lake):
    sim, results = slow(simulator), []
    run = tool(sim, lake, "--checkpoint-every", "10")
    thread = threading.Thread(target=lambda: results.append(run.run(log)))
    thread.start()
    wait_until(begun(lake))
    started = time.monotonic()
    run.stop(log)
    thread.join()
    assert time.monotonic() - started < 4.5 and results[0].code == 143
    assert_consistent(Day(lake))
    assert results[0].summary["days"][0]["saved"] == len(Day(lake).keys()) < 300


def test_what_does_not_end_is_killed(tmp_path):
    stubborn = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"]
    run, results = Tool(stubborn, dict(os.environ)), []
    thread = threading.Thread(target=lambda: results.append(run.run(log)))
    thread.start()
    wait_until(lambda: run.process is not None)
    time.sleep(0.5)  # until it ignores the signal
    started = time.monotonic()
    run.stop(seconds=1)
    thread.join()
    assert 1 <= time.monotonic() - started < 3 and results[0].code == 137


HOST = """
import logging, os, sys, threading, time
sys.path.insert(0, {package!r})
from pncp_details.tool import Tool
def run():
    Tool({argv!r}, {env!r}).run(logging.getLogger())
if {fork}:
    if os.fork():
        time.sleep(60)
run()
"""


def host(simulator, lake, fork):
    """A process that runs the tool, or whose child does."""
    run = tool(slow(simulator), lake, "--checkpoint-every", "10")
    code = HOST.format(package=str(PACKAGE), argv=run.argv, env=run.env, fork=fork)
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stderr=subprocess.DEVNULL)
    wait_until(begun(lake), process)
    return process, json.loads(Day(lake).run_lock.read_text())["pid"]


def is_alive(pid) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("fork", [False, True], ids=["task", "supervisor"])
def test_no_orphan_of_a_killed_process(fork, simulator, lake):
    """kill -9 of the task's process, and of the one above it: the program saves and is gone within 10 s."""
    process, pid = host(simulator, lake, fork)
    assert is_alive(pid)
    process.kill()
    process.wait()
    wait_until(lambda: not is_alive(pid), seconds=10)
    day = Day(lake)
    assert [record["summary"]["exit_code"] for record in day.records().values()] == [143]
    assert_consistent(day)


# ---- the call and the script --------------------------------------------------------------------------


def test_the_call(here, lake):
    sim = here("--day", DAY, "--count", 40)
    summary = fetch_details_for_date("2025-10-22", batch_size=15, checkpoint_every=5)
    assert (summary["saved"], summary["remaining"], summary["checkpoints"], summary["complete"]) == (15, 25, 3, False)
    summary = fetch_details_for_date(datetime.datetime(2025, 10, 22, 6, 0, tzinfo=datetime.timezone.utc))
    assert (summary["saved"], summary["done"], summary["complete"]) == (25, 40, True)
    same_values(rows(lake), truth_of(sim))
    assert fetch_details_for_date(datetime.date(2025, 10, 22), auto_resume=False)["renewed"] == 40


def test_the_call_says_what_went_wrong(here, lake):
    sim = here("--day", DAY, "--count", 10)
    cnpj, ano, sequencial = next(iter(truth_of(sim))).split("|")
    sim.control(rule=f"/{cnpj}/compras/{ano}/{sequencial}/itens=500_json")
    with pytest.raises(ToolError) as error:
        fetch_details_for_date(DAY, extra=FAST)
    assert (error.value.code, error.value.retry, error.value.summary["saved"]) == (3, True, 9)
    with pytest.raises(ToolError) as error:
        fetch_details_for_date(DAY, lake=str(lake / "pncp_details"), extra=FAST)
    assert (error.value.code, error.value.retry) == (2, False) and str(lake) in str(error.value)


def test_the_script_is_the_program(here, lake):
    sim = here("--day", DAY, "--count", 30)
    script = [sys.executable, str(ROOT / "scripts" / "run_pncp_details_ingestion.py")]
    run = subprocess.run([*script, "--date", DAY, "--batch-size", "20", "--checkpoint-every", "10", "--auto-resume", "--max-contratacoes", "30"],
                         capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0 and "Checkpoint 2: Saved 10" in run.stderr and len(rows(lake)) == 20
    assert subprocess.run([*script, "--date", "nonsense"], capture_output=True, timeout=60, check=False).returncode == 2
    assert subprocess.run([*script, "--date", DAY], capture_output=True, timeout=60, check=False).returncode == 0
    same_values(rows(lake), truth_of(sim))


# ---- days, sums ---------------------------------------------------------------------------------------


class DagRun:
    def __init__(self, kind, logical, run_after=None):
        self.run_type, self.logical_date, self.run_after = kind, logical, run_after


@pytest.mark.parametrize("kind, logical, day", [
    ("scheduled", "2025-10-22T06:15", "2025-10-22"), ("backfill", "2025-10-22T06:15", "2025-10-22"),
    ("manual", "2025-10-22T00:00", "2025-10-22"),  # a bare date
    ("manual", "2025-10-23T12:34", "2025-10-22"), ("manual", "2025-10-23T02:00", "2025-10-21")])  # 23:00 in Brasília
def test_the_day_of_a_run(kind, logical, day):
    logical = datetime.datetime.fromisoformat(logical + "+00:00")
    assert str(day_of_run(DagRun(kind, logical))) == day


def test_the_day_of_a_run_without_a_logical_date():
    assert str(day_of_run(DagRun("manual", None, datetime.datetime(2025, 10, 23, 2, tzinfo=datetime.timezone.utc)))) == "2025-10-21"


def test_ranges_and_final_days():
    assert days_between("2025-10-30", "20251102") == ["20251030", "20251031", "20251101", "20251102"]
    with pytest.raises(ValueError, match="no range"):
        days_between("20251022", "20251021")
    over = datetime.datetime(2025, 10, 23, 3, tzinfo=BRASILIA)
    assert is_final("yesterday", over) and not is_final("today", over)
    assert is_final(DAY, over) and not is_final(DAY, over - datetime.timedelta(seconds=1))
    first, last = last_days(7).split("..")
    assert len(days_between(first, last)) == 7


def test_a_summary_is_small_whatever_happened():
    day = {"run_id": "r", "lake": "l", "date": DAY, "saved": 1, "complete": True, "errors_by_reason": {f"reason_{n}": 1 for n in range(5000)},
           "error": "x" * 100_000}
    summary = total([day] * 500)
    assert len(json.dumps(summary)) < SUMMARY_BYTES and (summary["saved"], summary["batches"]) == (500, 500)
