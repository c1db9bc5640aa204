"""What a run leaves beside the day's file: state, falhas, completo, progresso and the run's record, field by field; and
that none of it is believed when it does not agree with the rows."""

import json
import os
import re
import shutil
import socket

import pytest
from lake_day import (PARTS, Day, ask, assert_consistent, assert_falhas, assert_state, detail_requests, ingest, parse_stamp,
                      reset, stamp, start, wait_until)
from program import DAY, FAST, finish, key_of, run, same_values, truth_of

COUNT = 60


@pytest.fixture
def sim(simulator):
    """Of its contratações some have no itens or arquivos, and some answer 404."""
    return simulator("--day", DAY, "--count", COUNT, "--fault", "itens:lasting_404=0.1", "--fault", "arquivos:lasting_404=0.1")


@pytest.fixture
def day(lake):
    return Day(lake)


def failing(sim, count):
    keys = list(truth_of(sim))[:count]
    sim.control(*[("rule", "/{}/compras/{}/{}/itens=500_json".format(*key.split("|"))) for key in keys])
    return keys


# ---- field by field -------------------------------------------------------------------------------


def test_completo(sim, lake, day):
    result = ingest(sim, lake)
    completo, rows = day.completo(), day.rows()
    assert list(completo) == ["v", "date", "at", "commit", "contratacoes", "itens", "arquivos", "ausente", "vazio", "list_at"]
    situacoes = [row[f"{part}_situacao"] for row in rows for part in PARTS]
    assert (completo["v"], completo["date"], completo["commit"]) == (1, DAY, day.commit())
    assert completo["contratacoes"] == COUNT == len(rows)
    assert [completo[part] for part in PARTS] == [sum(row[f"{part}_total"] or 0 for row in rows) for part in PARTS]
    assert (completo["ausente"], completo["vazio"]) == (situacoes.count("ausente"), situacoes.count("vazio"))
    assert completo["ausente"] > 0 and completo["vazio"] > 0, "the day of this test must have some"
    assert (result.day["ausente"], result.day["vazio"]) == (completo["ausente"], completo["vazio"])
    record = day.records()[result.summary["run_id"]]
    assert record["started_at"] == completo["list_at"] <= completo["at"] <= record["ended_at"]


def test_falhas_of_what_is_absent_or_empty(sim, lake, day):
    ingest(sim, lake)
    rows = {key_of(row): row for row in day.rows()}
    document = json.loads(day.falhas_file.read_bytes())
    assert list(document) == ["v", "date", "entries", "id"] and (document["v"], document["date"]) == (1, DAY)
    assert re.fullmatch("[0-9a-f]{32}", document["id"]) # another in every version of the file
    for entry in document["entries"]:
        row = rows[entry["key"]]
        absent = row[entry["part"] + "_situacao"] == "ausente"
        assert list(entry) == ["key", "part", "kind", *(["reason", "http_status"] if absent else []), "attempts", "first_at",
                               "last_at", "not_before"]
        assert entry["kind"] == ("ausente" if absent else "vazio") and entry["attempts"] == 1
        assert not absent or (entry["reason"], entry["http_status"]) == ("http_404", 404)
        assert entry["first_at"] == entry["last_at"]
        assert 0 <= parse_stamp(entry["last_at"]) - int(row["obtido_em"].timestamp()) < 60
        assert parse_stamp(entry["not_before"]) == parse_stamp(entry["last_at"]) + 3600
    assert_falhas(day)


def test_falhas_of_what_fails_wait_longer_each_time(sim, lake, day):
    keys = failing(sim, 2)
    waits = []
    for attempt in range(1, 8):
        ingest(sim, lake, "--attempts", 1, exit=3)
        entries = [entry for entry in day.falhas() if entry["kind"] == "failed"]
        assert {entry["key"] for entry in entries} == set(keys)
        for entry in entries:
            assert list(entry) == ["key", "part", "kind", "reason", "http_status", "attempts", "first_at", "last_at", "not_before"]
            assert (entry["part"], entry["reason"], entry["http_status"], entry["attempts"]) == ("itens", "http_500", 500, attempt)
            assert attempt == 1 or entry["first_at"] < entry["last_at"]
        waits.append(parse_stamp(entry["not_before"]) - parse_stamp(entry["last_at"]))
        day.shift_falhas(86400)
    assert waits == [600, 1200, 2400, 4800, 9600, 19200, 21600]


