"""The consulta API of the simulator: envelopes, order, validation."""

import re

import pytest

DAY = "20251022"
BASE = {"dataInicial": DAY, "dataFinal": DAY, "codigoModalidadeContratacao": 6, "pagina": 1, "tamanhoPagina": 10}
PATH = "/api/consulta/v1/contratacoes/publicacao"


def url(path=PATH, **changes):
    query = {**BASE, **changes}
    return path + "?" + "&".join(f"{name}={value}" for name, value in query.items() if value is not None)


@pytest.fixture
def day(simulator):
    return simulator("--day", DAY, "--count", 650)


def whole_list(sim, modalidade, size, **extra):
    rows, page = [], 1
    while (answer := sim.publicacao(DAY, modalidade, page, size, **extra)).status == 200:
        rows += answer.json()["data"]
        page += 1
    assert answer.status == 204
    return rows


def test_envelope_is_compact_and_in_order(day):
    answer = day.get(url())
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text.startswith('{"data":[{')
    assert re.search(r'\}\],"totalRegistros":180,"totalPaginas":18,"numeroPagina":1,"paginasRestantes":17,"empty":false\}$', answer.text)
    assert "\n" not in answer.text
    page = answer.json()
    assert len(page["data"]) == 10
    assert re.search(r'"valorTotalEstimado":\d+\.\d\d[,}]', answer.text)


def test_split_by_modalidade(day):
    totals = {code: (day.publicacao(DAY, code).json()["totalRegistros"] if day.publicacao(DAY, code).status == 200 else 0)
              for code in range(1, 15)}
    assert sum(totals.values()) == 650
    assert (totals[8], totals[6], totals[9], totals[2], totals[14]) == (303, 180, 124, 0, 0)


@pytest.mark.parametrize("size", [10, 37, 50])
def test_pages_hold_each_row_once_in_order_of_publication(day, size):
    rows = whole_list(day, 8, size)
    assert len(rows) == 303
    keys = [row["numeroControlePNCP"] for row in rows]
    assert len(set(keys)) == 303
    times = [row["dataPublicacaoPncp"] for row in rows]
    assert times == sorted(times) and all(time.startswith("2025-10-22T") and len(time) == 19 for time in times)
    for row in rows:
        assert row["modalidadeId"] == 8
        assert row["numeroControlePNCP"] == f"{row['orgaoEntidade']['cnpj']}-1-{row['sequencialCompra']:06d}/{row['anoCompra']}"


def test_a_second_is_shared_by_some_rows(day):
    times = [row["dataPublicacaoPncp"] for row in whole_list(day, 8, 50)]
    assert 150 < len(set(times)) < 303


def test_no_rows_is_204_without_body_and_type(day):
    answer = day.get(url(codigoModalidadeContratacao=2))
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Content-Type"] is None and answer.headers["Content-Length"] is None
    assert day.publicacao("20251023", 6).status == 204  # --day restricts


def test_past_last_page_has_three_faces(simulator, day):
    assert day.get(url(pagina=19)).status == 204
    day.control(past_last_page="400")
    assert day.get(url(pagina=19)).status == 400
    day.control(past_last_page="200")
    page = day.get(url(pagina=19)).json()
    assert page == {"data": [], "totalRegistros": 180, "totalPaginas": 18, "numeroPagina": 19, "paginasRestantes": 0, "empty": True}
    assert day.get(url(codigoModalidadeContratacao=2)).status == 204


@pytest.mark.parametrize("changes, status, words", [
    ({"codigoModalidadeContratacao": None}, 400, "Required request parameter 'codigoModalidadeContratacao' for method parameter type Long is not present"),
    ({"dataInicial": None}, 400, "Required request parameter 'dataInicial'"),
    ({"dataFinal": None}, 400, "Required request parameter 'dataFinal'"),
    ({"pagina": None}, 400, "Required request parameter 'pagina'"),
    ({"pagina": 0}, 400, "deve ser maior que ou igual à 1"),
    ({"pagina": "x"}, 400, "deve ser maior"),
    ({"tamanhoPagina": 9}, 400, "deve ser maior que ou igual à 10"),
    ({"tamanhoPagina": 51}, 400, "Tamanho de página inválido"),
    ({"codigoModalidadeContratacao": "abc"}, 400, "Failed to convert"),
    ({"codigoModalidadeContratacao": 15}, 422, "Código da modalidade de contratação inválido."),
    ({"codigoModalidadeContratacao": 0}, 422, "Código da modalidade de contratação inválido."),
    ({"dataInicial": "2025-10-22"}, 422, "Data Inicial inválida, deve estar no formato yyyyMMdd"),
    ({"dataFinal": "20251035"}, 422, "Data Final inválida"),
    ({"dataInicial": "20251023"}, 422, "Data Inicial deve ser anterior ou igual à Data Final"),
    ({"dataInicial": "20241021"}, 422, "Período inicial e final maior que 365 dias"),
])
def test_validation(day, changes, status, words):
    answer = day.get(url(**changes))
    assert answer.status == status
    assert words in answer.text
    answer.json()


