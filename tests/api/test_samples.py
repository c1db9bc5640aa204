"""Captured answers, served again: every value that the API once sent arrives in the lake as it was sent.

Needs $PNCP_SAMPLES, the folder of the captures (see tests/conftest.py); what is expected is read from its files, not from the
simulator that serves them.
"""

import json
import re
from collections import defaultdict

import pyarrow.parquet as pq
import pytest
from columns import expect_row, loads
from program import DAY, FAST, details_path, falhas, key_of, rows, run, same_values

SINGLE_ONLY = ("orcamentoSigilosoCodigo", "orcamentoSigilosoDescricao", "existeResultado")
VITORIA = "contratacoes-vitoria-mod6-2025-06_2026-06.json"
ARQUIVOS_VITORIA = "arquivos-vitoria-100-contratacoes.json"
SINGLES = "compra-detalhe-26-varias-modalidades.json"
PAGES = ["publicacao-page-raw-mod6-2026-06-04.json", "publicacao-page-mod4-SC-2026-02.json", "publicacao-mod1-2024-07-wrapped.json",
         "atualizacao-mod1-2024-07-wrapped.json"]


def load(path):
    return loads(path.read_text(encoding="utf-8"))


def contratacoes_in(value):
    """Every contratação at any depth of a captured file; objects with another tool's keys are none."""
    if isinstance(value, list):
        for inner in value:
            yield from contratacoes_in(inner)
    elif isinstance(value, dict):
        if isinstance(value.get("numeroControlePNCP"), str) and "dataPublicacaoPncp" in value and "modalidadeId" in value:
            if not any(name.startswith("_") for name in value):
                yield value
        else:
            for inner in value.values():
                yield from contratacoes_in(inner)


def controle(key) -> str:
    cnpj, ano, sequencial = key
    return f"{cnpj}-1-{int(sequencial):06}/{ano}"


class Captures:
    """By numeroControlePNCP: what the listing sends, its itens and arquivos. By file: which contratações it has."""

    def __init__(self, folder):
        self.folder, self.listed, self.parts, self.files = folder, {}, defaultdict(dict), defaultdict(list)
        singles = {}
        for path in sorted(folder.rglob("*.json"), key=lambda path: str(path).encode()):
            value = load(path)
            match = re.fullmatch(r"(itens|arquivos)-(\w{14})-(\d+)-(\d+)\.json", path.name)
            if match:
                self.parts[controle((match[2], match[3], match[4]))][match[1]] = value
            elif path.name == ARQUIVOS_VITORIA:
                for name, arquivos in value.items():
                    self.parts[name]["arquivos"] = arquivos
            elif path.parent.name.startswith("compra-") and path.stem in ("itens", "arquivos"):
                self.parts[controle(path.parent.name.split("-")[1:])][path.stem] = value
            else:
                for contratacao in contratacoes_in(value):
                    name = contratacao["numeroControlePNCP"]
                    self.files[path.name].append(name)
                    if "existeResultado" in contratacao:
                        singles.setdefault(name, contratacao)
                    else: # what was listed counts more than what was asked for alone; else the first file
                        self.listed.setdefault(name, contratacao)
        for name, single in singles.items():
            self.listed.setdefault(name, {field: value for field, value in single.items() if field not in SINGLE_ONLY})
        self.singles = singles

    def expected(self, names) -> dict:
        return {key_of(row): row for row in (
            expect_row(self.listed[name], self.parts[name].get("itens", []), self.parts[name].get("arquivos", [])) for name in names)}

    def by_day(self, names) -> dict:
        days = defaultdict(list)
        for name in names:
            days[self.listed[name]["dataPublicacaoPncp"][:10].replace("-", "")].append(name)
        return days


@pytest.fixture(scope="module")
def captures(samples):
    return Captures(samples)


@pytest.fixture
def sim(simulator, samples):
    return simulator("--data", samples)


def test_first_look_at_a_captured_day(sim, captures, lake):
    """The five contratações of the capture, two a checkpoint: each line of the log, and each of the 5 + 15 + 56 records."""
    result = run("--date", DAY, "--max-contratacoes", 5, "--checkpoint-every", 2, *FAST, lake=lake, sim=sim, exit=0)
    names = captures.files["contratacoes.json"]
    truth = captures.expected(names)
    assert len(truth) == 5
    assert sum(len(row["itens"]) for row in truth.values()) == 15 and sum(len(row["arquivos"]) for row in truth.values()) == 56
    same_values(rows(lake), truth)
    history = json.loads(pq.read_schema(details_path(lake)).metadata[b"pncp.history"])
    first, second, last = [(entry["itens"], entry["arquivos"]) for entry in history]
    assert [line.split(" · ")[0] for line in result.stderr] == [
        "Processing 5 contratacoes...",
        f"💾 Checkpoint 1: Saved 2 contratacoes (2/5 total progress, {first[0]} itens, {first[1]} arquivos)",
        f"💾 Checkpoint 2: Saved 2 contratacoes (4/5 total progress, {second[0]} itens, {second[1]} arquivos)",
        "💾 Final checkpoint: Saved remaining 1 contratacoes",
        # two requests for each, and /quantidade for the two lists of ten rows or more
        "✅ Processed 5 contratacoes: 15 itens, 56 arquivos (12 API calls, 0 errors, 3 checkpoints saved)"]
    assert all(" · " in line for line in result.stderr[1:])
    assert (first[0] + second[0] + last[0], first[1] + second[1] + last[1]) == (15, 56)