def test_the_run_record(sim, lake, day):
    result = ingest(sim, lake, "--batch-size", 10, env={"PNCP_SCHEDULER_RUN_ID": "scheduled__2025-10-22"})
    record = day.records()[result.summary["run_id"]]
    assert list(record) == ["v", "run_id", "started_at", "ended_at", "version", "argv", "host", "scheduler_run_id", "urls", "summary"]
    assert (record["v"], record["run_id"]) == (1, result.summary["run_id"])
    assert parse_stamp(record["started_at"]) <= parse_stamp(record["ended_at"])
    assert record["version"] == run("--version").stdout.split()[1] and record["host"] == socket.gethostname()
    assert record["argv"][1:3] == ["--date", DAY] and "--batch-size" in record["argv"]
    assert record["scheduler_run_id"] == "scheduled__2025-10-22"
    assert record["urls"] == {"consulta": sim.consulta_url, "detail": sim.detail_url}
    assert record["summary"] == result.summary
    # one for each run, never changed, whatever became of it
    before = day.files()
    runs = [ask("list", lake, sim=sim), ingest(sim, lake, env={"AIRFLOW_CTX_DAG_RUN_ID": "manual"}), ingest(sim, lake)]
    records = day.records()
    assert {run_id: each["summary"] for run_id, each in records.items()} == \
        {each.summary["run_id"]: each.summary for each in (result, *runs)}
    assert records[runs[1].summary["run_id"]]["scheduler_run_id"] == "manual"
    assert "scheduler_run_id" not in records[runs[2].summary["run_id"]]
    assert all(day.files()[path] == content for path, content in before.items() if "execucoes" in path)
    day.file.write_bytes(b"text")
    failed = ingest(sim, lake, exit=1)
    assert day.records()[failed.summary["run_id"]]["summary"] == failed.summary


PROGRESS = {"v", "run_id", "date", "phase", "at", "total", "saved", "in_flight", "in_flight_limit", "rate", "errors", "itens",
            "arquivos", "api_calls", "checkpoints"}


def test_progresso_while_it_runs_and_when_it_has_ended(sim, lake, day):
    sim.control(latency_detail=60)
    process = start(sim, lake, "--connections", 2, "--checkpoint-every", 10)

    def current(phase, saved):
        progress = day.progresso() if day.progresso_file.exists() else {}
        return progress if progress.get("phase") == phase and progress["saved"] >= saved else None

    progress = wait_until(lambda: current("fetching", 10), process)
    assert PROGRESS <= set(progress) <= PROGRESS | {"eta_s", "last_checkpoint"}
    assert (progress["v"], progress["date"], progress["total"]) == (1, DAY, COUNT)
    assert 1 <= progress["in_flight_limit"] <= 2 and progress["in_flight"] <= 2 and progress["rate"] > 0
    assert progress["last_checkpoint"] == progress["checkpoints"] == progress["saved"] // 10
    assert 0 <= parse_stamp(progress["at"]) - parse_stamp(day.metadata()["pncp.history"] and day.history()[-1]["at"]) <= 10
    status = ask("status", lake).summary
    assert status["progress"]["run_id"] == progress["run_id"] and status["last_commit"]["run"] == progress["run_id"]
    text = run("status", "--date", DAY, "--lake", lake, exit=0).stdout
    assert f"run         {progress['run_id']}: fetching, " in text
    result = finish(process)
    progress = day.progresso()
    assert set(progress) == PROGRESS | {"last_checkpoint"} | ({"eta_s"} & set(progress))
    assert (progress["phase"], progress["run_id"]) == ("ended", result.summary["run_id"])
    assert (progress["total"], progress["saved"], progress["in_flight"], progress["errors"]) == (COUNT, COUNT, 0, 0)
    assert [progress[name] for name in ("itens", "arquivos", "api_calls", "checkpoints")] == \
        [result.day[name] for name in ("itens", "arquivos", "api_calls", "checkpoints")]
    assert "run  " not in run("status", "--date", DAY, "--lake", lake, exit=0).stdout