def test_422_body_has_the_reported_shape(day):
    body = day.get(url(codigoModalidadeContratacao=15)).json()
    assert list(body) == ["path", "message", "error", "timestamp", "status"]
    assert body["path"] == "/pncp-consulta/v1/contratacoes/publicacao"
    assert (body["error"], body["status"]) == ("422 UNPROCESSABLE_ENTITY", "422")


def test_what_is_accepted(day):
    assert day.get(url(codigoModalidadeContratacao=14)).status == 204
    assert day.get(url(dataInicial="20241022")).status == 200  # 365 days
    assert len(day.get(url(tamanhoPagina=None)).json()["data"]) == 50
    assert day.get(url(cnpjOrgao="123")).json()["totalRegistros"] == 180  # unknown parameters are ignored
    day.control(modalidade_14="422")
    assert day.get(url(codigoModalidadeContratacao=14)).status == 422


def test_ranges_are_the_days_one_after_the_other(simulator):
    sim = simulator("--count", 65, "--weekend-count", 13, "--day", "20251023..20251026")  # Thursday to Sunday
    counts = [sim.publicacao(f"202510{day}", 8).json()["totalRegistros"] for day in (23, 24, 25, 26)]
    assert counts == [30, 30, 6, 6]
    rows = []
    for page in range(1, 9):
        rows += sim.publicacao("20251020", 8, page, 10, last="20251030").json()["data"]
    assert len({row["numeroControlePNCP"] for row in rows}) == 72
    times = [row["dataPublicacaoPncp"] for row in rows]
    assert times == sorted(times)


def test_filters(day):
    rows = whole_list(day, 8, 50)
    sample = rows[7]
    for name, value, of_row in [
        ("uf", sample["unidadeOrgao"]["ufSigla"], lambda row: row["unidadeOrgao"]["ufSigla"]),
        ("cnpj", sample["orgaoEntidade"]["cnpj"], lambda row: row["orgaoEntidade"]["cnpj"]),
        ("codigoMunicipioIbge", sample["unidadeOrgao"]["codigoIbge"], lambda row: row["unidadeOrgao"]["codigoIbge"]),
        ("codigoModoDisputa", sample["modoDisputaId"], lambda row: row["modoDisputaId"]),
    ]:
        wanted = [row["numeroControlePNCP"] for row in rows if of_row(row) == value]
        found = whole_list(day, 8, 10, **{name: value})
        assert [row["numeroControlePNCP"] for row in found] == wanted
        assert 0 < len(wanted) < 303


def test_atualizacao_goes_by_global_update(day):
    answer = day.publicacao(DAY, 8, endpoint="atualizacao").json()
    times = [row["dataAtualizacaoGlobal"] for row in answer["data"]]
    assert answer["totalRegistros"] == 303 and times == sorted(times)
    assert day.get(url("/api/consulta/v1/contratacoes/atualizacao", tamanhoPagina=51)).status == 400


def test_proposta_only_looks_forward(day):
    path = "/api/consulta/v1/contratacoes/proposta?pagina=1&tamanhoPagina=10&dataFinal="
    past = day.get(path + "20240101")
    assert past.status == 422
    assert past.json()["message"] == "Data Final inválida. Data Final deve ser maior ou igual a data atual"
    assert day.get(path + "20991231").status == 204
    assert day.get(path.replace("tamanhoPagina=10", "tamanhoPagina=51") + "20991231").status == 400


def test_one_contratacao_has_three_more_fields(day):
    listed = whole_list(day, 8, 50)[11]
    path = day.part_path(listed, "").rstrip("/").replace("/api/pncp", "/api/consulta")
    single = day.get(path).json()
    extra = {"orcamentoSigilosoCodigo", "orcamentoSigilosoDescricao", "existeResultado"}
    assert set(single) == set(listed) | extra
    assert {name: single[name] for name in listed} == listed


def test_unknown_contratacao_and_path(day):
    answer = day.get("/api/consulta/v1/orgaos/00000000000000/compras/2025/1")
    assert (answer.status, answer.json()) == (404, {"status": "404", "error": "404 NOT_FOUND", "message": "Contratação não cadastrada."})
    answer = day.get('/api/consulta/v1/nada/"x"')
    assert (answer.status, answer.json()["message"], answer.json()["path"]) == (404, "No message available", '/api/consulta/v1/nada/"x"')
    assert day.request("POST", PATH).status == 405


