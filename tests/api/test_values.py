"""Every value as it was sent: number texts, times, texts, what does not fit its column, and keys that nobody knew."""

import copy
import json
from decimal import Decimal

import pytest
from columns import expect_row, loads
from program import DAY, FAST, falhas, key_of, list_rows, rows, run, same_values

CNPJ = "07954480000179"
ZONED, FRACTION = "2025-10-22T08:00:00-03:00", "2025-10-22T08:00:00.123456"

# Text of a JSON value -> what a DECIMAL(18,4) column holds; None: it does not fit exactly, and is kept in extra.
DECIMALS = {
    "0": "0.0000", "0.00": "0.0000", "-0.0": "0.0000", "100720.00": "100720.0000", "28.6666": "28.6666", "0.0545": "0.0545",
    "16000.0000": "16000.0000", "1e3": "1000.0000", "1.5E-3": "0.0015", "12.50000000": "12.5000", "-7.25": "-7.2500",
    "99999999999999.9999": "99999999999999.9999", "-99999999999999.9999": "-99999999999999.9999",
    "9007199254740993": "None", "90071992547409.9301": "90071992547409.9301", # a double would round this one
    "100000000000000": "None", "0.00001": "None", "1e-5": "None", "1e300": "None", "123456789012345678901234567890": "None",
    '"12.50"': "None", "true": "None", "[]": "None", "{}": "None", "null": "null",
}
INTS = {"0": 0, "-1": -1, "2147483647": 2147483647, "2147483648": None, "-2147483648": -2147483648, "-2147483649": None, "10.0": 10,
        "1e2": 100, "1.5": None, '"6"': None, "false": None, "[1]": None, "99999999999999999999": None}
BOOLS = {"true": True, "false": False, "0": None, '"true"': None, "null": "null"}
TIMES = {'"2025-10-22T00:00:00"': "2025-10-22 00:00:00", '"2024-02-29T23:59:59"': "2024-02-29 23:59:59",
         f'"{FRACTION}"': "2025-10-22 08:00:00.123456", f'"{ZONED}"': None, '"2025-10-22T08:00:00Z"': None,
         '"2025-02-29T00:00:00"': None, '"2025-10-22T24:00:00"': None, '""': None, '"amanhã"': None, "20251022": None,
         '"1899-12-31T00:00:00"': "1899-12-31 00:00:00", '"9999-12-31T23:59:59"': "9999-12-31 23:59:59"}
TEXTS = ['""', '" com brancos nas pontas  "', '"Art. 28,\u00a0II "', '"linha\\nquebrada\\ttabulada"', '"\\"aspas\\" e \\\\barra"',
         '"\\u0000 nulo"', '"\ufffe\uffff"', '"\U0001F600 😀"', '"' + "ç" * 5120 + '"', "12", "null", '["lista"]']


class Folder:
    """Captured answers for pncp-sim --data, one contratação for each call of add()."""

    def __init__(self, path):
        self.path, self.contratacoes, self.truth = path, [], {}
        path.mkdir()

    def add(self, contratacao=None, itens=(), arquivos=()):
        """Fields by name -> JSON text of the value; itens and arquivos: a list of such fields."""
        number = len(self.contratacoes) + 1
        fixed = {"numeroControlePNCP": json.dumps(f"{CNPJ}-1-{number:06}/2025"), "anoCompra": "2025", "sequencialCompra": str(number),
                 "modalidadeId": "6", "dataPublicacaoPncp": '"2025-10-22T10:00:00"',
                 "orgaoEntidade": json.dumps({"cnpj": CNPJ, "razaoSocial": "ÓRGÃO", "poderId": "E", "esferaId": "M"})}
        texts = [self._object({**fixed, **(contratacao or {})})]
        for name, records in (("itens", itens), ("arquivos", arquivos)):
            text = "[" + ",".join(self._object(record) for record in records) + "]"
            (self.path / f"{name}-{CNPJ}-2025-{number}.json").write_text(text, encoding="utf-8")
            texts.append(text)
        self.contratacoes.append(texts[0])
        row = expect_row(*map(loads, texts))
        self.truth[key_of(row)] = row
        return row

    @staticmethod
    def _object(fields):
        return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in fields.items()) + "}"

    def serve(self, simulator):
        (self.path / "contratacoes.json").write_text("[" + ",".join(self.contratacoes) + "]", encoding="utf-8")
        return simulator("--data", self.path)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "captures")


