"""The DAGs by dag.test(), against the simulator and a real lake, on both Airflows."""

import json
import os
import re
import shutil
import signal
import threading
from datetime import datetime, timedelta, timezone

import airflow_here
import lake_day
import program
import pytest
from airflow_here import V3, Dags, asset_events, dag_bag
from airflow_home import DAGS, HOME
from lake_day import Day, assert_consistent, wait_until
from lake_in_bucket import Bucket
from program import DAY, rows, same_values, truth_of

DAILY, BACKFILL, MAINTENANCE = (f"bronze_pncp_details_{name}" for name in ("daily_ingestion", "backfill", "maintenance"))
TASKS = ("list_day", "ingest_details", "day_complete")
PATIENT = "--retry-wait 10ms --brake-wait 50ms --outage-wait 5s"
DOWNSTREAM = '''
from datetime import datetime, timezone
from airflow.providers.common.compat.sdk import DAG, task
from pncp_details.operators import PncpDetailsOperator

with DAG("downstream", schedule=None, start_date=datetime(2025, 10, 1, tzinfo=timezone.utc), params={"date": "20251022"}) as dag:
    @task
    def silver(summary):
        return summary["done"]

    silver(PncpDetailsOperator(task_id="ingest_details", date="{{ params.date }}").output)
'''


@pytest.fixture(scope="session")
def folder():
    """The DAGs as a user copies them, and one more."""
    folder = HOME / "dags"
    shutil.copytree(DAGS, folder)
    (folder / "downstream.py").write_text(DOWNSTREAM)
    airflow_here.make_database(folder)
    return folder


@pytest.fixture
def dags(folder):
    return Dags(folder)


@pytest.fixture
def world(monkeypatch, simulator_in_environment, lake):
    """world(arguments of the simulator) -> the simulator; DAGs find it and the lake."""
    for name, value in program.environment(env={"PNCP_DETAILS_BINARY": str(program.binary()), "PNCP_LAKE": str(lake)}).items():
        monkeypatch.setenv(name, value)
    variable(monkeypatch, "extra", PATIENT)
    return simulator_in_environment


def variable(monkeypatch, name, value) -> None:
    monkeypatch.setenv(f"AIRFLOW_VAR_PNCP_DETAILS_{name.upper()}", value)


def fail_tenth(sim, part="itens") -> int:
    """Every tenth contratação of the day answers 500 for ever."""
    keys = list(truth_of(sim))[::10]
    rules = []
    for key in keys:
        cnpj, ano, sequencial = key.split("|")
        rules.append(("rule", f"/{cnpj}/compras/{ano}/{sequencial}/{part}=500_json"))
    sim.control(*rules)
    return len(keys)


def test_dags_are_imported_without_asking_the_database(monkeypatch):
    def no_database(*args, **kwargs):
        raise AssertionError("read when the file is parsed")

    from airflow.providers.common.compat.sdk import BaseHook, Variable
    monkeypatch.setattr(Variable, "get", no_database)
    monkeypatch.setattr(BaseHook, "get_connection", no_database)
    fresh = dag_bag(DAGS)
    assert fresh.import_errors == {}
    assert set(fresh.dags) == {DAILY, BACKFILL, MAINTENANCE}
    assert [asset.uri for asset in fresh.dags[DAILY].get_task("day_complete").outlets] == ["s3://lh-bronze/pncp_details"]


def test_a_day(world, dags, lake):
    sim = world("--day", DAY, "--count", 120)
    before = len(asset_events())
    outcome = dags.run(DAILY, DAY)
    assert outcome.state == "success"
    assert {name: outcome.task_state(name) for name in TASKS} == dict.fromkeys(TASKS, "success")
    same_values(rows(lake), truth_of(sim))
    assert set(outcome.xcoms("ingest_details")) == {"return_value"}
    summary, day = outcome.summary(), Day(lake)
    assert len(json.dumps(summary)) <= 16 * 1024
    assert (summary["exit_code"], summary["complete"], summary["remaining"], summary["lake"]) == (0, True, 0, str(lake))
    assert (summary["saved"], summary["itens"], summary["arquivos"]) == counts(day)
    assert day.records()[summary["last_run_id"]]["scheduler_run_id"] == f"{DAILY}/{outcome.run_id}/ingest_details"
    assert asset_events()[before:] == [("s3://lh-bronze/pncp_details", {"date": DAY, "lake": str(lake), "done": 120, "itens": summary["itens"],
                                                                        "arquivos": summary["arquivos"]})]


def counts(day) -> tuple:
    """Contratações, itens, arquivos of the file."""
    saved = day.rows()
    return len(saved), sum(row["itens_total"] or 0 for row in saved), sum(row["arquivos_total"] or 0 for row in saved)