def test_progresso_is_told_by_the_run_that_holds_the_day_only(sim, lake, day):
    ingest(sim, lake)
    before = day.progresso_file.read_bytes()
    sim.control(latency_listing=100)
    ask("verify", lake, "--source", *FAST, sim=sim)
    assert day.progresso_file.read_bytes() == before
    ask("list", lake, "--again", *FAST, sim=sim)
    assert day.progresso()["phase"] == "ended"


# ---- state that does not agree with the rows ------------------------------------------------------


def edit(path, change):
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def swap_keys(document):
    keys = document["processed_keys"]
    keys[0], keys[1] = keys[1], keys[0]


STATE_DAMAGE = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:200]),
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(1000)),
    "another document": lambda path: path.write_text('{"v":1}'),
    "another commit": lambda path: edit(path, lambda document: document.update(commit="0" * 32)),
    "without commit": lambda path: edit(path, lambda document: document.pop("commit")),
    "keys swapped": lambda path: edit(path, swap_keys),
    "a key more": lambda path: edit(path, lambda document: document["processed_keys"].append("83102277000152|2025|423")),
    "a key less": lambda path: edit(path, lambda document: document["processed_keys"].pop()),
    "a wrong count": lambda path: edit(path, lambda document: document["executions"][0].update(new_records=49)),
    "an execution less": lambda path: edit(path, lambda document: document["executions"].pop()),
    "missing": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("what", [name for name in STATE_DAMAGE if name != "a folder"])
@pytest.mark.parametrize("complete", [False, True])
def test_a_wrong_state_file_is_found_and_made_again(what, complete, sim, lake, day):
    ingest(sim, lake, "--batch-size", *((COUNT if complete else 20),))
    part = PARTS[len(what) % 2]
    STATE_DAMAGE[what](day.state_file(part))
    answer = ask("verify", lake, exit=1).summary
    assert not answer["sound"] and answer["problems"] == 1
    assert str(day.state_file(part).relative_to(lake)) in answer["problem_list"][0]
    reset(sim)
    assert ingest(sim, lake).day["saved"] == (0 if complete else COUNT - 20)
    assert not complete or detail_requests(sim) == 0
    assert_state(day)
    assert ask("verify", lake).summary["sound"]


def test_state_that_cannot_be_written_ends_the_run_with_its_rows_saved(sim, lake, day):
    ingest(sim, lake, "--batch-size", 20)
    STATE_DAMAGE["a folder"](day.state_file("itens"))
    result = ingest(sim, lake, exit=1)
    assert str(day.state_file("itens").relative_to(lake)) in result.stderr[-1]
    assert result.day["saved"] == COUNT - 20 and not result.day["complete"] and not day.completo_file.exists()
    day.state_file("itens").rmdir()
    assert ingest(sim, lake).day["complete"]
    assert_consistent(day)
    same_values(day.rows(), truth_of(sim))


# ---- falhas that does not agree with the rows -----------------------------------------------------

FALHAS_DAMAGE = {
    "text": lambda path: path.write_text("not JSON"),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:150]),
    "a bad entry": lambda path: edit(path, lambda document: document["entries"][0].update(key="1|2|3")),
    "a bad time": lambda path: edit(path, lambda document: document["entries"][0].update(first_at="yesterday")),
    "a bad kind": lambda path: edit(path, lambda document: document["entries"][-1].update(kind="lost")),
    "no version": lambda path: edit(path, lambda document: document.pop("v")),
}


