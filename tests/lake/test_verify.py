"""verify finds what was planted: damage in the day's file, and differences between the lake and the API."""

import random
import struct

import pyarrow.parquet as pq
import pytest
from lake_day import PARTS, Day, ask, ingest
from program import DAY, FAST, fast, key_of, run, truth_of

SHOWN = 100


@pytest.fixture
def day(simulator, lake):
    """Thirty of forty contratações in three row groups."""
    ingest(simulator("--day", DAY, "--count", 40), lake, "--batch-size", 30, "--checkpoint-every", 10)
    return Day(lake)


def footer_at(content) -> int:
    return len(content) - 8 - struct.unpack("<I", content[-8:-4])[0]


def flip(content, at, bit=0) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1:]


def problems(day, *args) -> list:
    """What verify says of a file that is not sound."""
    answer = ask("verify", day.lake, *args, exit=1).summary
    assert not answer["sound"] and answer["problems"] > 0
    assert len(answer["problem_list"]) == min(answer["problems"], SHOWN)
    text = run("verify", "--date", DAY, "--lake", day.lake, exit=1).stdout.splitlines()
    assert text[-1].startswith("NOT SOUND: ") and text[-1].endswith(f" {answer['problems']} problems")
    assert text[:-1][:SHOWN] == answer["problem_list"]
    return answer["problem_list"]


def test_a_sound_day(day):
    answer = ask("verify", day.lake).summary
    rows = day.rows()
    assert answer == {"v": 1, "date": DAY, "sound": True, "contratacoes": 30, "problems": 0, "problem_list": [],
                      **{part: sum(row[f"{part}_total"] or 0 for row in rows) for part in PARTS}}
    assert run("verify", "--date", DAY, "--lake", day.lake, exit=0).stdout == \
        f"sound: 30 contratacoes, {answer['itens']} itens, {answer['arquivos']} arquivos, 0 problems\n"


# ---- bytes ----------------------------------------------------------------------------------------


def test_a_flipped_byte_in_a_page(day):
    """Each page carries a checksum of its content."""
    good, draw = day.file.read_bytes(), random.Random(20251022)
    meta = pq.read_metadata(day.file)
    chunks = [meta.row_group(group).column(i) for group in range(meta.num_row_groups) for i in range(meta.num_columns)]
    assert len(chunks) > 300 # 3 row groups of 137 columns, those without values included
    assert {chunk.compression for chunk in chunks} == {"ZSTD", "UNCOMPRESSED"} # what is tiny is stored
    for chunk in draw.sample(chunks, 25):
        end = chunk.data_page_offset + chunk.total_compressed_size # a lot has no dictionaries: one page is the chunk
        day.file.write_bytes(flip(good, end - draw.randrange(1, 5), draw.randrange(8)))
        found = problems(day)
        assert "row group" in found[0] or "details.parquet" in found[0], found


def test_a_flipped_byte_in_the_footer(day):
    """Wherever it is: the footer has a checksum of its own."""
    good, draw = day.file.read_bytes(), random.Random(20251022)
    for _ in range(60):
        day.file.write_bytes(flip(good, draw.randrange(footer_at(good), len(good)), draw.randrange(8)))
        assert run("verify", "--date", DAY, "--lake", day.lake).exit == 1


@pytest.mark.parametrize("what, before, after", [
    ("the commit id", b"pncp.commit\x18\x20", None),
    ("a count of the history", b'"kind":"append","contratacoes":10', b'"kind":"append","contratacoes":11'),
    ("itens of the history", b'"itens":', b'"itens":1'),
    ("an id of the history", b'"id":"', b'"id":" '),
    ("the history's form", b'"kind":"append"', b'"kind":"upsert"'),
    ("the day", b"pncp.day\x18\x0820251022", b"pncp.day\x18\x0820251023"),
    ("a key", b"pncp.history", b"pncp.historx"),
])
def test_a_changed_footer(what, before, after, day):
    good = day.file.read_bytes()
    start = footer_at(good)
    at = good.index(before, start)
    if after is None: # another hexadecimal digit
        at += len(before)
        before, after = good[at:at + 1], b"1" if good[at:at + 1] != b"1" else b"2"
    bad = good[:at] + after + good[at + len(before):]
    day.file.write_bytes(bad[:-8] + struct.pack("<I", len(bad) - 8 - start) + b"PAR1") # the trailer is sound
    problems(day)