def test_the_captured_day(world, dags, lake, samples):
    """What the real API sent, as it sent it."""
    sim = world("--data", samples)
    date = "20260604"  # of several captured listings
    outcome = dags.run(DAILY, conf={"date": date})
    assert outcome.state == "success" and outcome.summary()["complete"]
    truth = truth_of(sim, date)
    assert len(truth) == outcome.summary()["done"] > 0
    same_values(rows(lake, date), truth)


def test_twice_with_a_downstream_task(world, dags):
    """A day that is complete already is a success: what comes after it runs."""
    world("--day", DAY, "--count", 30)
    first, second = (dags.run("downstream") for _ in range(2))
    assert [outcome.task_state("silver") for outcome in (first, second)] == ["success", "success"]
    assert second.xcoms("silver") == {"return_value": 30}
    assert second.summary()["already_complete"] is True


def test_the_event_of_a_day_goes_out_once(world, dags):
    world("--day", DAY, "--count", 30)
    before = len(asset_events())
    outcomes = [dags.run(DAILY, conf={"date": DAY}) for _ in range(2)]
    assert [outcome.task_state("ingest_details") for outcome in outcomes] == ["success", "success"]
    assert [outcome.task_state("day_complete") for outcome in outcomes] == ["success", "skipped"]
    assert len(asset_events()) == before + 1


# ---- exits --------------------------------------------------------------------------------------------


def foreign_file(lake):
    import pyarrow as pa
    import pyarrow.parquet as pq

    day = Day(lake)
    day.folder.mkdir(parents=True)
    pq.write_table(pa.table({"a": [1]}), day.file)


@pytest.mark.parametrize("code, tries", [(1, 1), (2, 1), (3, 2), (75, 2)])
def test_exits(code, tries, world, dags, lake, monkeypatch):
    """1 and 2 fail at once, the others after their retries; the summary is there whatever happens."""
    sim = world("--day", DAY, "--count", 20)
    if code == 1:
        foreign_file(lake)
    elif code == 2:
        monkeypatch.setenv("PNCP_CONSULTA_URL", "gopher://nowhere")
    elif code == 3:
        fail_tenth(sim)
    else:
        sim.control(fault="listing:503=1")
    outcome = dags.run("downstream", DAY, retries=1, extra=PATIENT.replace("5s", "1s"))
    assert (outcome.task_state("ingest_details"), outcome.task_state("silver")) == ("failed", "upstream_failed")
    assert outcome.task("ingest_details").try_number == tries
    assert set(outcome.xcoms("ingest_details")) == {"return_value"}
    summary = outcome.summary()
    assert summary.get("exit_code") == code
    if code == 3:
        assert (summary["saved"], summary["failed_waiting"], summary["errors_by_reason"]) == (18, 2, {"http_500": 2})


