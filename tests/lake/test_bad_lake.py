"""A lake or a day's file that cannot be worked with: one clear line that names it, exit 1 or 2, and nothing is touched."""

import os
import random
import shutil
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lake_day import Day, ask, ingest
from program import DAY, FAST, run, same_values, truth_of

ORDER = ("pncp.format", "pncp.schema", "pncp.day", "pncp.writer", "pncp.history", "pncp.commit")
COMMANDS = ("ingest", "status", "verify", "compact")


@pytest.fixture
def sim(simulator):
    return simulator("--count", 40)


@pytest.fixture
def day(sim, lake):
    """A day with 20 of its 40 contratações."""
    ingest(sim, lake, "--batch-size", 20, "--checkpoint-every", 10)
    return Day(lake)


def refuse(command, sim, lake, *args, exit=1):
    """The one line of a command that ends at once. The line of ingest says how far it came: nowhere."""
    result = run(command, "--date", DAY, *(FAST if command == "ingest" else ()), *args, "--lake", lake, sim=sim, exit=exit)
    assert result.stdout == "" and len(result.stderr) == 1, result
    line = result.stderr[0]
    if command == "ingest":
        assert line.startswith("⚠️ Stopped after 0 of 0 contratacoes: "), line
    return line.removeprefix("⚠️ Stopped after 0 of 0 contratacoes: ").removeprefix("pncp-details: ").removeprefix("ERROR ")


def refused_and_untouched(sim, day, says, commands=COMMANDS, sound=False):
    """Every command that reads the file names it and leaves the day's folder as it is. verify reports damage as a finding."""
    before, requests = day.data_files(), sim.stats()["requests_total"]
    for command in commands:
        if command == "verify" and not sound:
            text = run("verify", "--date", DAY, "--lake", day.lake, exit=1).stdout
            assert "details.parquet" in text and says in text, text
        else:
            line = refuse(command, sim, day.lake)
            assert says in line and f"pncp_details/year=2025/month=10/day=22/" in line, line
        assert day.data_files() == before, command
    assert sim.stats()["requests_total"] == requests
    assert not day.completo_file.exists() and day.temps() == []


# ---- the lake -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["ingest", "list", "status", "verify", "compact", "adopt"])
def test_a_lake_that_is_a_file(command, sim, tmp_path):
    path = tmp_path / "lake"
    path.write_text("mine")
    assert refuse(command, sim, path) == f"lake {path}: is not a folder"
    assert "is not a folder" in refuse(command, sim, path / "below") or "Not a directory" in refuse(command, sim, path / "below")
    assert path.read_text() == "mine"


@pytest.mark.parametrize("command", ["status", "verify", "compact", "adopt"])
def test_a_lake_that_is_not_there(command, sim, lake):
    assert refuse(command, sim, lake) == f"lake {lake}: no such folder"
    assert not lake.exists()


def test_ingest_makes_its_lake_with_all_folders_above(sim, lake):
    deep = lake / "a" / "b" / "c"
    assert ingest(sim, deep).day["saved"] == 40
    assert (deep / "pncp_details" / "_state" / "completo").is_dir()


def test_a_lake_behind_a_link(sim, lake, tmp_path):
    lake.mkdir()
    (tmp_path / "link").symlink_to(lake)
    assert ingest(sim, tmp_path / "link").summary["lake"] == str(lake)
    assert Day(lake).completo_file.exists()


def test_a_lake_as_a_file_url(sim, lake):
    assert ingest(sim, f"file://{lake}").day["saved"] == 40
    assert Day(lake).completo_file.exists()


def as_nobody(*words):
    """Words that run a command without root's rights."""
    if os.geteuid() != 0:
        return words
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and setpriv is not there to drop its rights")
    return ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", *words)


