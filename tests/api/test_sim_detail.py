"""The detail API of the simulator: bare arrays, counts, paging, truth."""

import re

import pytest
from simulator import loads

DAY = "20251022"
ITEM_FIELDS = 36
ARQUIVO_FIELDS = 12


@pytest.fixture
def day(simulator):
    return simulator("--day", DAY, "--count", 650, "--force-itens", "0=0", "--force-itens", "1=10", "--force-itens", "2=5000",
                     "--force-itens", "3=1", "--force-arquivos", "0=0", "--force-arquivos", "2=81")


def forced(sim):
    """The contratações with 0, 10, 5,000 and 1 itens: the first rows of the day."""
    return [row["contratacao"] for row in (loads(line) for line in sim.truth_lines(DAY)[:4])]


def test_default_page_is_ten(day):
    _, ten, many, _ = forced(day)
    assert len(day.part(many, "itens").json()) == 10
    assert len(day.part(many, "arquivos").json()) == 10
    assert day.part(many, "itens").body == day.part(many, "itens", pagina=1, tamanhoPagina=10).body
    assert len(day.part(ten, "itens", tamanhoPagina=10).json()) == 10


def test_sizes_to_a_thousand(day):
    many = forced(day)[2]
    for size in (50, 500, 1000):
        assert len(day.part(many, "itens", pagina=1, tamanhoPagina=size).json()) == size
    assert len(day.part(many, "itens", pagina=1, tamanhoPagina=5000).json()) == 1000
    numbers = []
    for page in range(1, 6):
        numbers += [item["numeroItem"] for item in day.part(many, "itens", pagina=page, tamanhoPagina=1000).json()]
    assert len(set(numbers)) == 5000


def test_past_the_end_and_empty(day):
    none, ten, _, _ = forced(day)
    past = day.part(ten, "itens", pagina=2, tamanhoPagina=10)
    assert (past.status, past.body) == (200, b"[]")
    empty = day.part(none, "itens")
    assert (empty.status, empty.body, empty.headers["Content-Type"]) == (204, b"", None)
    day.control(past_end="204", empty_part="200")
    assert day.part(ten, "itens", pagina=2, tamanhoPagina=10).status == 204
    assert day.part(none, "itens").body == b"[]"


def test_quantidade_is_a_bare_number(day):
    none, ten, many, one = forced(day)
    bodies = [day.part(row, "itens/quantidade").body for row in (none, ten, many, one)]
    assert bodies == [b"0", b"10", b"5000", b"1"]
    assert day.part(many, "arquivos/quantidade").body == b"81"
    assert day.part(many, "arquivos/quantidade").headers["Content-Type"] == "application/json"


def test_quantidade_off(day):
    ten, many = forced(day)[1:3]
    day.control(quantidade_off="1:3")
    assert day.part(many, "itens/quantidade").body == b"5003"
    day.control(quantidade_off="1:-50")
    assert day.part(ten, "itens/quantidade").body == b"0"
    day.control(quantidade_off="0:0")
    assert day.part(many, "itens/quantidade").body == b"5000"


@pytest.mark.parametrize("mode", ["given", "asked"])
def test_cut_pages(day, mode):
    many = forced(day)[2]
    whole = []
    for page in range(1, 6):
        whole += day.part(many, "itens", pagina=page, tamanhoPagina=1000).json()
    day.control(cut=30, cut_mode=mode)
    second = day.part(many, "itens", pagina=2, tamanhoPagina=500).json()
    offset = 30 if mode == "given" else 500
    assert second == whole[offset:offset + 30]
    assert len(day.part(many, "itens", pagina=1, tamanhoPagina=20).json()) == 20


def test_both_bases_and_the_moved_path(day):
    one = forced(day)[3]
    path = day.part_path(one, "itens")
    assert day.get(path).body == day.get(path.replace("/api/pncp", "/pncp-api")).body
    moved = day.get(path.removesuffix("/itens"))
    assert (moved.status, moved.body) == (301, b"")
    assert moved.headers["Location"] == day.url + path.removesuffix("/itens").replace("/api/pncp", "/api/consulta")
    assert day.get(moved.headers["Location"].removeprefix(day.url)).json()["numeroControlePNCP"] == one["numeroControlePNCP"]