def test_a_signal_is_tried_again(world, dags, lake):
    """SIGTERM from outside: what is finished is saved, and the second try takes the rest."""
    sim = world("--day", DAY, "--count", 200, "--latency-detail", 40)

    def interrupt():
        wait_until(lambda: len(Day(lake).keys()) > 0)
        os.kill(int(run_of(lake)), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    outcome = dags.run("downstream", DAY, retries=1, extra=PATIENT + " --checkpoint-every 10")
    thread.join()
    assert outcome.task_state("ingest_details") == "success" and outcome.task("ingest_details").try_number == 2
    records = list(Day(lake).records().values())
    assert [record["summary"]["exit_code"] for record in records] == [143, 0]
    summary = outcome.summary()
    assert summary["batches"] == 2 and (summary["saved"], summary["itens"], summary["arquivos"]) == counts(Day(lake))
    same_values(rows(lake), truth_of(sim))


def run_of(lake) -> str:
    """Process id of the run that holds the day."""
    return re.search(r"pid[ =:\"]*(\d+)", Day(lake).run_lock.read_text())[1]


# ---- failures -----------------------------------------------------------------------------------------


def test_lasting_404s_are_no_failure(world, dags, lake):
    sim = world("--day", DAY, "--count", 1000, "--fault", "arquivos:lasting_404=0.003")
    outcome = dags.run(DAILY, DAY)
    assert outcome.state == "success"
    summary = outcome.summary()
    assert summary["complete"] and summary["done"] == 1000 and 1 <= summary["ausente"] <= 10
    assert len(rows(lake)) == len(truth_of(sim)) == 1000


def test_a_tenth_that_fails_fails_the_task(world, dags):
    sim = world("--day", DAY, "--count", 100)
    failed = fail_tenth(sim)
    outcome = dags.run(DAILY, DAY)
    assert (outcome.state, outcome.task_state("ingest_details")) == ("failed", "failed")
    summary = outcome.summary()
    assert (summary["exit_code"], summary["saved"], summary["errors_by_reason"]) == (3, 90, {"http_500": failed})


def test_a_few_that_fail_are_a_success_without_an_event(world, dags, monkeypatch):
    sim = world("--day", DAY, "--count", 100)
    failed = fail_tenth(sim)
    variable(monkeypatch, "max_failed", f"{failed}.5%")
    before = len(asset_events())
    outcome = dags.run(DAILY, DAY)
    assert (outcome.task_state("ingest_details"), outcome.task_state("day_complete")) == ("success", "skipped")
    assert not outcome.summary()["complete"] and outcome.summary()["remaining"] == failed
    assert len(asset_events()) == before


# ---- settings -----------------------------------------------------------------------------------------


def test_precedence(world, dags, lake, monkeypatch):
    """conf over Variable over default, for both sizes: what the program was called with, and did."""
    world("--day", DAY, "--count", 70)

    def called(conf):
        outcome = dags.run(DAILY, conf={"date": DAY, "max_contratacoes": 70, **conf})
        words = Day(lake).records()[outcome.summary()["last_run_id"]]["argv"]
        shutil.rmtree(lake)
        value = {flag: words[words.index(flag) + 1] for flag in ("--batch-size", "--checkpoint-every") if flag in words}
        return value.get("--batch-size"), value["--checkpoint-every"], outcome.summary()["checkpoints"]

    assert called({}) == (None, "50", 2)
    variable(monkeypatch, "batch_size", "35")
    variable(monkeypatch, "checkpoint_every", "20")
    assert called({}) == ("35", "20", 4)
    assert called({"batch_size": 100, "checkpoint_every": 35}) == ("100", "35", 2)
    assert called({"batch_size": "auto"}) == ("auto", "20", 4)


def test_a_whole_day_again(world, dags, lake, monkeypatch):
    """One run, whatever the Variables say of batches; refused when conf wants both."""
    sim = world("--day", DAY, "--count", 30)
    lake_day.ingest(sim, lake)
    variable(monkeypatch, "batch_size", "10")
    outcome = dags.run(DAILY, conf={"date": DAY, "auto_resume": False})
    assert outcome.state == "success"
    assert (outcome.summary()["renewed"], outcome.summary()["batches"], outcome.summary()["saved"]) == (30, 1, 0)
    outcome = dags.run(DAILY, conf={"date": DAY, "auto_resume": False, "batch_size": 10})
    assert outcome.task_state("ingest_details") == "failed" and "leave out --batch-size" in outcome.summary()["error"]


@pytest.mark.parametrize("conf, words", [
    ({"batch_size": "lots"}, "batch_size"), ({"checkpoint_every": 0}, "checkpoint_every"), ({"date": "22/10/2025"}, "date"),
    ({"auto_resume": "perhaps"}, "auto_resume"), ({"max_contratacoes": -1}, "max_contratacoes")])
def test_bad_conf_is_refused(conf, words, dags):
    """Before anything runs, by the name of what is wrong."""
    with pytest.raises(Exception, match=f"(?s){words}.*{next(iter(conf.values()))}"):
        dags.run(DAILY, conf=conf)


def test_misspelt_conf_and_a_bad_variable_fail_at_once(world, dags, lake, monkeypatch, capsys, caplog):
    world("--day", DAY, "--count", 10)
    outcome = dags.run(DAILY, conf={"date": DAY, "batchsize": 100}, retries=3)
    assert outcome.task_state("list_day") == "failed" and outcome.task("list_day").try_number == 1
    assert "conf has batchsize, which this DAG does not know; it knows auto_resume, batch_size" in capsys.readouterr().out + caplog.text
    variable(monkeypatch, "batch_size", "lots")
    outcome = dags.run(DAILY, conf={"date": DAY}, retries=3)
    assert outcome.task_state("ingest_details") == "failed" and outcome.task("ingest_details").try_number == 1
    assert outcome.summary()["error"] == "batch_size is 'lots'; give a number from 1, or auto"
    assert not Day(lake).file.exists()


def test_without_a_date_it_is_yesterday_in_brasilia(world, dags, lake):
    world("--count", 10)
    outcome = dags.run(DAILY)
    yesterday = (datetime.now(timezone(timedelta(hours=-3))) - timedelta(days=1)).strftime("%Y%m%d")
    assert outcome.summary()["date"] == yesterday and len(rows(lake, yesterday)) == 10


# ---- batches and slots --------------------------------------------------------------------------------


def test_batches_until_the_day_is_complete(world, dags, lake):
    sim = world("--day", DAY, "--count", 100)
    outcome = dags.run(DAILY, DAY, conf={"batch_size": 30, "checkpoint_every": 10})
    summary, day = outcome.summary(), Day(lake)
    assert outcome.state == "success" and (summary["batches"], summary["complete"]) == (4, True)
    assert (summary["saved"], summary["itens"], summary["arquivos"]) == counts(day)
    assert summary["checkpoints"] == len([entry for entry in day.history() if entry["kind"] == "append"])
    assert summary["list_calls"] == 0  # list_day has paid it
    same_values(day.rows(), truth_of(sim))


def test_a_slot_that_ends_gives_its_worker_back(world, dags, lake, monkeypatch):
    """up_for_reschedule, not a retry; nothing is listed or asked twice, and the counts are those of all slots."""
    sim = world("--day", DAY, "--count", 150, "--latency-detail", 150)
    variable(monkeypatch, "slot_time", "2s")
    variable(monkeypatch, "extra", PATIENT + " --connections 4")
    outcome = dags.run(DAILY, DAY, conf={"batch_size": 50, "checkpoint_every": 10})
    task = outcome.task("ingest_details")
    assert outcome.state == "success" and task.try_number == 1
    assert reschedules(task) >= 2
    summary, day = outcome.summary(), Day(lake)
    assert (summary["saved"], summary["itens"], summary["arquivos"]) == counts(day)
    assert summary["complete"] and summary["batches"] == len([r for r in day.records().values() if r["argv"][1] == "ingest"]) >= 3
    assert sum(record["summary"]["days"][0]["list_calls"] for record in day.records().values()) == sim.stats()["requests"]["listing"]
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)
    assert max(lake_day.asked(sim).values()) <= 2  # in flight when a slot ended


