"""--input: every way to write a key, files that overlap, rows that have no more than a key, rows that have none."""

import json
import os
import re
from datetime import datetime, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from columns import expect_row, loads
from lake_day import Day
from program import DAY, FAST, falhas, key_of, rows, run, same_values, state_path, truth_of
from simulator import Simulator
from tables import flat, table_of, typed, widened

COUNT = 60
EVE = "20251021"
FEW = 8 # of the first rows of the day: CNPJs with leading zeros, with letters and without either
UNKNOWN = {"cnpj": "99999999000191", "ano": 2025, "sequencial": 1}


@pytest.fixture(scope="module")
def source():
    with Simulator("--day", f"{EVE}..{DAY}", "--count", COUNT) as started:
        yield started


@pytest.fixture
def sim(source):
    """The module's simulator, without faults and its figures at zero. No run of this file may list."""
    source.control(("clear", "all"), ("reset", "all"))
    yield source
    assert source.stats()["requests"]["listing"] == 0


@pytest.fixture(scope="module")
def listing(source) -> list:
    return [entry["contratacao"] for entry in source.truth(DAY)]


@pytest.fixture(scope="module")
def truth(source) -> dict:
    return truth_of(source)


@pytest.fixture(scope="module")
def singles(source) -> dict:
    """As truth, with the fields that only the single object has."""
    expected = [expect_row(contratacao=single(source, entry["contratacao"]), itens=entry["itens"], arquivos=entry["arquivos"])
                for entry in source.truth(DAY, parse=loads)]
    return {key_of(row): row for row in expected}


def single(sim, contratacao) -> dict:
    cnpj, ano, sequencial = parts(contratacao)
    return loads(sim.get(f"/api/consulta/v1/orgaos/{cnpj}/compras/{ano}/{sequencial}").text)


def parts(contratacao) -> tuple:
    return contratacao["orgaoEntidade"]["cnpj"], contratacao["anoCompra"], contratacao["sequencialCompra"]


def text_key(contratacao) -> str:
    return "|".join(map(str, parts(contratacao)))


def bare(contratacao) -> dict:
    return dict(zip(("cnpj", "ano", "sequencial"), parts(contratacao)))


def compras(sim) -> int:
    return sim.stats()["requests"]["compra"]


def asked_for(sim, contratacao) -> int:
    """How often the single object of a contratação was asked for."""
    cnpj, ano, sequencial = parts(contratacao)
    return sim.stats(keys=True)["keys"].get(f"{cnpj}|{ano}|{sequencial}", {}).get("compra", 0)


# ---- writers ----------------------------------------------------------------------------------------


def write_parquet(path, records):
    pq.write_table(table_of(records), path)


def write_json(path, records):
    path.write_text(json.dumps(records, default=str), encoding="utf-8")


def write_ndjson(path, records):
    path.write_text("\n".join(json.dumps(record, default=str) for record in records), encoding="utf-8")


def write_envelope(path, records):
    path.write_text(json.dumps({"totalRegistros": len(records), "data": records}, default=str), encoding="utf-8")


KINDS = [write_parquet, write_json, write_ndjson, write_envelope]


# ---- forms of a key ---------------------------------------------------------------------------------


def form_plain(cnpj, ano, sequencial, controle):
    return {"cnpj": cnpj, "ano": ano, "sequencial": sequencial}


def form_struct(cnpj, ano, sequencial, controle):
    return {"orgaoEntidade": {"cnpj": cnpj}, "anoCompra": ano, "sequencialCompra": sequencial}


def form_dot(cnpj, ano, sequencial, controle):
    return {"orgaoEntidade.cnpj": cnpj, "anoCompra": float(ano), "sequencialCompra": float(sequencial)}


def form_underscore(cnpj, ano, sequencial, controle):
    return {"orgaoEntidade_cnpj": cnpj.lstrip("0"), "anoCompra": ano, "sequencialCompra": sequencial}


def form_controle(cnpj, ano, sequencial, controle):
    return {"numeroControlePNCP": controle, "ano": None}