def test_unknown_and_malformed(day):
    one = forced(day)[3]
    path = day.part_path(one, "itens")
    unknown = day.get(path.replace(f"/{one['sequencialCompra']}/", "/999998/"))
    assert (unknown.status, unknown.json()["message"]) == (404, "Contratação não cadastrada.")
    assert day.get(path.replace(f"/{one['anoCompra']}/", "/x/")).status == 400
    assert day.get(path.replace(one["orgaoEntidade"]["cnpj"], "123")).status == 400
    for query in ("pagina=0", "tamanhoPagina=0", "pagina=a"):
        assert day.get(f"{path}?{query}").status == 400
    assert day.get(path.replace("/itens", "/resultados")).json()["message"] == "No message available"


def test_truth_is_what_the_endpoints_serve(simulator):
    sim = simulator("--day", DAY, "--count", 120, "--seed", 7)
    lines = sim.truth_lines(DAY)
    assert len(lines) == 120
    listed = b""
    for modalidade in range(1, 14):
        page = 1
        while (answer := sim.publicacao(DAY, modalidade, page)).status == 200:
            listed += answer.body
            page += 1
    for line in lines:
        row = loads(line)
        whole = row["contratacao"]
        parts = {}
        for part in ("itens", "arquivos"):
            text, page = b"", 1
            while (answer := sim.part(whole, part, pagina=page, tamanhoPagina=500)).status == 200 and answer.body != b"[]":
                text += (b"," if text else b"") + answer.body[1:-1]
                page += 1
            parts[part] = text
        text = re.fullmatch(rb'\{"contratacao":(\{.*\}),"itens":\[(.*)\],"arquivos":\[(.*)\]\}', line, re.S)
        assert text is not None
        assert text[1] in listed
        assert line == b'{"contratacao":' + text[1] + b',"itens":[' + parts["itens"] + b'],"arquivos":[' + parts["arquivos"] + b"]}"


def test_every_key_leads_back_to_its_row(simulator):
    """Days far apart, several turns of the órgãos: each listed row's single object is that row."""
    sim = simulator("--count", 20000, "--seed", 3)
    for date in ("20240229", "20251231", "20260101"):
        for modalidade, page in ((8, 1), (8, 150), (6, 100), (9, 70), (13, 1)):
            for row in sim.publicacao(date, modalidade, page, 10).json()["data"]:
                single = sim.get(sim.part_path(row, "").rstrip("/").replace("/api/pncp", "/api/consulta")).json()
                assert single["numeroControlePNCP"] == row["numeroControlePNCP"]
                assert single["dataPublicacaoPncp"] == row["dataPublicacaoPncp"]


def test_keys_are_unique_over_days(simulator):
    sim = simulator("--count", 6500)
    keys = set()
    for date in ("20251021", "20251022", "20251023", "20261022"):
        keys.update(row["contratacao"]["numeroControlePNCP"] for row in sim.truth(date))
    assert len(keys) == 4 * 6500


def test_same_seed_same_bytes(simulator):
    lines = simulator("--count", 200, "--seed", 5).truth_lines(DAY)
    assert simulator("--count", 200, "--seed", 5).truth_lines(DAY) == lines
    assert simulator("--count", 200, "--seed", 6).truth_lines(DAY) != lines