def reschedules(task) -> int:
    from airflow.models.taskreschedule import TaskReschedule
    from airflow.utils.session import create_session

    with create_session() as session:
        query = session.query(TaskReschedule)
        if V3:
            return query.filter(TaskReschedule.ti_id == task.id).count()
        return query.filter_by(dag_id=task.dag_id, task_id=task.task_id, run_id=task.run_id).count()


# ---- a bucket, many days ------------------------------------------------------------------------------


def test_a_bucket_by_a_connection(world, dags, minio, tmp_path, monkeypatch, capfd, caplog):
    """Slots too: run records are read from the bucket. The secret is nowhere."""
    sim = world("--day", DAY, "--count", 60, "--latency-detail", 100)
    bucket = Bucket(minio, tmp_path)
    variable(monkeypatch, "lake", bucket.url)
    variable(monkeypatch, "aws_conn_id", "minio_lake")
    variable(monkeypatch, "slot_time", "2s")
    variable(monkeypatch, "extra", PATIENT + " --connections 4")
    monkeypatch.setenv("AIRFLOW_CONN_MINIO_LAKE", json.dumps({
        "conn_type": "aws", "login": minio.signer.access, "password": minio.signer.secret,
        "extra": {"endpoint_url": minio.endpoint, "region_name": "us-east-1"}}))
    outcome = dags.run(DAILY, DAY, conf={"batch_size": 20, "checkpoint_every": 10})
    assert outcome.state == "success"
    summary, day = outcome.summary(), bucket.assert_whole(sim)
    assert "counts_of" not in summary and summary["batches"] >= 3
    assert (summary["saved"], summary["itens"], summary["arquivos"]) == counts(day)
    said = "".join(capfd.readouterr()) + caplog.text + json.dumps(outcome.xcoms("ingest_details")) + json.dumps(day.records())
    assert [line for line in said.splitlines() if minio.signer.secret in line] == [] and "Checkpoint" in said


def test_the_backfill(world, dags, lake):
    sim = world("--count", 25)
    before = len(asset_events())
    outcome = dags.run(BACKFILL, conf={"from": "2025-10-20", "to": "20251022", "batch_size": 10})
    assert outcome.state == "success"
    for index, date in enumerate(("20251020", "20251021", "20251022")):
        assert outcome.summary("day.ingest_details", index)["date"] == date
        same_values(rows(lake, date), truth_of(sim, date))
    assert len(asset_events()) == before + 3


def test_the_maintenance(world, dags, lake):
    """Parts that have arrived since are fetched; days that the lake does not have are left alone."""
    date = (datetime.now(timezone(timedelta(hours=-3))) - timedelta(days=2)).strftime("%Y%m%d")
    sim = world("--count", 40, "--late-itens", "0.2")
    lake_day.ingest(sim, lake, date=date)
    day = Day(lake, date)
    waiting = [entry for entry in day.falhas() if entry["kind"] == "ausente"]
    day.shift_falhas(2 * 3600)
    sim.control(late="arrived")
    outcome = dags.run(MAINTENANCE)
    assert outcome.state == "success"
    assert outcome.xcoms("days") == {"return_value": [date]}
    assert outcome.xcoms("day.retry", 0)["return_value"]["days"][0]["renewed"] == len(waiting) > 0
    assert outcome.xcoms("day.verify", 0)["return_value"]["sound"] is True
    same_values(day.rows(), truth_of(sim, date))