def test_foreign_rows_end_the_list(simulator):
    sim = simulator("--day", DAY, "--count", 65, "--foreign-rows", 3)
    rows = sim.publicacao(DAY, 8).json()
    assert rows["totalRegistros"] == 33
    assert [row["dataPublicacaoPncp"][:10] for row in rows["data"]] == ["2025-10-22"] * 30 + ["2025-10-23"] * 3
    assert sim.part(rows["data"][-1], "itens/quantidade").status == 200
    assert sim.publicacao("20251023", 8).status == 204
    assert len(sim.truth(DAY)) == 65


def test_visible_share(simulator):
    sim = simulator("--day", DAY, "--count", 650, "--visible", 0.5)
    assert sim.publicacao(DAY, 8).json()["totalRegistros"] == 152
    first = sim.publicacao(DAY, 8, 2).json()["data"]
    sim.control(visible=1)
    assert sim.publicacao(DAY, 8).json()["totalRegistros"] == 303
    assert sim.publicacao(DAY, 8, 2).json()["data"] == first  # rows are added at the end


def keys_of(page):
    return [row["numeroControlePNCP"] for row in page["data"]]


def test_drift_insert_repeats_a_row(simulator):
    sim = simulator("--day", DAY, "--count", 650, "--drift", "insert@2")
    first, second = sim.publicacao(DAY, 8, 1).json(), sim.publicacao(DAY, 8, 2).json()
    third = sim.publicacao(DAY, 8, 3).json()
    assert (first["totalRegistros"], second["totalRegistros"], third["totalRegistros"]) == (302, 302, 303)
    assert keys_of(third)[0] == keys_of(second)[-1]
    assert keys_of(sim.publicacao(DAY, 8, 1).json())[1:] == keys_of(first)[:-1]
    assert sim.publicacao(DAY, 4).json()["totalRegistros"] == 22  # too short to drift


def test_drift_remove_skips_a_row(simulator):
    sim = simulator("--day", DAY, "--count", 650, "--drift", "remove@1")
    rows, page, totals = [], 1, []
    while (answer := sim.publicacao(DAY, 8, page)).status == 200:
        rows += answer.json()["data"]
        totals.append(answer.json()["totalRegistros"])
        page += 1
    assert totals == [303] + [302] * 6
    truth = {row["contratacao"]["numeroControlePNCP"] for row in sim.truth(DAY) if row["contratacao"]["modalidadeId"] == 8}
    seen = {row["numeroControlePNCP"] for row in rows}
    assert len(truth - seen) == 1 and seen - truth == {rows[0]["numeroControlePNCP"]}
    assert sim.part(rows[0], "itens").status == 404  # gone for the detail API too
    sim.control(reset="drift")
    assert sim.publicacao(DAY, 8).json()["totalRegistros"] == 303


def test_drift_duplicate(simulator):
    sim = simulator("--day", DAY, "--count", 650, "--drift", "duplicate@1")
    rows = whole_list(sim, 8, 50)
    keys = [row["numeroControlePNCP"] for row in rows]
    assert len(keys) == 304 and len(set(keys)) == 303 and keys[49] == keys[50]
    assert len(sim.truth(DAY)) == 650


def test_drift_displace(simulator):
    """Which row is on no page goes by the size of the pages; the total and the truth have all."""
    sim = simulator("--day", DAY, "--count", 650)
    whole = [row["numeroControlePNCP"] for row in whole_list(sim, 8, 50)]
    sim.control(drift="displace@2")
    for size, cut in ((50, 0), (30, 0), (50, 37)):
        sim.control(cut_listing=cut)
        keys = [row["numeroControlePNCP"] for row in whole_list(sim, 8, size)]
        lost = 2 * (cut or size)
        assert keys == whole[:lost] + [whole[lost - 1]] + whole[lost + 1:]
    assert sim.publicacao(DAY, 8).json()["totalRegistros"] == len(whole)
    assert len({row["contratacao"]["numeroControlePNCP"] for row in sim.truth(DAY)}) == 650


@pytest.mark.parametrize("mode", ["given", "asked"])
def test_listing_pages_cut(simulator, mode):
    sim = simulator("--day", DAY, "--count", 650, "--cut-listing", 20, "--cut-mode", mode)
    first, second = sim.publicacao(DAY, 8, 1).json(), sim.publicacao(DAY, 8, 2).json()
    sim.control(cut_listing=0)
    whole = whole_list(sim, 8, 50)
    offset = 20 if mode == "given" else 50
    assert first["data"] == whole[:20] and second["data"] == whole[offset:offset + 20]
    assert first["totalPaginas"] == (16 if mode == "given" else 7)
