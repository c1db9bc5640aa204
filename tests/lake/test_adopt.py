"""A lake that another tool has filled: ingest says what to do and touches nothing; adopt keeps their files and makes room."""

import fcntl
import hashlib

import duckdb
import program
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_day import Day, ask, assert_consistent, ingest, start, traced, wait_until
from program import DAY, finish, key_of, run, same_values, truth_of

COUNT = 40


@pytest.fixture
def sim(simulator):
    return simulator("--day", DAY, "--count", COUNT, "--itens-max", 4)


def fill(lake, truth) -> dict:
    """The day as another tool leaves it: its own columns, the keys of all in details.parquet and in chunks. Name -> bytes."""
    day = Day(lake)
    day.folder.mkdir(parents=True)
    keys = [key_of(row).split("|") for row in truth.values()]
    table = pa.table({"cnpj": [key[0] for key in keys], "ano": [int(key[1]) for key in keys],
                      "sequencial": [int(key[2]) for key in keys], "itens_json": ["[]"] * len(keys)})
    pq.write_table(table, day.file)
    for n in range(3):
        pq.write_table(table.slice(n * 15, 15), day.folder / f"chunk_{n:04}.parquet")
    pq.write_table(table, day.folder / "part-00000.snappy.parquet")
    (day.folder / "_SUCCESS").write_text("theirs")
    return {path.name: path.read_bytes() for path in day.folder.glob("*.parquet")}