def ingest(folder, simulator, lake):
    """The rows, after the comparison of every one with what the folder holds, and the run's figures."""
    result = run("--date", DAY, *FAST, lake=lake, sim=folder.serve(simulator), exit=0)
    got = rows(lake)
    same_values(got, folder.truth)
    assert result.day["values_out_of_type"] == sum(row["valores_fora_do_tipo"] for row in folder.truth.values())
    return {row["sequencial"]: row for row in got}, result


def test_numbers_by_their_text(folder, simulator, lake):
    for text in DECIMALS:
        folder.add({"valorTotalEstimado": text}, [{"numeroItem": "1", "valorUnitarioEstimado": text, "quantidade": text}])
    got, _ = ingest(folder, simulator, lake)
    for number, (text, wanted) in enumerate(DECIMALS.items(), 1):
        row = got[number]
        fits = wanted not in ("None", "null")
        value = Decimal(wanted) if fits else None
        assert row["valorTotalEstimado"] == row["itens"][0]["valorUnitarioEstimado"] == row["itens"][0]["quantidade"] == value, text
        misfit = wanted == "None"
        assert row["valores_fora_do_tipo"] == (3 if misfit else 0), text
        assert row["extra"] == (f'{{"valorTotalEstimado":{text}}}' if misfit else None)
        assert row["itens"][0]["extra"] == (f'{{"valorUnitarioEstimado":{text},"quantidade":{text}}}' if misfit else None)


@pytest.mark.parametrize("field, part, values", [
    ("situacaoCompraId", None, INTS), ("itemCategoriaId", "itens", INTS), ("tipoDocumentoId", "arquivos", INTS),
    ("srp", None, BOOLS), ("temResultado", "itens", BOOLS), ("statusAtivo", "arquivos", BOOLS),
    ("dataAberturaProposta", None, TIMES), ("dataInclusao", "itens", TIMES), ("dataPublicacaoPncp", "arquivos", TIMES)])
def test_values_that_fit_and_values_that_do_not(folder, simulator, lake, field, part, values):
    ids = {"itens": {"numeroItem": "1"}, "arquivos": {"sequencialDocumento": "1"}}
    for text in values:
        if part is None:
            folder.add({field: text})
        else:
            folder.add(**{part: [{**ids[part], field: text}]})
    got, _ = ingest(folder, simulator, lake)
    for number, (text, wanted) in enumerate(values.items(), 1):
        record = got[number] if part is None else got[number][part][0]
        held = record[field]
        assert (str(held) if isinstance(wanted, str) and wanted != "null" else held) == (None if wanted == "null" else wanted), text
        assert (record["extra"] is None) == (wanted is not None), text
        assert got[number]["valores_fora_do_tipo"] == (wanted is None), text


def test_texts_arrive_byte_by_byte(folder, simulator, lake):
    for text in TEXTS:
        folder.add({"objetoCompra": text, "informacaoComplementar": text}, [{"numeroItem": "1", "descricao": text}],
                   [{"sequencialDocumento": "1", "titulo": text}])
    got, _ = ingest(folder, simulator, lake)
    for number, text in enumerate(TEXTS, 1):
        value = json.loads(text)
        wanted = value if isinstance(value, str) else None
        row = got[number]
        assert row["objetoCompra"] == row["itens"][0]["descricao"] == row["arquivos"][0]["titulo"] == wanted, text