@pytest.fixture
def open_to_all(tmp_path):
    """Everybody may come as far as tmp_path."""
    folders = [folder for folder in (tmp_path, *tmp_path.parents) if not folder.stat().st_mode & stat.S_IXOTH]
    modes = [(folder, folder.stat().st_mode) for folder in folders]
    for folder, mode in modes:
        folder.chmod(mode | stat.S_IXOTH)
    yield tmp_path
    for folder, mode in modes:
        folder.chmod(mode)


@pytest.mark.parametrize("command", ["ingest", "list", "compact", "adopt"])
def test_a_lake_that_cannot_be_written(command, sim, open_to_all):
    lake = open_to_all / "lake"
    lake.mkdir(mode=0o555)
    lake.chmod(0o555)
    result = run(command, "--date", DAY, "--lake", lake, sim=sim, before=as_nobody(), exit=1)
    assert len(result.stderr) == 1 and result.stderr[0].endswith("make folder pncp_details: Permission denied")
    assert list(lake.iterdir()) == [] and sim.stats()["requests_total"] == 0


def test_a_file_that_cannot_be_read(sim, open_to_all):
    lake = open_to_all / "lake"
    ingest(sim, lake, "--batch-size", 20)
    Day(lake).file.chmod(0o000)
    result = run("status", "--date", DAY, "--lake", lake, before=as_nobody(), exit=1)
    assert len(result.stderr) == 1 and "details.parquet" in result.stderr[0] and "Permission denied" in result.stderr[0]


# ---- a day's file that is damaged -----------------------------------------------------------------


def truncated(content, seed):
    return content[:random.Random(seed).randrange(1, len(content))]


def with_random_bytes(content, seed):
    return random.Random(seed).randbytes(len(content))


DAMAGE = {
    "no bytes": lambda content: b"",
    "zeros": lambda content: bytes(len(content)),
    "text": lambda content: b"cnpj;ano;sequencial\n" * 100,
    "a magic number": lambda content: b"PAR1",
    "two magic numbers": lambda content: b"PAR1PAR1",
    "magic numbers around zeros": lambda content: b"PAR1" + bytes(1000) + b"PAR1",
    "another beginning": lambda content: b"PARQ" + content[4:],
    "the first half twice": lambda content: content[:len(content) // 2] * 2,
    "no first half": lambda content: content[len(content) // 2:],
    **{f"random {seed}": lambda content, seed=seed: with_random_bytes(content, seed) for seed in range(3)},
    **{f"truncated {seed}": lambda content, seed=seed: truncated(content, seed) for seed in range(10)},
    **{f"truncated by {count}": lambda content, count=count: content[:-count] for count in (1, 4, 5, 8, 9, 1000)},
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_file(what, sim, day):
    day.file.write_bytes(DAMAGE[what](day.file.read_bytes()))
    refused_and_untouched(sim, day, "details.parquet")


def test_a_file_of_another_day(sim, day):
    ingest(sim, day.lake, date="20251023")
    day.file.write_bytes(Day(day.lake, "20251023").file.read_bytes())
    before = Day(day.lake, "20251023").files()
    refused_and_untouched(sim, day, "20251023")
    after = Day(day.lake, "20251023").files()
    assert {path: after[path] for path in before if "23" in path} == {path: before[path] for path in before if "23" in path}


def test_the_file_is_a_folder(sim, day):
    day.file.unlink()
    day.file.mkdir()
    for command in ("ingest", "status"):
        assert "details.parquet" in refuse(command, sim, day.lake)
    assert list(day.folder.iterdir()) == [day.file]


# ---- files of others ------------------------------------------------------------------------------


def rewrite(day, /, table=None, **changes):
    """The day's file as pyarrow writes it, with its own key-values but for `changes`."""
    metadata = {name: value for name, value in day.metadata().items()}
    metadata = {name: changes.get(name.removeprefix("pncp."), metadata[name]) for name in ORDER}
    table = pq.ParquetFile(day.file).read() if table is None else table
    with pq.ParquetWriter(day.file, table.schema.remove_metadata(), store_schema=False, store_decimal_as_integer=True) as writer:
        writer.write_table(table.replace_schema_metadata(None))
        writer.add_key_value_metadata({name: value for name, value in metadata.items() if value is not None})


ADOPT = f"pncp-details adopt --date {DAY} --lake "


def test_another_tool_s_details_parquet(sim, lake):
    day = Day(lake)
    day.folder.mkdir(parents=True)
    pq.write_table(pa.table({"numeroControlePNCP": ["1"], "itens": ["[]"]}), day.file)
    refused_and_untouched(sim, day, ADOPT, sound=True)
    assert "was written by another tool, nothing was changed; " in refuse("ingest", sim, lake)


@pytest.mark.parametrize("name", ["chunk_0001.parquet", "part-00000.snappy.parquet", "details (1).parquet"])
@pytest.mark.parametrize("beside", [True, False])
def test_other_parquet_in_the_day_s_folder(name, beside, sim, lake):
    day = Day(lake)
    if beside:
        ingest(sim, lake, "--batch-size", 20)
    day.folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"a": [1]}), day.folder / name)
    refused_and_untouched(sim, day, ADOPT, sound=True)
    assert name in refuse("ingest", sim, lake)
    (day.folder / name).unlink()
    assert ingest(sim, lake).day["complete"]