@pytest.mark.parametrize("what", FALHAS_DAMAGE)
def test_damaged_falhas_are_set_aside_and_made_again(what, sim, lake, day):
    ingest(sim, lake)
    wanted = {(entry["key"], entry["part"], entry["kind"]) for entry in day.falhas()}
    FALHAS_DAMAGE[what](day.falhas_file)
    damaged = day.falhas_file.read_bytes()
    assert ask("verify", lake, exit=1).summary["problems"] > 0
    result = ingest(sim, lake)
    assert "WARNING falhas of the day was damaged: rebuilt from the data" in result.stderr
    aside = day.falhas_file.with_name(day.falhas_file.name + ".damaged")
    assert aside.read_bytes() == damaged
    assert {(entry["key"], entry["part"], entry["kind"]) for entry in day.falhas()} == wanted
    assert_consistent(day)


def test_damaged_falhas_of_a_day_with_failures(sim, lake, day):
    """What had failed is simply not done; its attempts are forgotten."""
    keys = failing(sim, 3)
    ingest(sim, lake, "--attempts", 1, exit=3)
    FALHAS_DAMAGE["truncated"](day.falhas_file)
    result = ingest(sim, lake, "--attempts", 1, exit=3)
    assert result.day["errors"] == 3
    assert {entry["key"]: entry["attempts"] for entry in day.falhas() if entry["kind"] == "failed"} == dict.fromkeys(keys, 1)
    assert_falhas(day)


def test_an_entry_that_is_missing_is_made_from_the_row(sim, lake, day):
    ingest(sim, lake, "--batch-size", 40)
    rows = {key_of(row): row for row in day.rows()}
    before = day.falhas()
    lost = [entry for entry in before if entry["kind"] == "ausente"][:1] + [entry for entry in before if entry["kind"] == "vazio"][:1]
    edit(day.falhas_file, lambda document: document.update(entries=[entry for entry in before if entry not in lost]))
    problems = ask("verify", lake, exit=1).summary["problem_list"]
    assert sorted(problems) == sorted(f"{entry['key']}: {entry['part']} is {entry['kind']} in the file, missing in falhas" for entry in lost)
    ingest(sim, lake, "--batch-size", 1)
    after = {(entry["key"], entry["part"]): entry for entry in day.falhas()}
    for entry in lost:
        made = after[(entry["key"], entry["part"])]
        obtained = stamp(int(rows[entry["key"]]["obtido_em"].timestamp()))
        assert (made["kind"], made["attempts"], made["first_at"], made["last_at"]) == (entry["kind"], 1, obtained, obtained)
        assert parse_stamp(made["not_before"]) == parse_stamp(obtained) + 3600
        assert [made.get(name) for name in ("reason", "http_status")] == [entry.get(name) for name in ("reason", "http_status")]
    kept = [entry for entry in before if entry not in lost]
    assert [after[(entry["key"], entry["part"])] for entry in kept] == kept
    assert_consistent(day)


def test_without_falhas_all_entries_are_made_from_the_rows(sim, lake, day):
    ingest(sim, lake)
    wanted = {(entry["key"], entry["part"], entry["kind"]) for entry in day.falhas()}
    day.falhas_file.unlink()
    assert ask("verify", lake, exit=1).summary["problems"] == len(wanted)
    reset(sim)
    ingest(sim, lake)
    assert detail_requests(sim) == 0
    assert {(entry["key"], entry["part"], entry["kind"]) for entry in day.falhas()} == wanted
    assert_consistent(day)


