"""What goes where: data on stdout, messages on stderr, their forms, and what a closed or full one does."""

import json
import os
import pty
import re
import subprocess

import pytest
from lake_day import Day, ask, assert_consistent, ingest, parse_stamp, start, wait_until
from program import DAY, FAST, finish, run, same_values, truth_of

COUNT = 55
DAY_FIELDS = {
    "date": str, "exit_code": int, "complete": bool, "already_complete": bool, "listed": int, "listed_final": bool,
    "done_before": int, "saved": int, "remaining": int, "untried": int, "failed_due": int, "failed_waiting": int,
    "ausente": int, "vazio": int, "renewed": int, "errors": int, "errors_by_reason": dict, "itens": int, "arquivos": int,
    "api_calls": int, "list_calls": int, "retries": int, "checkpoints": int, "values_out_of_type": int,
    "quantidade_differs": int, "modalidades_failed": list, "seconds": float, "spooled": int, "last_checkpoint": dict,
}
CHECKPOINT_FIELDS = {"n": int, "at": str, "contratacoes": int, "bytes_sent": int, "row_groups": int, "file_bytes": int, "ms": dict}
EVENTS = {"start", "list", "checkpoint", "final_checkpoint", "failure", "retry", "brake", "outage", "spool", "rewrite", "summary",
          "warning", "cpu"}
TEXT_LINES = [
    r"Processing 55 contratacoes\.\.\.",
    r"💾 Checkpoint 1: Saved 20 contratacoes \(20/55 total progress, \d+ itens, \d+ arquivos\) · .+",
    r"💾 Checkpoint 2: Saved 20 contratacoes \(40/55 total progress, \d+ itens, \d+ arquivos\) · .+",
    r"💾 Final checkpoint: Saved remaining 15 contratacoes · .+",
    r"INFO compacted: 1 row groups, \d+ bytes, \d+\.\d s",
    r"✅ Processed 55 contratacoes: \d+ itens, \d+ arquivos \(\d+ API calls, 0 errors, 3 checkpoints saved\) · \d+\.\d s",
]


def numbers(line) -> list:
    return [int(number) for number in re.findall(r"\d+", line.split(" · ")[0])]


@pytest.fixture
def sim(simulator):
    return simulator("--day", DAY, "--count", COUNT)


def matches(lines, patterns) -> None:
    assert len(lines) == len(patterns), "\n".join(lines)
    for line, pattern in zip(lines, patterns):
        assert re.fullmatch(pattern, line), f"{line!r} is not {pattern!r}"


def fields(document, wanted, optional=()) -> None:
    assert set(wanted) - set(optional) <= set(document) <= set(wanted) | set(optional)
    for name, value in document.items():
        kind = wanted.get(name, str)
        assert type(value) is kind or (kind is float and type(value) is int), f"{name}: {value!r}"


# ---- the lines and the summary --------------------------------------------------------------------