def test_what_is_no_parquet_is_nobody_s_business(sim, lake):
    day = Day(lake)
    day.folder.mkdir(parents=True)
    for name in ("README.md", ".details.parquet.crc", "_SUCCESS"):
        (day.folder / name).write_text("mine")
    assert ingest(sim, lake).day["complete"]
    assert sorted(path.name for path in day.folder.iterdir()) == [".details.parquet.crc", "README.md", "_SUCCESS", "details.parquet"]


@pytest.mark.parametrize("changes, says", [
    ({"format": "details 2"}, 'has format "details 2", this version knows "details 1": use a newer pncp-details'),
    ({"format": "contratacoes 1"}, 'has format "contratacoes 1"'),
    ({"schema": "2"}, "has schema version 2, this version knows 1: use a newer pncp-details"),
    ({"format": None}, ADOPT),
])
def test_a_newer_format_and_a_newer_schema(changes, says, sim, day):
    rewrite(day, **changes)
    refused_and_untouched(sim, day, says, sound=True)


@pytest.mark.parametrize("changes", [{"schema": "x"}, {"schema": None}, {"day": None}, {"day": "20251023"}])
def test_key_values_that_make_no_sense(changes, sim, day):
    rewrite(day, **changes)
    refused_and_untouched(sim, day, "details.parquet")


def test_columns_that_are_not_ours(sim, day):
    """The key-values are there, but another tool has written the rows anew."""
    table = pq.ParquetFile(day.file).read()
    rewrite(day, table.drop_columns(["usuarioNome"]))
    refused_and_untouched(sim, day, "columns are not those of this program", sound=True)


# ---- a list that is damaged, or of others ---------------------------------------------------------


def test_a_damaged_list_is_fetched_again(sim, day):
    for content in (b"", b"text", day.list_file.read_bytes()[:-5], bytes(500)):
        day.list_file.write_bytes(content)
        result = ask("list", day.lake, *FAST, sim=sim)
        assert "listing again" in result.stderr[0] and "contratacoes.parquet" in result.stderr[0]
        assert result.day["listed"] == len(day.listed()) == 40
    assert ingest(sim, day.lake).day["complete"]
    same_values(day.rows(), truth_of(sim))


def test_a_list_of_another_tool(sim, day):
    pq.write_table(pa.table({"numeroControlePNCP": ["1"]}), day.list_file)
    content = day.list_file.read_bytes()
    line = refuse("ingest", sim, day.lake)
    assert "pncp_contratacoes/year=2025/month=10/day=22/contratacoes.parquet was not written by pncp-details" in line
    assert day.list_file.read_bytes() == content