def ingest_days(sim, captures, lake, names, *args):
    """Every day on which one of these was published; the rows of all of them by key, and the truth of the same."""
    got, truth = {}, {}
    for date, wanted in sorted(captures.by_day(names).items()):
        result = run("--date", date, *FAST, *args, lake=lake, sim=sim, exit=0)
        assert result.day["complete"] and result.day["values_out_of_type"] == 0, date
        day = {key_of(row): row for row in rows(lake, date)}
        expected = captures.expected(wanted)
        truth |= expected
        got |= {key: day[key] for key in expected}
        empty = {(key, part) for key, row in day.items() for part in ("itens", "arquivos") if row[part] == []}
        assert {(entry["key"], entry["part"]) for entry in falhas(lake, date)} == empty
    return got, truth


@pytest.mark.full
def test_thirteen_months_of_one_orgao(sim, captures, lake):
    """233 contratações of 113 days, 555 arquivos of 100 of them, day by day."""
    got, truth = ingest_days(sim, captures, lake, captures.files[VITORIA])
    assert len(got) == 233
    same_values(got.values(), truth)
    assert sum(len(row["arquivos"]) for row in got.values()) == 555
    with_arquivos = set(json.loads((captures.folder / ARQUIVOS_VITORIA).read_text(encoding="utf-8")))
    assert {row["numeroControlePNCP"] for row in got.values() if row["arquivos_situacao"] == "ok"} == with_arquivos
    assert {row["situacaoCompraId"] for row in got.values()} == {1, 2, 4} # published, revoked, suspended
    assert {row["valorTotalHomologado"] is None for row in got.values()} == {True, False}


def test_some_days_of_one_orgao(sim, captures, lake):
    """Those of the same capture with the most contratações."""
    days = sorted(captures.by_day(captures.files[VITORIA]).values(), key=len)[-12:]
    got, truth = ingest_days(sim, captures, lake, [name for names in days for name in names])
    same_values(got.values(), truth)
    assert len(got) >= 48 and sum(len(row["arquivos"]) for row in got.values()) > 50


@pytest.mark.parametrize("page", PAGES)
def test_captured_pages(sim, captures, lake, page):
    """Raw bytes of the server among them: amounts as 100720.00, U+00A0, keys in another order."""
    got, truth = ingest_days(sim, captures, lake, captures.files[page])
    same_values(got.values(), truth)
    text = (captures.folder / page).read_text(encoding="utf-8")
    amounts = re.findall(r'"valorTotalEstimado"\s*:\s*([0-9.]+)', text)
    assert len(amounts) == len(captures.files[page]) and {str(row["valorTotalEstimado"]) for row in got.values()} == \
        {f"{whole}.{(part + '0000')[:4]}" for whole, _, part in (amount.partition(".") for amount in amounts)}


def test_single_objects_are_listed_too(sim, captures, lake):
    """26 contratações of four modalidades, listed without the three fields that only the single object has."""
    names = captures.files[SINGLES]
    got, truth = ingest_days(sim, captures, lake, names)
    assert len(got) == 26 and {row["modalidadeId"] for row in got.values()} == {6, 7, 8, 12}
    same_values(got.values(), truth)
    assert sum(bool(row["fontesOrcamentarias"]) for row in got.values()) == 16
    assert all(row[field] is None for row in got.values() for field in SINGLE_ONLY)


def test_single_objects_given_as_input_keep_their_fields(sim, captures, lake):
    """--input: the capture itself is the list, its three further fields have columns."""
    names = captures.files[SINGLES]
    truth, got = {}, {}
    for date, wanted in sorted(captures.by_day(names).items()):
        result = run("--date", date, "--input", captures.folder / SINGLES, *FAST, lake=lake, sim=sim, exit=0)
        assert (result.day["listed"], result.day["list_calls"]) == (len(wanted), 0)
        got |= {key_of(row): row for row in rows(lake, date)}
        for name in wanted:
            row = expect_row(captures.singles[name], captures.parts[name].get("itens", []), captures.parts[name].get("arquivos", []))
            truth[key_of(row)] = row
    same_values(got.values(), truth)
    assert {row["orcamentoSigilosoCodigo"] for row in got.values()} == {1, 3}
    assert sum(row["orcamentoSigilosoCodigo"] == 3 for row in got.values()) == 3


def test_one_contratacao_with_odd_numbers(sim, captures, lake):
    """numeroItem 2100054, an amount of four decimals, a leading blank, five arquivos."""
    got, truth = ingest_days(sim, captures, lake, captures.files["dados.json"])
    same_values(got.values(), truth)
    (row,) = got.values()
    assert [item["numeroItem"] for item in row["itens"]] == [2100054, 2100055] and len(row["arquivos"]) == 5
    assert "28.6666" in {str(item["valorUnitarioEstimado"]) for item in row["itens"]}