@pytest.mark.parametrize("before, after, says", [
    (b"details 1", b"details 2", 'has format "details 2", this version knows "details 1": use a newer pncp-details'),
    (b"pncp.format", b"pncp.formal", "was written by another tool"),
    (b"itens_total", b"itens_totol", "the file's columns are not those of this program's format"),
])
def test_a_file_of_another_program_is_not_this_one_s_to_judge(before, after, says, day):
    good = day.file.read_bytes()
    at = good.index(before, footer_at(good))
    day.file.write_bytes(good[:at] + after + good[at + len(before):])
    result = run("verify", "--date", DAY, "--lake", day.lake, exit=1)
    assert result.stdout == "" and len(result.stderr) == 1 and says in result.stderr[0]
    assert "year=2025/month=10/day=22/details.parquet" in result.stderr[0]


@pytest.mark.parametrize("cut", [1, 4, 8, 100, 10000, "half", "footer", "four"])
def test_a_truncated_file(cut, day):
    good = day.file.read_bytes()
    keep = {"half": len(good) // 2, "footer": footer_at(good), "four": 4}.get(cut) or len(good) - cut
    day.file.write_bytes(good[:keep])
    assert "details.parquet" in problems(day)[0]


def test_bytes_behind_the_end(day):
    day.file.write_bytes(day.file.read_bytes() + b"\0" * 8)
    assert "details.parquet" in problems(day)[0]


def test_the_footer_of_another_day_s_file(simulator, day, tmp_path):
    other = Day(tmp_path / "other", "20251023")
    ingest(simulator("--count", 5), other.lake, date=other.date)
    day.file.write_bytes(other.file.read_bytes())
    assert "20251023" in problems(day)[0]


def test_completo_of_another_commit_and_without_data(simulator, lake, day):
    day.completo_file.parent.mkdir(parents=True, exist_ok=True)
    day.completo_file.write_text('{"v":1,"date":"20251022","commit":"00000000000000000000000000000000"}')
    assert problems(day) == ["pncp_details/_state/completo/pncp_details_20251022.json: is of another commit"]
    day.file.unlink()
    assert problems(day) == ["pncp_details/_state/completo/pncp_details_20251022.json: is of another commit"]
    assert not ask("status", lake).summary["complete"]


def test_of_very_many_problems_the_first_are_named(simulator, lake):
    """Each of the parts that are not there has lost its entry in falhas."""
    sim, day = simulator("--day", DAY, "--count", 150, "--fault", "itens:lasting_404=1"), Day(lake)
    ingest(sim, lake)
    day.falhas_file.unlink()
    assert len(problems(day)) == SHOWN
    missing = sum(row[f"{part}_situacao"] != "ok" for row in day.rows() for part in PARTS)
    assert ask("verify", lake, exit=1).summary["problems"] == missing > 150
    text = run("verify", "--date", DAY, "--lake", lake, exit=1).stdout.splitlines()
    assert text[-2] == f"… and {missing - SHOWN} more" and len(text) == SHOWN + 2


# ---- the source -----------------------------------------------------------------------------------

NO_DIFFERENCE = {"itens_differ": 0, "arquivos_differ": 0, "not_listed": 0, "not_saved": 0, "unanswered": 0, "modalidades_failed": 0}


def compare(sim, lake, exit=1, **differences):
    """verify --source; the lines that it tells on stderr."""
    result = ask("verify", lake, "--source", "--attempts", 2, *FAST, sim=sim, exit=exit)
    source = result.summary["source"]
    asked = source.pop("asked")
    assert source == {**NO_DIFFERENCE, **differences}, source
    assert result.summary["sound"] and asked == 2 * result.summary["contratacoes"]
    return result.stderr


def test_a_day_as_the_source_has_it(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 80, "--fault", "itens:lasting_404=0.1"), Day(lake)
    ingest(sim, lake)
    before = day.files()
    assert compare(sim, lake, exit=0) == []
    assert day.files() == before, "nothing is written"


def test_counts_that_differ(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 30), Day(lake)
    ingest(sim, lake)
    sim.control(quantidade_off="1:3")
    lines = compare(sim, lake, **{f"{part}_differ": sum(bool(row[part]) for row in day.rows()) for part in PARTS})
    row = next(row for row in day.rows() if row["itens"])
    assert f"WARNING {key_of(row)}: {row['itens_total']} itens saved (ok), /quantidade says {row['itens_total'] + 3}" in lines


def test_a_part_that_has_come_since(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 40, "--late-itens", 0.3, "--late-answer", "404"), Day(lake)
    ingest(sim, lake)
    absent = [row for row in day.rows() if row["itens_situacao"] == "ausente"]
    sim.control(late="arrived")
    truth = truth_of(sim)
    came = [key_of(row) for row in absent if truth[key_of(row)]["itens"]]
    lines = compare(sim, lake, itens_differ=len(came))
    assert sorted(lines) == sorted(f"WARNING {key}: 0 itens saved (ausente), /quantidade says {len(truth[key]['itens'])}" for key in came)
    assert came


def test_contratacoes_that_came_and_went(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 60, "--visible", 0.6), Day(lake)
    ingest(sim, lake)
    saved = set(day.keys())
    sim.control(visible=1)
    more = set(truth_of(sim)) - saved
    lines = compare(sim, lake, not_saved=len(more))
    assert sorted(lines) == sorted(f"WARNING {key}: listed, not saved" for key in more)
    sim.control(visible="0.3")
    gone = saved - set(truth_of(sim))
    lines = compare(sim, lake, not_listed=len(gone))
    assert sorted(lines) == sorted(f"WARNING {key}: saved, but the listing does not have it (any more)" for key in gone)
    assert more and gone


def test_a_source_that_does_not_answer(simulator, lake):
    sim = simulator("--day", DAY, "--count", 10)
    ingest(sim, lake)
    cnpj, ano, sequencial = Day(lake).keys()[3].split("|")
    sim.control(rule=f"/{cnpj}/compras/{ano}/{sequencial}/*/quantidade=500_json")
    lines = compare(sim, lake, exit=75, unanswered=2)
    assert len(lines) == 2 and lines[0].endswith("/quantidade did not answer: http_500")
    sim.control(("clear", "rules"), ("rule", "codigoModalidadeContratacao=5&=500_json"))
    compare(sim, lake, exit=75, modalidades_failed=1)
    sim.control(("clear", "rules"), ("fault", "detail:503=1"))
    result = ask("verify", lake, "--source", "--attempts", 2, *fast("--outage-wait"), "--outage-wait", "300ms", sim=sim, exit=75)
    assert "the detail API has answered nothing good" in result.stderr[-1] and result.summary is None


def test_of_very_many_differences_the_first_are_told(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 80), Day(lake)
    ingest(sim, lake)
    sim.control(quantidade_off="1:1")
    differ = {f"{part}_differ": sum(bool(row[part]) for row in day.rows()) for part in PARTS}
    lines = compare(sim, lake, **differ)
    assert lines[SHOWN:] == [f"WARNING … and {sum(differ.values()) - SHOWN} more differences"]


def test_the_source_is_not_asked_about_a_file_that_is_not_sound(simulator, lake):
    sim, day = simulator("--day", DAY, "--count", 10), Day(lake)
    ingest(sim, lake)
    before = sim.stats()["requests_total"]
    day.state_file("itens").unlink()
    result = ask("verify", lake, "--source", *FAST, sim=sim, exit=1)
    assert "source" not in result.summary and sim.stats()["requests_total"] == before


def test_a_lake_without_the_day(simulator, lake):
    sim = simulator("--day", DAY, "--count", 10)
    run("verify", "--date", DAY, "--lake", lake, exit=1) # no such folder
    lake.mkdir()
    result = ask("verify", lake, "--source", *FAST, sim=sim, exit=1)
    assert result.summary["source"]["not_saved"] == 10 and result.summary["source"]["asked"] == 0