def test_entries_that_the_rows_contradict_go(sim, lake, day):
    ingest(sim, lake, "--batch-size", 30)
    rows = day.rows()
    sound = next(key_of(row) for row in rows if row["itens_situacao"] == row["arquivos_situacao"] == "ok")
    other = next(entry for entry in day.falhas() if entry["kind"] == "vazio")

    def contradict(document):
        template = dict(document["entries"][0], attempts=3)
        document["entries"] = [entry for entry in document["entries"] if entry["key"] != other["key"]]
        document["entries"] += [dict(template, key=sound, part="itens", kind="ausente"),
                                dict(template, key=sound, part="arquivos", kind="failed"),
                                dict(other, kind="ausente")]

    edit(day.falhas_file, contradict)
    problems = ask("verify", lake, exit=1).summary["problem_list"]
    assert f"{sound}: itens is ok in the file, falhas still asks for it" in problems
    assert f"{sound}: is saved, falhas still says that it failed" in problems
    assert f"{other['key']}: {other['part']} is vazio in the file, something else in falhas" in problems
    ingest(sim, lake)
    assert_consistent(day)
    assert not [entry for entry in day.falhas() if entry["key"] == sound]


def test_falhas_of_a_newer_version_is_refused_by_name(sim, lake, day):
    ingest(sim, lake, "--batch-size", 30)
    edit(day.falhas_file, lambda document: document.update(v=2))
    content, data = day.falhas_file.read_bytes(), day.file.read_bytes()
    for result in (ingest(sim, lake, exit=1), ask("status", lake, exit=1)):
        assert "falhas/pncp_details_20251022.json" in result.stderr[-1] and "version 2" in result.stderr[-1]
    assert (day.falhas_file.read_bytes(), day.file.read_bytes()) == (content, data)


# ---- the rest -------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"{", b'{"v":1}', b'{"v":1,"commit":""}'])
def test_a_damaged_completo_is_written_anew(content, sim, lake, day):
    ingest(sim, lake)
    wanted = day.completo()
    day.completo_file.write_bytes(content)
    assert not ask("status", lake).summary["complete"]
    assert ask("verify", lake, exit=1).summary["problems"] == 1
    assert ingest(sim, lake).day["complete"]
    assert {**day.completo(), "at": wanted["at"]} == wanted


def test_status_of_every_stage(sim, lake, day):
    lake.mkdir()
    status = ask("status", lake).summary
    assert (status["complete"], status["done"], status["failed"]) == (False, 0, 0)
    assert not {"listed", "remaining", "file_bytes", "last_commit", "progress"} & set(status)
    assert ask("verify", lake).summary["contratacoes"] == 0
    assert list(lake.iterdir()) == [], "asking writes nothing"
    ask("list", lake, sim=sim)
    status = ask("status", lake).summary
    assert (status["listed"], status["listed_final"], status["remaining"], status["done"]) == (COUNT, True, COUNT, 0)
    failing(sim, 2)
    ingest(sim, lake, "--batch-size", 20, "--attempts", 1, exit=3)
    day.shift_falhas(86400)
    status, rows = ask("status", lake).summary, day.rows()
    assert (status["done"], status["remaining"], status["failed"], status["failed_due"]) == (18, COUNT - 18, 2, 2)
    assert [status[part] for part in PARTS] == [sum(row[f"{part}_total"] or 0 for row in rows) for part in PARTS]
    assert (status["file_bytes"], status["row_groups"]) == (day.file.stat().st_size, day.row_groups())
    newest = day.history()[-1]
    assert status["last_commit"] == {name: newest[name] for name in ("run", "kind", "n", "at", "contratacoes")}
    assert os.path.getsize(day.file) == status["file_bytes"]
    text = run("status", "--date", DAY, "--lake", lake, exit=0).stdout
    for line in (f"day         {DAY}: not complete", f"remaining   {COUNT - 18}", "failed      2 (2 due)"):
        assert line in text.splitlines()


def test_a_lake_can_be_moved(sim, lake, day, tmp_path):
    ingest(sim, lake, "--batch-size", 20)
    shutil.move(lake, tmp_path / "elsewhere")
    result = ingest(sim, tmp_path / "elsewhere")
    assert (result.day["done_before"], result.day["complete"]) == (20, True)
    assert_consistent(Day(tmp_path / "elsewhere"))
