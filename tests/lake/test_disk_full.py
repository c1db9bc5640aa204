"""A disk that is full: a clear line and exit 75, the file as it was or one checkpoint further, and all is well once there
is space again."""

import os
import re
import shutil
import subprocess
import time

import pytest
from lake_day import Day, ask, assert_consistent, assert_history, stop
from program import DAY, finish, run, same_values, start, truth_of

COUNT, EVERY = 60, 3
NO_SPACE = "No space left on device"
# Not those of other suites: their deadline would pass too soon on the fast clock. 30 s of trying again are half a second.
WAITS = ("--retry-wait", "10ms", "--outage-wait", "30s")


class Disk:
    """A file system of its own, as small as wanted."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.mount("-t", "tmpfs", "-o", "size=4m", "none")

    def mount(self, *words):
        done = subprocess.run(["mount", *words, str(self.folder)], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")

    def resize(self, kib):
        self.mount("-o", f"remount,size={kib}k")

    def leave(self, kib):
        """Fill it up to so many KiB."""
        space = os.statvfs(self.folder)
        (self.folder / "ballast").write_bytes(bytes(space.f_bavail * space.f_frsize - kib * 1024))

    def clear(self):
        (self.folder / "ballast").unlink(missing_ok=True)
        self.resize(4096)

    def close(self):
        subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small file system needs root")
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.close()


@pytest.fixture
def sim(simulator):
    return simulator("--day", DAY, "--count", COUNT, "--itens-max", 6, "--fault", "itens:lasting_404=0.1")


def ingest(sim, lake, *args, env=None, **more):
    return run("--date", DAY, *WAITS, "--checkpoint-every", EVERY, *args, sim=sim, lake=lake, env=env, **more)


def told(result) -> str:
    """The line that says why the run has ended: it names what could not be written."""
    assert result.exit == 75, result
    line = next(line for line in result.stderr if line.startswith("⚠️ Stopped after "))
    assert line.endswith(NO_SPACE), line
    spool = re.compile(r"WARNING \d+ contratacoes wait in .+: the next run of the day commits them")
    others = ("Processing", "💾", "⚠️", "INFO", "WARNING the run's record was not written: ")
    assert all(line.startswith(others) or spool.fullmatch(line) for line in result.stderr)
    return line


def stage(line) -> str:
    """Where a run was when the disk was full."""
    for words in ("falhas is not", "the state files are not", "the day is not compacted", "completo is not", "details.parquet"):
        if words in line:
            return words
    return "list"


def intact(day, keys) -> None:
    """The file is readable, has what it had, and agrees with itself."""
    if day.file.exists():
        assert_history(day)
    assert len(set(day.keys())) == len(day.keys()) and set(keys) <= set(day.keys())


def well_again(disk, sim, day) -> None:
    """With space a run completes the day."""
    disk.clear()
    assert ingest(sim, day.lake, exit=0).day["complete"]
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)
    assert day.temps() == []


def grow(disk, sim, fast_clock, sizes) -> set:
    """A first run on disks of these sizes. The stages at which they were full."""
    seen = set()
    for kib in sizes:
        day = Day(disk.folder / f"lake-{kib}")
        disk.resize(kib)
        result = ingest(sim, day.lake, env=fast_clock)
        if result.exit != 0:
            line = told(result)
            seen.add(stage(line))
            assert f"Stopped after {len(day.keys())} of " in line
        intact(day, ())
        assert result.day["saved"] == len(day.keys())
        well_again(disk, sim, day)
        shutil.rmtree(day.lake)
    return seen


def test_a_first_run_on_a_small_disk(disk, sim, fast_clock):
    """From no room for the list to no room for the last checkpoints, which fold those before them."""
    assert {"list", "details.parquet"} <= grow(disk, sim, fast_clock, [8, 40, 56, 72, 104, 120, 200, 330, 500, 640])


@pytest.mark.full
def test_a_first_run_on_every_small_disk(disk, sim, fast_clock):
    assert {"list", "details.parquet"} <= grow(disk, sim, fast_clock, range(4, 700, 8))


def finish_with(disk, sim, fast_clock, base, spaces) -> set:
    """What there is left to do for the day of `base`, with so little space. The stages at which it was used up."""
    seen = set()
    for kib in spaces:
        day = Day(disk.folder / f"lake-{kib}")
        shutil.copytree(base, day.lake)
        keys = day.keys()
        disk.leave(kib)
        result = ingest(sim, day.lake, env=fast_clock)
        intact(day, keys)
        if result.exit != 0:
            seen.add(stage(told(result)))
            assert not result.day["complete"] and not day.completo_file.exists()
        elif any("record was not written" in line for line in result.stderr):
            seen.add("record")
        assert result.day["saved"] == len(day.keys()) - len(keys)
        well_again(disk, sim, day)
        shutil.rmtree(day.lake)
    return seen


@pytest.fixture
def almost(sim, tmp_path):
    """A lake that lacks one checkpoint of the day."""
    ingest(sim, tmp_path / "almost", "--batch-size", COUNT - EVERY, exit=0)
    return tmp_path / "almost"


@pytest.fixture
def rows_only(sim, almost):
    """A lake with all rows of the day and nothing that is made from them."""
    day = Day(almost)
    day.state_file("itens").unlink()
    day.state_file("itens").mkdir() # ends the run where it writes its state
    assert ingest(sim, almost, exit=1).day["remaining"] == 0
    shutil.rmtree(day.states)
    return almost


@pytest.fixture
def but_completo(sim, almost):
    """A lake whose day is whole, but not said to be."""
    ingest(sim, almost, exit=0)
    Day(almost).completo_file.unlink()
    return almost


def test_no_space_for_a_checkpoint(disk, sim, fast_clock, almost):
    assert finish_with(disk, sim, fast_clock, almost, [0, 48, 120]) == {"details.parquet"}


def test_no_space_for_what_is_made_from_the_rows(disk, sim, fast_clock, rows_only):
    seen = finish_with(disk, sim, fast_clock, rows_only, [0, 4, 8, 12, 16, 20, 24, 40, 80])
    assert seen >= {"falhas is not", "the state files are not", "the day is not compacted"}, seen


def test_no_space_for_completo(disk, sim, fast_clock, but_completo):
    assert finish_with(disk, sim, fast_clock, but_completo, [0, 4, 8]) >= {"completo is not", "record"}


@pytest.mark.full
def test_no_space_at_every_stage_of_the_end(disk, sim, fast_clock, rows_only):
    seen = finish_with(disk, sim, fast_clock, rows_only, range(0, 200, 4))
    assert seen >= {"falhas is not", "the state files are not", "the day is not compacted"}, seen


@pytest.mark.parametrize("command", ["list", "compact"])
def test_commands_that_find_no_space(command, disk, sim, almost):
    day = Day(disk.folder / "lake")
    shutil.copytree(almost, day.lake)
    before = (day.file.read_bytes(), day.list_file.read_bytes())
    disk.leave(16)
    result = run(command, "--date", DAY, *(("--again", *WAITS) if command == "list" else ()), "--lake", day.lake, sim=sim, exit=75)
    assert result.stderr[-1].endswith(NO_SPACE) or "record was not written" in result.stderr[-1] and NO_SPACE in result.stderr[-2]
    assert (day.file.read_bytes(), day.list_file.read_bytes()) == before
    assert ask("status", day.lake).summary["done"] == COUNT - EVERY
    well_again(disk, sim, day)


def test_space_that_comes_in_time(disk, sim, almost):
    """The save is tried again until somebody has made room; no fast clock here."""
    day = Day(disk.folder / "lake")
    shutil.copytree(almost, day.lake)
    disk.leave(8)
    process = start("--date", DAY, *WAITS, sim=sim, lake=day.lake)
    time.sleep(1.5)
    assert process.poll() is None
    disk.clear()
    result = finish(process)
    assert result.exit == 0 and result.day["complete"]
    same_values(day.rows(), truth_of(sim))
    assert_consistent(day)


@pytest.mark.full
def test_a_save_is_tried_for_half_a_minute(disk, sim, almost):
    day = Day(disk.folder / "lake")
    shutil.copytree(almost, day.lake)
    disk.leave(8)
    result = ingest(sim, day.lake)
    assert "details.parquet" in told(result) and 30 <= result.day["seconds"] < 40
    well_again(disk, sim, day)


def test_a_signal_while_it_is_tried_again(disk, sim, almost):
    day = Day(disk.folder / "lake")
    shutil.copytree(almost, day.lake)
    disk.leave(8)
    process = start("--date", DAY, *WAITS, sim=sim, lake=day.lake)
    time.sleep(1)
    result, seconds = stop(process)
    assert result.exit == 143 and seconds < 3
    assert len(day.keys()) == COUNT - EVERY
    well_again(disk, sim, day)