def test_unknown_keys_are_kept_at_every_level(folder, simulator, lake):
    """With their number texts, nulls and nested values, beside what does not fit; nested objects under their own name."""
    new = '{"campoNovo":12.30,"outro":null,"lista":[1,2.0,{"a":[]}]}'
    folder.add({
        "campoNovo": "12.30", "amparoLegal": '{"codigo":1,"nome":"x","descricao":"y","novo":[1.0]}', "vazio": "null",
        "unidadeOrgao": '{"ufSigla":7,"codigoUnidade":"1"}', "unidadeSubRogada": '"nenhuma"', "orgaoSubRogado": "{}",
        "fontesOrcamentarias": '[{"codigo":1,"nova":1.10},{"codigo":"2"},{}]', "objeto": new},
        [{"numeroItem": "1", "novoDoItem": new, "catalogo": '{"id":5,"nome":"c","versao":2.0}', "tipoMargemPreferencia": "[]"},
         {"numeroItem": "2"}, {"numeroItem": "3", "categoriaItemCatalogo": '{"id":"x","statusAtivo":1}'}],
        [{"sequencialDocumento": "9", "tamanho": "1024", "extra": '"chave de nome nosso"'}])
    folder.add({"fontesOrcamentarias": "{}", "extra": "1"}, [{"numeroItem": "1", "itens": "[]"}])
    folder.add({"fontesOrcamentarias": '[{"codigo":1},2]'})
    folder.add({"itens": "[]", "arquivos": "3", "run_id": '"x"', "cnpj": '"y"', "ano": "1"}) # names that only we give
    got, _ = ingest(folder, simulator, lake)
    extra = json.loads(got[1]["extra"])
    assert extra == {"campoNovo": 12.3, "vazio": None, "objeto": json.loads(new), "amparoLegal": {"novo": [1.0]},
                     "unidadeOrgao": {"ufSigla": 7}, "unidadeSubRogada": "nenhuma"}
    assert '"campoNovo":12.30' in got[1]["extra"] and '"lista":[1,2.0,{"a":[]}]' in got[1]["extra"]
    assert got[1]["orgaoSubRogado"] == {"cnpj": None, "razaoSocial": None, "poderId": None, "esferaId": None}
    assert [fonte["extra"] for fonte in got[1]["fontesOrcamentarias"]] == ['{"nova":1.10}', '{"codigo":"2"}', None]
    assert json.loads(got[1]["itens"][0]["extra"]) == {"novoDoItem": json.loads(new), "catalogo": {"versao": 2.0}, "tipoMargemPreferencia": []}
    assert got[1]["valores_fora_do_tipo"] == 6
    assert json.loads(got[4]["extra"]) == {"itens": [], "arquivos": 3, "run_id": "x", "cnpj": "y", "ano": 1}
    assert (got[4]["cnpj"], got[4]["ano"], got[4]["itens"]) == (CNPJ, 2025, [])


def test_the_list_keeps_them_too(folder, simulator, lake):
    """A list read back by a later run gives the same row as the page it came from."""
    folder.add({"campoNovo": "12.30", "valorTotalEstimado": "0.00001", "amparoLegal": '{"novo":1.0}'})
    sim = folder.serve(simulator)
    run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    (listed,) = list_rows(lake)
    assert listed["valores_fora_do_tipo"] == 1
    run("--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    (row,) = rows(lake)
    same_values([row], folder.truth)
    assert listed["extra"] == row["extra"]


def test_keys_of_letters(folder, simulator, lake):
    """A CNPJ is text: letters since July 2026, leading zeros before."""
    global_cnpj = "J88G0753000199"
    row = folder.add({"orgaoEntidade": json.dumps({"cnpj": global_cnpj}), "numeroControlePNCP": f'"{global_cnpj}-1-000001/2025"'})
    for part in ("itens", "arquivos"):
        (folder.path / f"{part}-{CNPJ}-2025-1.json").rename(folder.path / f"{part}-{global_cnpj}-2025-1.json")
    assert key_of(row) == f"{global_cnpj}|2025|1"
    ingest(folder, simulator, lake)


def test_a_list_without_ids_and_with_ids_out_of_order(folder, simulator, lake):
    """sequencialDocumento with gaps and not ascending, the same numeroItem twice (one row), rows without a number."""
    arquivos = [{"sequencialDocumento": str(number), "titulo": f'"{number}"'} for number in (7, 3, 12, 1)]
    folder.add({}, [{"numeroItem": "2100054"}, {"numeroItem": "5"}, {"descricao": '"sem número"'}, {"descricao": '"sem número"'}], arquivos)
    twice = [{"numeroItem": "1", "descricao": '"primeiro"'}, {"numeroItem": "1", "descricao": '"segundo"'}, {"numeroItem": "2"}]
    row = copy.deepcopy(folder.add({}, twice))
    row["itens"], row["itens_total"] = [row["itens"][0], row["itens"][2]], 2
    folder.truth[key_of(row)] = row
    got, _ = ingest(folder, simulator, lake)
    assert [arquivo["sequencialDocumento"] for arquivo in got[1]["arquivos"]] == [7, 3, 12, 1]
    assert not [entry for entry in falhas(lake) if entry["kind"] == "failed"]