@pytest.mark.parametrize("env", [{"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}, {"LANG": "pt_BR.ISO-8859-1", "LC_ALL": ""}, {}])
def test_the_lines_of_a_run(env, sim, lake):
    result = ingest(sim, lake, "--checkpoint-every", 20, env=env)
    matches(result.stderr, TEXT_LINES)
    checkpoints = [numbers(line) for line in result.stderr[1:3]]
    done = numbers(result.stderr[-1])
    day = result.day
    assert done == [COUNT, day["itens"], day["arquivos"], day["api_calls"], 0, 3]
    assert day["api_calls"] == sum(sim.stats()["requests"][kind] for kind in ("itens", "arquivos", "quantidade_itens", "quantidade_arquivos"))
    history = [entry for entry in Day(lake).history() if entry["kind"] == "append"]
    for (n, saved, so_far, total, itens, arquivos), entry in zip(checkpoints, history):
        assert (n, saved, so_far, total) == (entry["n"], entry["contratacoes"], 20 * n, COUNT)
        assert (itens, arquivos) == (entry["itens"], entry["arquivos"])


def test_the_summary_has_every_field(sim, lake):
    result = ingest(sim, lake, "--checkpoint-every", 20)
    assert result.stdout.count("\n") == 1 and result.stdout.endswith("}\n")
    assert list(result.summary) == ["v", "run_id", "lake", "exit_code", "days"]
    assert (result.summary["v"], result.summary["lake"], result.summary["exit_code"]) == (1, str(lake), 0)
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", result.summary["run_id"])
    assert len(result.summary["days"]) == 1
    day = result.day
    fields(day, DAY_FIELDS)
    fields(day["last_checkpoint"], CHECKPOINT_FIELDS)
    fields(day["last_checkpoint"]["ms"], dict.fromkeys(("encode", "read", "send", "commit"), int))
    parse_stamp(day["last_checkpoint"]["at"])
    truth = truth_of(sim)
    parts = [(row["itens"], row["arquivos"]) for row in truth.values()]
    assert (day["listed"], day["saved"], day["remaining"], day["checkpoints"]) == (COUNT, COUNT, 0, 3)
    assert day["itens"] == sum(len(itens or []) for itens, _ in parts)
    assert day["arquivos"] == sum(len(arquivos or []) for _, arquivos in parts)
    assert day["vazio"] == sum(part == [] for pair in parts for part in pair)
    assert (day["complete"], day["already_complete"], day["listed_final"]) == (True, False, True)
    assert day["last_checkpoint"]["n"] == 3 and day["last_checkpoint"]["contratacoes"] == 15


def test_a_run_without_work_has_a_summary_too(sim, lake):
    ingest(sim, lake)
    day = ingest(sim, lake).day
    fields(day, DAY_FIELDS, optional=["last_checkpoint"])
    assert "last_checkpoint" not in day
    assert (day["already_complete"], day["complete"], day["saved"], day["done_before"]) == (True, True, 0, COUNT)


def test_a_failed_run_says_why_in_its_summary(sim, lake):
    sim.control(*[("rule", f"codigoModalidadeContratacao={code}&=500_json") for code in (6, 8, 9)])
    result = ingest(sim, lake, "--attempts", 2, exit=75)
    fields(result.day, DAY_FIELDS, optional=["last_checkpoint", "error"])
    assert "could not be listed" in result.day["error"]
    assert result.day["modalidades_failed"] == [6, 8, 9]
    assert re.fullmatch(r"⚠️ Stopped after \d+ of \d+ contratacoes: modalidade 6 \(http_500\), .* could not be listed: .*", result.stderr[-1])


def test_an_api_that_is_out_is_named_in_the_summary(sim, lake):
    sim.control(fault="listing:500_json=1")
    result = ingest(sim, lake, "--attempts", 2, "--outage-wait", "300ms", exit=75)
    fields(result.day, DAY_FIELDS, optional=["last_checkpoint", "error"])
    assert re.fullmatch(r"the listing API has answered nothing good for \d+ s \(http_500\): run again later", result.day["error"])
    assert result.stderr[-1] == f"⚠️ Stopped after 0 of 0 contratacoes: {result.day['error']}"
    assert result.day["modalidades_failed"] == [] and result.day["errors"] == 0


def test_log_json_has_the_same_facts(sim, lake):
    sim.control(fault="detail:500_json=0.2")
    sim.control(rule="/itens?@1=429")
    result = ingest(sim, lake, "--checkpoint-every", 20, "--log", "json", "-v")
    events = [json.loads(line) for line in result.stderr]
    for event in events:
        assert list(event)[:4] == ["ts", "level", "event", "msg"]
        parse_stamp(event["ts"])
        assert event["level"] in ("debug", "info", "warning", "error") and event["event"] in EVENTS and event["msg"]
    by_name = {name: [event for event in events if event["event"] == name] for name in EVENTS}
    assert by_name["brake"] and {event["level"] for event in by_name["retry"]} == {"debug"}
    told = [event["msg"] for event in events if event["event"] in ("start", "checkpoint", "final_checkpoint", "summary")]
    matches(told, [line for line in TEXT_LINES if "compacted" not in line])
    for event in by_name["checkpoint"]:
        assert [event[name] for name in ("n", "saved", "saved_so_far", "total", "itens", "arquivos")] == numbers(event["msg"])
        assert event["bytes_sent"] > 0 and event["ms"] >= 0 and event["by_size"] is False
        assert f"{event['rate']:.1f}/s" in event["msg"]
    summary = by_name["summary"][0]
    assert {name: summary[name] for name in ("saved", "itens", "arquivos", "api_calls", "errors", "checkpoints", "remaining", "exit_code")} \
        == {name: result.day[name] for name in ("saved", "itens", "arquivos", "api_calls", "errors", "checkpoints", "remaining", "exit_code")}


def test_log_json_of_failures(sim, lake):
    key = next(iter(truth_of(sim)))
    cnpj, ano, sequencial = key.split("|")
    sim.control(rule=f"/{cnpj}/compras/{ano}/{sequencial}/itens=500_json")
    result = ingest(sim, lake, "--attempts", 2, "--log", "json", exit=3)
    failures = [json.loads(line) for line in result.stderr if '"failure"' in line]
    assert [(event["level"], event["msg"]) for event in failures] == \
        [("warning", f"{key}: itens could not be fetched: http_500; kept in falhas")]


@pytest.mark.parametrize("flag", ["--quiet", "-q"])
def test_quiet_says_nothing_on_success_and_errors_still(flag, sim, lake):
    assert run("list", "--date", DAY, *FAST, flag, "--lake", lake, sim=sim, exit=0).stderr == []
    for _ in range(2):
        result = run("--date", DAY, *FAST, flag, "--lake", lake, sim=sim, exit=0)
        assert (result.stdout, result.stderr) == ("", [])
    Day(lake).file.write_bytes(b"PAR1")
    result = run("--date", DAY, *FAST, flag, "--lake", lake, sim=sim, exit=1)
    assert result.stdout == "" and len(result.stderr) == 1 and "details.parquet" in result.stderr[0]


def test_only_data_is_on_stdout(sim, lake):
    assert run("--date", DAY, *FAST, "--lake", lake, sim=sim, exit=0).stdout == ""
    assert run("list", "--date", DAY, "--lake", lake, sim=sim, exit=0).stdout == ""
    for command in ("status", "verify", "compact", "adopt"):
        text = run(command, "--date", DAY, "--lake", lake, sim=sim, exit=0)
        assert text.stdout and text.stderr == []
        answer = ask(command, lake, sim=sim)
        assert answer.summary["v"] == 1 and answer.summary["date"] == DAY and answer.stdout.count("\n") == 1


# ---- terminals ------------------------------------------------------------------------------------


def on_terminal(sim, lake, *args, **env) -> str:
    """What a terminal gets on stderr."""
    leader, follower = pty.openpty()
    process = start(sim, lake, *args, stderr=follower, env=env)
    os.close(follower)
    written = b""
    try:
        while chunk := os.read(leader, 65536):
            written += chunk
    except OSError: # the other end was closed
        pass
    os.close(leader)
    assert finish(process).exit == 0
    return written.decode("utf-8")


WIPE = "\r\x1b[K"


def test_a_terminal_gets_a_live_line(sim, lake):
    sim.control(latency_detail=120)
    written = on_terminal(sim, lake, "--checkpoint-every", 20, "--connections", 8, TERM="xterm", LC_ALL="C.UTF-8")
    live = [text for text in written.split(WIPE) if text and "\n" not in text]
    assert len(live) > 2
    for text in live:
        assert re.fullmatch(r"(listing|fetching|saving) \d+/\d+ \| \d+\.\d/s \| in flight \d+/\d+ \| checkpoint \d+ \| failures \d+"
                            r"( \| ETA \d+:\d\d)?", text) or len(text) == 79, text
        assert len(text) < 80
    assert written.endswith("\r\n") or written.endswith(WIPE) # nothing of it stays
    left = [line.rsplit("\x1b[K", 1)[-1] for line in written.replace("\r\n", "\n").split("\n")]
    matches([line for line in left if line], TEXT_LINES)


@pytest.mark.parametrize("args, env", [((), {"TERM": "dumb"}), (("--log", "json"), {"TERM": "xterm"}), (("--quiet",), {"TERM": "xterm"})])
def test_no_live_line_where_it_would_be_in_the_way(args, env, sim, lake):
    sim.control(latency_detail=60)
    written = on_terminal(sim, lake, *args, LC_ALL="C.UTF-8", **env)
    assert "\x1b" not in written and "\r" not in written.replace("\r\n", "")


def test_a_terminal_without_utf8_gets_ascii_signs(sim, lake):
    written = on_terminal(sim, lake, "--checkpoint-every", 20, TERM="xterm", LC_ALL="C")
    assert written.isascii()
    assert "[SAVE] Checkpoint 1: Saved 20 contratacoes (20/55 total progress, " in written
    assert "[OK] Processed 55 contratacoes: " in written


def test_a_file_gets_no_escapes(sim, lake, tmp_path):
    sim.control(latency_detail=60)
    with open(tmp_path / "log", "w") as log:
        finish(start(sim, lake, stderr=log, env={"TERM": "xterm"}))
    content = (tmp_path / "log").read_bytes()
    assert b"\x1b" not in content and b"\r" not in content and "✅".encode() in content


# ---- closed and full ------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [[0], [1], [2], [1, 2], [0, 1, 2]])
def test_closed_standard_descriptors_stop_nothing(closed, sim, lake):
    sim.control(latency_detail=20)
    process = start(sim, lake, before=["bash", "-c", 'exec "$0" "$@" ' + " ".join(f"{fd}>&-" for fd in closed)])
    wait_until(lambda: Day(lake).run_lock.exists(), process)
    for fd in closed: # no file of the lake, no socket may take its place
        assert os.readlink(f"/proc/{process.pid}/fd/{fd}") == "/dev/null"
    assert finish(process).exit == (1 if 1 in closed else 0) # the summary was asked for and cannot be given
    same_values(Day(lake).rows(), truth_of(sim))
    assert_consistent(Day(lake))


def test_closed_stdout_is_no_failure_when_nothing_is_to_be_said(sim, lake):
    result = run("--date", DAY, *FAST, "--lake", lake, sim=sim, before=["bash", "-c", 'exec "$0" "$@" >&-'], exit=0)
    assert result.stderr[-1].startswith("✅")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_stops_nothing(stream, sim, lake):
    """SIGPIPE is harmless."""
    sim.control(latency_detail=20)
    process = start(sim, lake, "--checkpoint-every", 10, "-v")
    wait_until(lambda: Day(lake).run_lock.exists(), process)
    getattr(process, stream).close()
    other = (process.stderr if stream == "stdout" else process.stdout).read()
    assert process.wait(30) == (1 if stream == "stdout" else 0)
    assert ("✅" in other) if stream == "stdout" else json.loads(other)["days"][0]["saved"] == COUNT
    same_values(Day(lake).rows(), truth_of(sim))


def test_a_full_stderr_stops_nothing(sim, lake):
    with open("/dev/full", "w") as full:
        result = finish(start(sim, lake, stderr=full))
    assert (result.exit, result.day["saved"]) == (0, COUNT)


def test_a_pipe_that_nobody_reads_loses_nothing(sim, lake):
    """A reader that sleeps makes the run wait, it does not lose lines."""
    sim.control(fault="detail:500_json=0.5")
    process = start(sim, lake, "-v", "--attempts", 40, "--checkpoint-every", 1, "--log", "json",
                    before=["sh", "-c", 'exec "$0" "$@" 2>&1 | (sleep 1; cat)'])
    lines = finish(process).stdout.splitlines()
    assert json.loads(lines[-1])["days"][0]["saved"] == COUNT
    assert sum('"event":"checkpoint"' in line or '"event":"final_checkpoint"' in line for line in lines) == COUNT


def test_json_is_the_last_word(sim, lake):
    """stdout and stderr in one pipe: the summary is its last line."""
    done = start(sim, lake, stderr=subprocess.STDOUT)
    lines = finish(done).stdout.splitlines()
    assert json.loads(lines[-1])["exit_code"] == 0 and lines[-2].startswith("✅")