def form_all(cnpj, ano, sequencial, controle):
    return {**form_plain(cnpj, ano, sequencial, controle), **form_struct(cnpj, ano, sequencial, controle),
            "orgaoEntidade_cnpj": cnpj, "numeroControlePNCP": controle}


FORMS = [form_plain, form_struct, form_dot, form_underscore, form_controle, form_all]


@pytest.mark.parametrize("write", KINDS, ids=lambda write: write.__name__.removeprefix("write_"))
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__.removeprefix("form_"))
def test_keys_alone(tmp_path, lake, sim, listing, singles, form, write):
    """In every form and kind of file: all fields come from the consulta API, each contratação asked for once."""
    few = listing[:FEW]
    write(tmp_path / "e", [form(*parts(row), row["numeroControlePNCP"]) for row in few])
    result = run("--input", tmp_path / "e", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert (result.day["listed"], result.day["saved"], result.day["complete"]) == (FEW, FEW, True)
    assert (result.day["list_calls"], compras(sim)) == (FEW, FEW)
    same_values(rows(lake), {text_key(row): singles[text_key(row)] for row in few})


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__.removeprefix("form_"))
def test_keys_with_the_fields(tmp_path, lake, sim, listing, truth, form):
    """Nothing is asked, and a row is what the listing would have sent: names of the key do not end in extra."""
    names = ("orgaoEntidade", "anoCompra", "sequencialCompra")
    few, records = listing[:FEW], []
    for row in few:
        key = form(*parts(row), row["numeroControlePNCP"])
        orgao = {name: value for name, value in row["orgaoEntidade"].items() if name != "cnpj"}
        records.append({**{name: value for name, value in row.items() if name not in names}, **key,
                        "orgaoEntidade": {**orgao, **key.get("orgaoEntidade", {})}})
    write_json_exact(tmp_path / "e.json", records)
    run("--input", tmp_path / "e.json", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert compras(sim) == 0
    same_values(rows(lake), {text_key(row): truth[text_key(row)] for row in few})


def write_json_exact(path, records):
    """Amounts with all their digits."""
    class Number(float):
        def __init__(self, value):
            self.text = str(value)

        def __repr__(self):
            return self.text

    def exact(value):
        if isinstance(value, dict):
            return {name: exact(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [exact(inner) for inner in value]
        return Number(value) if type(value).__name__ == "Decimal" else value

    path.write_text(json.dumps(exact(records)), encoding="utf-8")


def test_flat_names_in_json(tmp_path, lake, sim, listing, truth):
    """json_normalize, written as JSON: the same as its Parquet."""
    write_json_exact(tmp_path / "e.json", [flat(row) for row in listing])
    run("--input", tmp_path / "e.json", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    same_values(rows(lake), truth)


def test_cnpj_as_a_number(tmp_path, lake, sim, listing):
    """Zeros at the front come back, as int64 and as a double; letters stay."""
    records = [bare(row) for row in listing]
    digits = [record for record in records if record["cnpj"].isdigit()]
    letters = [record for record in records if not record["cnpj"].isdigit()]
    assert letters and any(record["cnpj"].startswith("0") for record in digits)
    numbers = pa.table({"cnpj": pa.array([int(record["cnpj"]) for record in digits], pa.int64()),
                        "ano": pa.array([record["ano"] for record in digits], pa.int16()),
                        "sequencial": pa.array([record["sequencial"] for record in digits], pa.int64())})
    (tmp_path / "e").mkdir()
    half = len(digits) // 2
    pq.write_table(numbers.slice(0, half), tmp_path / "e" / "1.parquet")
    pq.write_table(widened(numbers.slice(half)), tmp_path / "e" / "2.parquet")
    write_parquet(tmp_path / "e" / "3.parquet", letters)
    run("--input", tmp_path / "e", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    saved = rows(lake)
    assert sorted(map(key_of, saved)) == sorted(map(text_key, listing))
    assert all(len(row["cnpj"]) == 14 and row["orgaoEntidade"]["cnpj"] == row["cnpj"] for row in saved)


def test_a_number_for_the_cnpj_beside_the_fields(tmp_path, lake, sim, listing, truth):
    digits = [row for row in listing if row["orgaoEntidade"]["cnpj"].isdigit()]
    table = table_of([flat(row) for row in digits])
    at = table.column_names.index("orgaoEntidade.cnpj")
    pq.write_table(table.set_column(at, "orgaoEntidade.cnpj", table.column(at).cast(pa.int64())), tmp_path / "e.parquet")
    run("--input", tmp_path / "e.parquet", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    same_values(rows(lake), {text_key(row): truth[text_key(row)] for row in digits})


# ---- overlapping files ------------------------------------------------------------------------------


def test_four_overlapping_files_of_pandas(tmp_path, lake, sim, listing, truth):
    """A key counts once; no number is lost by having been a double."""
    for i, (begin, end) in enumerate([(0, 25), (15, 40), (30, 55), (45, COUNT)]):
        pq.write_table(widened(table_of([flat(typed(row)) for row in listing[begin:end]])),
                       tmp_path / f"contratacoes_{DAY}_{i}.parquet")
    (tmp_path / "contratacoes_20251023_0.parquet").write_bytes(b"another day's")
    result = run("--input", tmp_path / "contratacoes_{yyyy}{mm}{dd}_*.parquet", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert (result.day["listed"], result.day["saved"]) == (COUNT, COUNT)
    assert (result.day["list_calls"], compras(sim)) == (0, 0)
    same_values(rows(lake), truth)


def test_the_row_with_fields_counts(tmp_path, lake, sim, listing, singles, truth):
    """Whichever file it is in; only what no file has is asked for."""
    write_json(tmp_path / "a.json", [bare(row) for row in listing])
    write_json_exact(tmp_path / "b.json", listing[5:])
    run("--input", tmp_path / "*.json", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert compras(sim) == 5
    same_values(rows(lake), {**truth, **{text_key(row): singles[text_key(row)] for row in listing[:5]}})


# ---- paths ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["{yyyy}/{mm}/{dd}", "2025/10/22", "2025/10/22/", "2025/*/22", "2025/10/22/*.*son*",
                                     "2025/10/22/[ab].[jnp]*[!c]"])
def test_folders_and_patterns(tmp_path, lake, sim, listing, pattern):
    folder = tmp_path / "2025" / "10" / "22"
    folder.mkdir(parents=True)
    write_json(folder / "a.json", [bare(row) for row in listing[:2]])
    write_ndjson(folder / "b.ndjson", [bare(row) for row in listing[2:4]])
    write_ndjson(folder / "b.jsonl", [bare(row) for row in listing[4:6]])
    write_parquet(folder / "b.parquet", [bare(row) for row in listing[6:8]])
    (folder / "x.parquet").mkdir()
    for name in ("LEIAME.txt", ".half.json", "_SUCCESS", "b.parquet.crc"):
        (folder / name).write_text("none of ours", encoding="utf-8")
    result = run("--input", tmp_path / pattern, "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    wanted = listing[:6] if "son" in pattern else listing[:8]
    assert result.day["listed"] == len(wanted)
    assert sorted(map(key_of, rows(lake))) == sorted(map(text_key, wanted))


def test_a_name_with_signs_of_a_pattern_is_a_name(tmp_path, lake, sim, listing):
    write_json(tmp_path / "[1]*.json", [bare(listing[0])])
    write_json(tmp_path / "1x.json", [bare(listing[1])])
    run("--input", tmp_path / "[1]*.json", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert [key_of(row) for row in rows(lake)] == [text_key(listing[0])]


@pytest.mark.parametrize("pattern", ["nada.parquet", "*.parquet", "vazia", "{yyyy}-{mm}.json", "nada/*.json"])
def test_what_matches_nothing_is_a_usage_error(tmp_path, lake, sim, pattern):
    (tmp_path / "vazia").mkdir()
    (tmp_path / "vazia" / "x.csv").write_text("cnpj", encoding="utf-8")
    result = run("--input", tmp_path / pattern, "--date", DAY, *FAST, lake=lake, sim=sim, exit=2)
    assert sum(str(tmp_path / pattern) in line and "no file matches" in line for line in result.stderr) == 1
    assert rows(lake) == []


def test_the_oldest_file_says_how_old_the_list_is(tmp_path, lake, sim, listing):
    """One written while the day was open does not make it complete."""
    write_json(tmp_path / "a.json", [bare(row) for row in listing[:2]])
    write_json(tmp_path / "b.json", [bare(row) for row in listing[2:4]])
    noon = datetime(2025, 10, 22, 12, tzinfo=timezone.utc).timestamp()
    os.utime(tmp_path / "a.json", (noon, noon))
    result = run("--input", tmp_path, "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert (result.day["saved"], result.day["listed_final"], result.day["complete"]) == (4, False, False)


# ---- rows of no more than a key ---------------------------------------------------------------------


def test_a_second_run_asks_for_nothing(tmp_path, lake, sim, listing):
    write_json(tmp_path / "e.json", [bare(row) for row in listing])
    args = ("--input", tmp_path / "e.json", "--date", DAY, *FAST)
    run(*args, "--batch-size", 10, lake=lake, sim=sim, exit=0)
    result = run(*args, lake=lake, sim=sim, exit=0)
    assert (result.day["done_before"], result.day["saved"], result.day["complete"]) == (10, COUNT - 10, True)
    assert result.day["list_calls"] == COUNT - 10 # saved ones have their fields
    after = compras(sim)
    result = run(*args, lake=lake, sim=sim, exit=0)
    assert (result.day["already_complete"], compras(sim)) == (True, after)


def test_a_batch_takes_the_first_ones(tmp_path, lake, sim, listing):
    write_json(tmp_path / "e.json", [bare(row) for row in listing[::-1]])
    result = run("--input", tmp_path / "e.json", "--date", DAY, "--batch-size", 7, *FAST, lake=lake, sim=sim, exit=0)
    assert sorted(map(key_of, rows(lake))) == sorted(map(text_key, listing[-7:]))
    assert (result.day["listed"], result.day["remaining"], result.day["untried"]) == (COUNT, COUNT - 7, COUNT - 7)
    assert result.day["complete"] is False


def test_a_batch_asks_for_little_more_than_it_takes(tmp_path, lake):
    """Some are asked for before their turn."""
    with Simulator("--day", DAY, "--count", 400) as sim:
        write_json(tmp_path / "e.json", [bare(entry["contratacao"]) for entry in sim.truth(DAY)])
        args = ("--input", tmp_path / "e.json", "--date", DAY, "--batch-size", 5, *FAST)
        result = run(*args, lake=lake, sim=sim, exit=0)
        assert (result.day["saved"], result.day["listed"]) == (5, 400)
        assert result.day["list_calls"] <= 15 + 58 # the fourth group, 1 + 2 + 4 + 8, may come before five are counted; and the window


def test_no_more_than_asked_for(tmp_path, lake, sim, listing):
    write_json(tmp_path / "e.json", [bare(row) for row in listing[::-1]])
    result = run("--input", tmp_path / "e.json", "--date", DAY, "--max-contratacoes", 3, *FAST, lake=lake, sim=sim, exit=0)
    assert sorted(map(key_of, rows(lake))) == sorted(map(text_key, listing[-3:]))
    assert (result.day["listed"], result.day["listed_final"], compras(sim)) == (3, False, 3)


def test_other_days_are_left_out_when_the_api_says_so(tmp_path, lake, source, sim, listing):
    eve = [entry["contratacao"] for entry in source.truth(EVE)][:3]
    dated = [{**bare(row), "dataPublicacaoPncp": row["dataPublicacaoPncp"]} for row in listing[:2] + eve[:1]]
    write_json(tmp_path / "e.json", dated + [bare(row) for row in listing[2:4] + eve[1:]])
    result = run("--input", tmp_path / "e.json", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert (result.day["listed"], result.day["complete"]) == (4, True)
    assert sorted(map(key_of, rows(lake))) == sorted(map(text_key, listing[:4]))
    said = [re.search(r"(\d+) rows of another publication day left out", line) for line in result.stderr]
    assert [match.group(1) for match in said if match] == ["1", "2"] # by the file, by the API
    assert (compras(sim), asked_for(sim, eve[0])) == (6, 0) # the file says its day


def test_one_that_cannot_be_got_goes_to_falhas(tmp_path, lake, sim, listing, singles):
    few = listing[:FEW]
    write_json(tmp_path / "e.json", [bare(row) for row in few[:4]] + [UNKNOWN] + [bare(row) for row in few[4:]])
    cnpj, ano, sequencial = parts(few[2])
    sim.control(rule=f"/api/consulta/v1/orgaos/{cnpj}/compras/{ano}/{sequencial}=500_json")
    args = ("--input", tmp_path / "e.json", "--date", DAY, "--attempts", 3, *FAST)
    result = run(*args, lake=lake, sim=sim, exit=3)
    day = result.day
    assert (day["listed"], day["saved"], day["errors"], day["failed_waiting"]) == (FEW + 1, FEW - 1, 2, 2)
    assert (day["errors_by_reason"], day["complete"]) == ({"http_500": 1, "http_404": 1}, False)
    assert asked_for(sim, few[2]) == 3
    unknown = "|".join(str(value) for value in UNKNOWN.values())
    assert {(entry["key"], entry["kind"], entry["part"], entry["reason"]) for entry in falhas(lake) if entry["kind"] == "failed"} == {
        (text_key(few[2]), "failed", "ambas", "http_500"), (unknown, "failed", "ambas", "http_404")}
    assert sum("the contratacao could not be fetched: http_404" in line for line in result.stderr) == 1
    same_values(rows(lake), {text_key(row): singles[text_key(row)] for row in few if row is not few[2]})

    sim.control(("clear", "rules"))
    Day(lake).shift_falhas(86400)
    day = run(*args, "--max-failed", 1, lake=lake, sim=sim, exit=0).day
    assert (day["saved"], day["failed_waiting"], day["complete"]) == (1, 1, False)
    same_values(rows(lake), {text_key(row): singles[text_key(row)] for row in few})
    assert [entry["key"] for entry in falhas(lake) if entry["kind"] == "failed"] == [unknown]


@pytest.mark.parametrize("fault, reason", [("wrong_kind", "wrong_kind"), ("204", "http_204"), ("dup_key", "duplicate_key"),
                                           ("html_200", "html_200")])
def test_answers_that_are_no_contratacao(tmp_path, lake, sim, listing, fault, reason):
    write_json(tmp_path / "e.json", [bare(row) for row in listing[:2]])
    cnpj, ano, sequencial = parts(listing[0])
    sim.control(rule=f"/api/consulta/v1/orgaos/{cnpj}/compras/{ano}/{sequencial}={fault}")
    result = run("--input", tmp_path / "e.json", "--date", DAY, "--attempts", 2, *FAST, lake=lake, sim=sim, exit=3)
    assert (result.day["saved"], result.day["errors_by_reason"]) == (1, {reason: 1})


# ---- rows without a key -----------------------------------------------------------------------------


def malformed_rows(listing) -> list:
    """(row, what must be said of it)."""
    cnpj, ano, sequencial = parts(listing[0])
    good = {"cnpj": cnpj, "ano": ano, "sequencial": sequencial}
    return [
        ({**good, "cnpj": "12.345.678/0001-90"}, "cnpj is not 14 of [0-9A-Z]"),
        ({**good, "cnpj": "12abc34501de35"}, "cnpj is not 14 of [0-9A-Z]"),
        ({**good, "cnpj": 123456789012345}, "cnpj is not 14 of [0-9A-Z]"),
        ({**good, "cnpj": None}, "no cnpj"),
        ({**good, "ano": 2025.5}, "ano is not a whole number"),
        ({**good, "ano": 20255}, "ano is not 1..9999"),
        ({**good, "ano": "dois mil"}, "ano is not a whole number"),
        ({**good, "sequencial": 0}, "sequencial is not 1..2147483647"),
        ({**good, "sequencial": -4}, "sequencial is not 1..2147483647"),
        ({**good, "sequencial": None}, "no sequencial"),
        ({"numeroControlePNCP": f"{cnpj}-2-000001/2025"}, "numeroControlePNCP is not cnpj-1-sequencial/ano"),
        ({"objetoCompra": "x"}, "no cnpj"),
        ({**good, "orgaoEntidade": {"cnpj": "00000000000191"}}, "orgaoEntidade.cnpj says 00000000000191"),
        ({**good, "anoCompra": ano - 1}, f"anoCompra says {ano - 1}"),
        ({**good, "numeroControlePNCP": f"{cnpj}-1-{sequencial + 1:06}/{ano}"}, "numeroControlePNCP says"),
        ({**good, "dataPublicacaoPncp": "2025-02-30"}, "no valid dataPublicacaoPncp"),
    ]


def test_malformed_rows_are_told_and_left_out(tmp_path, lake, sim, listing):
    wrong = malformed_rows(listing)
    write_json(tmp_path / "e.json", [bare(row) for row in listing[1:3]] + [row for row, _ in wrong])
    args = ("--input", tmp_path / "e.json", "--date", DAY, *FAST)
    result = run(*args, lake=lake, sim=sim, exit=3)
    day = result.day
    assert (day["listed"], day["saved"], day["complete"], day["listed_final"]) == (2, 2, False, False)
    assert (day["errors"], day["errors_by_reason"]) == (len(wrong), {"malformed_key": len(wrong)})
    for number, (_, why) in enumerate(wrong, 3):
        assert sum(f"{tmp_path / 'e.json'}: row {number} left out: {why}" in line for line in result.stderr) == 1, why
    assert not state_path(lake, "completo").exists()
    assert run(*args, "--max-failed", len(wrong) - 1, lake=lake, sim=sim).exit == 3
    result = run(*args, "--max-failed", len(wrong), lake=lake, sim=sim, exit=0)
    assert (result.day["complete"], result.day["already_complete"]) == (False, False)


def test_many_malformed_rows_are_told_as_a_number(tmp_path, lake, sim, listing):
    records = [{**bare(row), "cnpj": "x"} for row in listing[:50]] + [bare(listing[0])]
    write_parquet(tmp_path / "e.parquet", records)
    result = run("--input", tmp_path / "e.parquet", "--date", DAY, *FAST, lake=lake, sim=sim, exit=3)
    assert (result.day["saved"], result.day["errors"]) == (1, 50)
    assert sum(re.search(r"row \d+ left out", line) is not None for line in result.stderr) == 20
    assert sum("50 rows left out in all" in line for line in result.stderr) == 1


def test_a_complete_day_is_not_complete_for_a_list_with_a_row_nobody_can_name(tmp_path, lake, sim, listing):
    write_json(tmp_path / "e.json", [bare(row) for row in listing[:2]])
    run("--input", tmp_path / "e.json", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert state_path(lake, "completo").exists()
    write_json(tmp_path / "e.json", [bare(row) for row in listing[:2]] + [{"cnpj": "x"}])
    run("--input", tmp_path / "e.json", "--date", DAY, *FAST, lake=lake, sim=sim, exit=3)
    assert not state_path(lake, "completo").exists()


def test_only_malformed_rows(tmp_path, lake, sim):
    """Not an empty list, which would be worth another try."""
    pq.write_table(pa.table({"objeto": ["x", "y"]}), tmp_path / "e.parquet")
    result = run("--input", tmp_path / "e.parquet", "--date", DAY, *FAST, lake=lake, sim=sim, exit=3)
    assert (result.day["listed"], result.day["errors"]) == (0, 2)


def test_missing_numbers_of_python(tmp_path, lake, sim, listing, truth):
    """json.dumps writes NaN for what pandas has no value for."""
    few = [{**row, "valorTotalHomologado": None, "modoDisputaId": float("nan")} for row in listing[:FEW]]
    text = json.dumps(few, default=float)
    assert "NaN" in text
    (tmp_path / "e.json").write_text(text, encoding="utf-8")
    run("--input", tmp_path / "e.json", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    saved = rows(lake)
    assert sorted(map(key_of, saved)) == sorted(map(text_key, few))
    assert all(row["modoDisputaId"] is None and row["valores_fora_do_tipo"] == truth[key_of(row)]["valores_fora_do_tipo"]
               for row in saved)