def test_a_day_has_the_shapes_that_real_ones_have(simulator):
    sim = simulator("--day", DAY, "--count", 6500)
    rows = sim.truth(DAY)
    itens = sorted(len(row["itens"]) for row in rows)
    arquivos = sorted(len(row["arquivos"]) for row in rows)
    assert 7 < sum(itens) / 6500 < 11 and itens[3250] == 2 and {0, 1, 10, 333, 500} <= set(itens)
    assert 3 < sum(arquivos) / 6500 < 4.5 and arquivos[3250] == 2 and {0, 10, 81} <= set(arquivos)
    contratacoes = [row["contratacao"] for row in rows]
    assert any(not row["orgaoEntidade"]["cnpj"].isdigit() for row in contratacoes)
    texts = [row["objetoCompra"] for row in contratacoes]
    for odd in ("\u00a0", "\ufffe", "\uffff", "\n", '"', "\\", "\U0001f691", "\u0001"):
        assert any(odd in text for text in texts), repr(odd)
    assert any(len(text) == 5120 for text in texts)
    assert any(text != text.strip() for text in texts)
    assert {len(row) for row in contratacoes} >= {34, 35, 36}  # without emendaParlamentar; as documented; with unknown keys
    for name in ("orgaoSubRogado", "unidadeSubRogada", "fontesOrcamentarias", "dataAberturaProposta", "valorTotalHomologado"):
        values = [bool(row[name]) for row in contratacoes]
        assert True in values and False in values, name
    assert any(set(row["orgaoEntidade"]) > {"cnpj", "razaoSocial", "poderId", "esferaId"} for row in contratacoes)
    items = [item for row in rows for item in row["itens"]]
    assert {len(item) for item in items} == {ITEM_FIELDS, ITEM_FIELDS + 1}
    for name in ("catalogo", "categoriaItemCatalogo", "tipoMargemPreferencia", "informacaoComplementar", "ncmNbsCodigo"):
        assert any(item[name] for item in items), name
    assert any(item["orcamentoSigiloso"] and item["valorTotal"] == 0 for item in items)
    assert any(item["quantidade"] % 1 for item in items)
    assert any(item["valorUnitarioEstimado"] * 100 % 1 for item in items)
    assert all(item["valorUnitarioEstimado"] * 10000 % 1 == 0 for item in items)
    assert any(row["itens"] and row["itens"][0]["numeroItem"] == 2100054 for row in rows)
    assert all(len({item["numeroItem"] for item in row["itens"]}) == len(row["itens"]) for row in rows)
    files = [[file["sequencialDocumento"] for file in row["arquivos"]] for row in rows]
    assert any(numbers != sorted(numbers) for numbers in files)
    assert any(numbers and max(numbers) > len(numbers) for numbers in files)
    assert all(len(set(numbers)) == len(numbers) for numbers in files)
    assert {len(file) for row in rows for file in row["arquivos"]} == {ARQUIVO_FIELDS, ARQUIVO_FIELDS + 2}


def test_number_text_has_its_forms(simulator):
    sim = simulator("--day", DAY, "--count", 1500)
    text = b"\n".join(sim.truth_lines(DAY)).decode()
    values = re.findall(r'"valorUnitarioEstimado":([^,]+),', text)
    assert any(re.fullmatch(r"\d+\.\d{4}", value) for value in values)  # padded
    assert any(re.fullmatch(r"\d+\.\d", value) for value in values)  # trimmed
    assert any(re.fullmatch(r"\d+E-4", value) for value in values)
    assert all(re.fullmatch(r"\d+\.\d\d", value) for value in re.findall(r'"valorTotalEstimado":([^,}]+)', text))


def test_odd_values_and_itens_max(simulator):
    sim = simulator("--day", DAY, "--count", 200, "--odd-values", 1, "--itens-max", 4)
    rows = sim.truth(DAY)
    assert max(len(row["itens"]) for row in rows) == 4
    assert all(str(item["quantidade"]) == "0.1234567" for row in rows for item in row["itens"])


def test_late_parts(simulator):
    sim = simulator("--day", DAY, "--count", 60, "--late-itens", 1, "--late-answer", "empty")
    row = next(row for row in sim.truth(DAY) if row["arquivos"])
    whole = row["contratacao"]
    assert row["itens"] == [] and sim.part(whole, "itens/quantidade").body == b"0"
    sim.control(late_answer="404")
    assert sim.part(whole, "itens").status == 404 and sim.part(whole, "itens/quantidade").status == 404
    assert sim.part(whole, "arquivos").status == 200
    sim.control(late="arrived")
    assert sum(len(row["itens"]) for row in sim.truth(DAY)) > 60


def test_lasting_404_is_part_of_the_truth(simulator):
    sim = simulator("--day", DAY, "--count", 300, "--fault", "itens:lasting_404=0.2")
    rows = sim.truth(DAY)
    absent = [row for row in rows if row["itens"] is None]
    assert 30 < len(absent) < 90 and all(row["arquivos"] is not None for row in rows)
    for _ in range(3):
        assert sim.part(absent[0]["contratacao"], "itens", pagina=1, tamanhoPagina=500).status == 404
    assert sim.part(absent[0]["contratacao"], "itens/quantidade").status == 404