def tree(lake) -> dict:
    """Every path below the lake that adopt or a run would be blamed for: files with their hash, folders with None."""
    return {str(path.relative_to(lake)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
            for path in lake.rglob("*") if "_state" not in path.parts}


def legado(lake) -> dict:
    folder = lake / "pncp_details_legado" / Day(lake).folder.relative_to(lake / "pncp_details")
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def glob_keys(lake) -> list:
    """The key of every row that a reader of the whole folder finds."""
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT cnpj, ano, sequencial FROM read_parquet('{lake}/pncp_details/**/*.parquet')").fetchall()
    return sorted("|".join(map(str, key)) for key in found)


def fetched_whole(sim, day, theirs) -> None:
    """What must hold once adopt and ingest have had their way."""
    truth = truth_of(sim)
    assert glob_keys(day.lake) == sorted(truth)
    assert legado(day.lake) == theirs
    same_values(day.rows(), truth)
    assert_consistent(day)
    assert day.completo()["commit"] == day.commit()


def test_ingest_names_adopt_and_writes_nothing(sim, lake):
    fill(lake, truth_of(sim))
    before = tree(lake)
    result = run("--date", DAY, "--lake", lake, sim=sim, exit=1)
    assert f"pncp-details adopt --date {DAY} --lake {lake}" in result.stderr[-1]
    assert tree(lake) == before and sim.stats()["requests_total"] == 0
    assert len(glob_keys(lake)) > COUNT # and why: a reader finds keys more than once


def test_adopt_then_ingest(sim, lake):
    day, theirs = Day(lake), fill(lake, truth_of(sim))
    answer = ask("adopt", lake).summary
    assert list(answer) == ["v", "date", "emptied", "folder", "files"]
    assert (answer["v"], answer["date"], answer["emptied"]) == (1, DAY, True)
    assert answer["folder"] == "pncp_details_legado/year=2025/month=10/day=22"
    assert [file["name"] for file in answer["files"]] == ["details.parquet", *sorted(theirs.keys() - {"details.parquet"})]
    assert {file["copy"]: file["bytes"] for file in answer["files"]} == {name: len(content) for name, content in theirs.items()}
    assert legado(lake) == theirs
    # an empty day of ours, which everybody can read
    assert day.keys() == [] and [path.name for path in sorted(day.folder.iterdir())] == ["_SUCCESS", "details.parquet"]
    assert_consistent(day)
    assert glob_keys(lake) == []
    assert ask("status", lake).summary["done"] == 0
    assert ingest(sim, lake, "--checkpoint-every", 15).day["saved"] == COUNT
    fetched_whole(sim, day, theirs)


def test_nothing_of_others_is_there(sim, lake):
    assert "no such folder" in run("adopt", "--date", DAY, "--lake", lake, exit=1).stderr[0] and not lake.exists()
    ingest(sim, lake)
    before = tree(lake)
    assert run("adopt", "--date", DAY, "--lake", lake, exit=0).stdout == "nothing to do: no files of another tool\n"
    assert ask("adopt", lake).summary == {"v": 1, "date": DAY, "emptied": False, "files": [],
                                          "folder": "pncp_details_legado/year=2025/month=10/day=22"}
    assert tree(lake) == before
    assert_consistent(Day(lake))


def test_chunks_beside_a_day_of_ours(sim, lake):
    """Another tool wrote into a day that is complete: its rows stay, theirs go."""
    ingest(sim, lake)
    day, theirs = Day(lake), Day(lake).folder / "chunk_0001.parquet"
    pq.write_table(pa.table({"a": [1]}), theirs)
    content, ours = theirs.read_bytes(), day.file.read_bytes()
    assert "chunk_0001.parquet" in run("--date", DAY, "--lake", lake, sim=sim, exit=1).stderr[-1]
    text = run("adopt", "--date", DAY, "--lake", lake, exit=0).stdout
    assert text == f"adopted: 1 files, {len(content)} bytes, kept in pncp_details_legado/year=2025/month=10/day=22\n"
    assert day.file.read_bytes() == ours
    assert ingest(sim, lake).day["already_complete"]
    fetched_whole(sim, day, {"chunk_0001.parquet": content})


def test_a_day_of_ours_that_another_tool_has_overwritten(sim, lake):
    ingest(sim, lake)
    day = Day(lake)
    pq.write_table(pa.table({"a": [1]}), day.file)
    content = day.file.read_bytes()
    run("adopt", "--date", DAY, "--lake", lake, exit=0)
    assert not day.completo_file.exists()
    assert ask("verify", lake).summary["sound"]
    assert ingest(sim, lake).day["saved"] == COUNT
    fetched_whole(sim, day, {"details.parquet": content})


def test_a_second_time_after_the_tool_ran_again(sim, lake):
    """Copies are never overwritten."""
    theirs = fill(lake, truth_of(sim))
    run("adopt", "--date", DAY, "--lake", lake, exit=0)
    day = Day(lake)
    pq.write_table(pa.table({"other": [1]}), day.file)
    second = day.file.read_bytes()
    (day.folder / "chunk_0000.parquet").write_bytes(theirs["chunk_0000.parquet"])
    files = ask("adopt", lake).summary["files"]
    assert [(file["name"], file["copy"]) for file in files] == [("details.parquet", "details.2.parquet"),
                                                                ("chunk_0000.parquet", "chunk_0000.parquet")]
    ingest(sim, lake)
    fetched_whole(sim, day, {**theirs, "details.2.parquet": second})


def test_the_holder_of_the_day_is_named(sim, lake):
    theirs = fill(lake, truth_of(sim))
    lock = Day(lake).run_lock
    lock.parent.mkdir(parents=True)
    lock.write_text('{"v":1,"run_id":"theirs","host":"h","pid":1}\n')
    with open(lock, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = run("adopt", "--date", DAY, "--wait-lease", 0, "--lake", lake, exit=75)
    assert "the day is held by another run: " in result.stderr[0] and '"run_id":"theirs"' in result.stderr[0]
    assert {path.name: path.read_bytes() for path in Day(lake).folder.glob("*.parquet")} == theirs and legado(lake) == {}


def test_a_run_under_way_holds_the_day(sim, lake):
    sim.control(latency_detail=60)
    process = start(sim, lake, "--connections", 2, "--checkpoint-every", 5)
    wait_until(lambda: Day(lake).keys(), process)
    assert "held by another run" in run("adopt", "--date", DAY, "--wait-lease", 0, "--lake", lake, exit=75).stderr[0]
    assert finish(process).exit == 0
    same_values(Day(lake).rows(), truth_of(sim))


@pytest.mark.parametrize("call, moments", [("renameat", (1, 3, 5, 6, 7)), ("fsync", (1, 4, 8, 12, 15)), ("unlinkat", (1, 3, 5, 6)),
                                           ("write", (2, 4, 6, 7))])
def test_a_kill_at_a_system_call(call, moments, sim, tmp_path):
    """Killed anywhere, then again, then the day: as if nothing had happened."""
    truth, killed = truth_of(sim), 0
    for n in moments:
        lake = tmp_path / str(n)
        theirs = fill(lake, truth)
        process = run("adopt", "--date", DAY, "--lake", lake,
                      **traced("-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={n}"))
        killed += process.exit == -9
        for name, content in theirs.items(): # nothing is lost
            assert content in ((Day(lake).folder / name).read_bytes() if (Day(lake).folder / name).exists() else b"",
                               legado(lake).get(name)), name
        run("adopt", "--date", DAY, "--lake", lake, exit=0)
        ingest(sim, lake)
        fetched_whole(sim, Day(lake), theirs)
        assert Day(lake).temps() == []
    assert killed >= len(moments) - 1


def test_two_at_once_and_a_run(sim, tmp_path):
    """In whatever order they come: who is refused says so, nothing is lost, and at the end all is whole."""
    truth = truth_of(sim)
    for n in range(4):
        lake = tmp_path / str(n)
        theirs = fill(lake, truth)
        adopts = [program.start("adopt", "--date", DAY, lake=lake) for _ in range(2)]
        ingests = [start(sim, lake) for _ in range(2)]
        assert {finish(process).exit for process in adopts} <= {0, 75}
        assert {finish(process).exit for process in ingests} <= {0, 1, 75}
        run("adopt", "--date", DAY, "--lake", lake, exit=0)
        ingest(sim, lake)
        fetched_whole(sim, Day(lake), theirs)
