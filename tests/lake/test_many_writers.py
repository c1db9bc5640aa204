"""Several runs write one day at once, because the lock that keeps them apart is switched off. It is a courtesy: the
conditional writes alone must keep every row, once, and every commit in one history."""

import itertools

import pyarrow.parquet as pq
import pytest
from lake_day import Day, assert_consistent, assert_history, ask, ingest, start, wait_until
from program import DAY, FAST, finish, key_of, same_values, truth_of
from program import start as start_command

COUNT = 240
PART = "/{}/compras/{}/{}/{}*=404"


@pytest.fixture
def sim(simulator):
    return simulator("--day", DAY, "--count", COUNT, "--itens-max", 5, "--latency-detail", 10)


def at_once(sim, lake, env, *commands) -> list:
    """The results of runs over the day that begin together; `commands`: their arguments."""
    processes = [start_command(*words, "--date", DAY, *FAST, "--connections", 4, sim=sim, lake=lake, env=env) for words in commands]
    return [finish(process) for process in processes]


def commits_of(result) -> int:
    """How often a run says that it has changed the file."""
    rewrites = sum(line.startswith(("INFO compacted: ", "INFO renewed: ")) for line in result.stderr)
    return result.day["checkpoints"] + rewrites


def assert_told_right(day, results) -> None:
    """What each run says to have written is in the one history, and no row counts for two runs."""
    history = day.history()
    assert_history(day)
    for result in results:
        own = [entry for entry in history if entry["run"] == result.summary["run_id"]]
        appended = [entry for entry in own if entry["kind"] == "append"]
        assert sum(entry["contratacoes"] for entry in appended) == result.day["saved"]
        assert len(own) == commits_of(result), result.stderr
        assert [entry["n"] for entry in appended] == sorted({entry["n"] for entry in appended})


def assert_whole(sim, day) -> None:
    """Every row, once; after a run that has the day for itself all that is made from them agrees, too."""
    same_values(day.rows(), truth_of(sim))
    ingest(sim, day.lake)
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)
    assert day.completo()["commit"] == day.commit() and day.temps() == []


def eight_at_once(sim, lake, env) -> int:
    """How many of the eight saved something."""
    results = at_once(sim, lake, env, *[("--checkpoint-every", 7)] * 8)
    day = Day(lake)
    assert {result.exit for result in results} == {0}, "\n".join(result.stderr[-1] for result in results)
    assert sum(result.day["saved"] for result in results) == COUNT
    assert_told_right(day, results)
    assert_whole(sim, day)
    return sum(result.day["saved"] > 0 for result in results)


def test_eight_runs_at_once(sim, tmp_path, no_run_lock):
    """They fetch the same in the same order: now and then one is the faster each time, and shows nothing."""
    assert any(eight_at_once(sim, tmp_path / f"lake-{i}", no_run_lock) > 1 for i in range(4))


def test_seven_runs_and_one_that_begins_anew(sim, lake, no_run_lock):
    """It renews the rows that were there, while the others append: none of theirs is lost by its rewrite."""
    ingest(sim, lake, "--batch-size", COUNT // 3)
    day = Day(lake)
    before = {row["run_id"] for row in day.rows()}
    results = at_once(sim, lake, no_run_lock, ("--no-auto-resume", "--checkpoint-every", 7), *[("--checkpoint-every", 7)] * 7)
    assert {result.exit for result in results} == {0}, [result.stderr[-1] for result in results]
    assert sum(result.day["saved"] for result in results) == COUNT - COUNT // 3
    assert results[0].day["renewed"] == COUNT // 3
    assert before.isdisjoint(row["run_id"] for row in day.rows())
    assert_told_right(day, results)
    assert_whole(sim, day)


# ---- rows that are renewed --------------------------------------------------------------------------


class Versions:
    """Keeps each version of the day's file that it meets, by a link."""

    def __init__(self, day, folder):
        folder.mkdir()
        self.day, self.folder, self.paths = day, folder, []

    def look(self):
        path = self.folder / f"{len(self.paths)}.parquet"
        path.hardlink_to(self.day.file)
        if self.paths and path.samefile(self.paths[-1]):
            path.unlink()
        else:
            self.paths.append(path)

    def wait(self, process):
        """Until the process ends."""
        while process.poll() is None:
            self.look()
        self.look()
        return finish(process)

    def assert_never_older(self):
        """No key is lost, and none gets a row that was fetched before the one that it had."""
        tables = [pq.read_table(path, columns=["cnpj", "ano", "sequencial", "obtido_em"]).to_pylist() for path in self.paths]
        times = [{key_of(row): row["obtido_em"] for row in rows} for rows in tables]
        for before, after in itertools.pairwise(times):
            older = [key for key, time in before.items() if key not in after or after[key] < time]
            assert not older, f"{len(older)} of {len(before)}"


@pytest.fixture
def appeared(sim, lake, tmp_path):
    """(day, versions, keys): a complete day. Parts that it lacks have appeared meanwhile; they are due."""
    day = Day(lake)
    keys = [key for key, row in truth_of(sim).items() if row["itens_situacao"] == row["arquivos_situacao"] == "ok"][::3]
    sim.control(*[("rule", PART.format(*key.split("|"), "itens")) for key in keys])
    assert ingest(sim, lake).day["ausente"] == len(keys) > 50
    sim.control(clear="rules")
    day.shift_falhas(2 * 86400)
    return day, Versions(day, tmp_path / "versions"), keys


def begun_slowly(sim, day, env, *words):
    """A run that has fetched some rows and has many before it: those that come now fetch later and are done earlier."""
    before = sim.stats()["requests"]["itens"]
    process = start_command(*words, "--date", DAY, *FAST, "--connections", 1, "--max-rate", 80, sim=sim, lake=day.lake, env=env)
    wait_until(lambda: sim.stats()["requests"]["itens"] >= before + 10, process)
    return process


@pytest.mark.parametrize("slow", [("retry", "--all"), ("ingest", "--no-auto-resume")], ids=["retry", "no-auto-resume"])
def test_no_older_copy_over_a_newer_row(slow, appeared, sim, no_run_lock):
    day, versions, keys = appeared
    first = begun_slowly(sim, day, no_run_lock, *slow)
    others = [start_command("retry", "--all", "--date", DAY, *FAST, sim=sim, lake=day.lake, env=no_run_lock),
              start(sim, day.lake, env=no_run_lock)]
    results = [versions.wait(process) for process in others]
    assert first.poll() is None, "it should have been the last"
    newer = {key_of(row): row for row in day.rows()}
    results = [versions.wait(first), *results]
    assert [result.exit for result in results] == [0, 0, 0]
    assert sum(result.day["renewed"] for result in results[1:]) == len(keys), "each by one of the two"
    after = {key_of(row): row for row in day.rows()}
    assert all(after[key] == newer[key] for key in keys), "what the first had fetched of them is older"
    assert results[0].day["renewed"] == (0 if "retry" in slow else COUNT - len(keys))
    versions.assert_never_older()
    assert_told_right(day, results)
    assert_whole(sim, day)
