#!/usr/bin/env python3
"""What a team would write instead of this program, and write well: asyncio, aiohttp, pyarrow.

    script.py --date 20251022 --out day.parquet --list pages.ndjson [--connections 32] [--every 50]

Lists the day (or takes the list file of an earlier run), fetches itens and arquivos with paging and the confirmation by
/quantidade, and appends one row group per 50 contratações, with the columns and types of details.parquet. It has no
checkpoints to resume from, no limits on memory and no defence against bad answers beyond retries: the file is readable
when the script has ended. ./dev bench compares its rows with the program's, so it does the same work.
"""

import argparse
import asyncio
import datetime
import json
import os
import pathlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import aiohttp
import pyarrow as pa
import pyarrow.parquet as pq

CONFIRM_FROM, PAGE, LIST_PAGE, ATTEMPTS = 10, 500, 50, 6
TEXT, BOOL, INT, LONG = pa.string(), pa.bool_(), pa.int32(), pa.int64()
MONEY, TIME = pa.decimal128(18, 4), pa.timestamp("us")

ORGAO = {"cnpj": TEXT, "razaoSocial": TEXT, "poderId": TEXT, "esferaId": TEXT}
UNIDADE = dict.fromkeys(["ufNome", "codigoUnidade", "nomeUnidade", "ufSigla", "municipioNome", "codigoIbge"], TEXT)
CATEGORIA = {"id": LONG, "nome": TEXT, "descricao": TEXT, "dataInclusao": TIME, "dataAtualizacao": TIME,
             "statusAtivo": BOOL}
CONTRATACAO = {
    "anoCompra": INT, "sequencialCompra": INT, "numeroCompra": TEXT, "processo": TEXT, "orgaoEntidade": ORGAO,
    "unidadeOrgao": UNIDADE, "orgaoSubRogado": ORGAO, "unidadeSubRogada": UNIDADE, "modalidadeId": INT,
    "modalidadeNome": TEXT, "modoDisputaId": INT, "modoDisputaNome": TEXT, "tipoInstrumentoConvocatorioCodigo": INT,
    "tipoInstrumentoConvocatorioNome": TEXT, "amparoLegal": {"codigo": INT, "nome": TEXT, "descricao": TEXT},
    "situacaoCompraId": INT, "situacaoCompraNome": TEXT, "objetoCompra": TEXT, "informacaoComplementar": TEXT,
    "srp": BOOL, "dataInclusao": TIME, "dataPublicacaoPncp": TIME, "dataAtualizacao": TIME,
    "dataAtualizacaoGlobal": TIME, "dataAberturaProposta": TIME, "dataEncerramentoProposta": TIME,
    "valorTotalEstimado": MONEY, "valorTotalHomologado": MONEY, "justificativaPresencial": TEXT,
    "linkSistemaOrigem": TEXT, "linkProcessoEletronico": TEXT,
    "fontesOrcamentarias": [{"codigo": INT, "nome": TEXT, "descricao": TEXT, "dataInclusao": TIME, "extra": TEXT}],
    "emendaParlamentar": BOOL, "usuarioNome": TEXT, "orcamentoSigilosoCodigo": INT,
    "orcamentoSigilosoDescricao": TEXT, "existeResultado": BOOL,
}
ITEM = {
    "numeroItem": LONG, "descricao": TEXT, "materialOuServico": TEXT, "materialOuServicoNome": TEXT,
    "valorUnitarioEstimado": MONEY, "valorTotal": MONEY, "quantidade": MONEY, "unidadeMedida": TEXT,
    "orcamentoSigiloso": BOOL, "itemCategoriaId": INT, "itemCategoriaNome": TEXT, "patrimonio": TEXT,
    "codigoRegistroImobiliario": TEXT, "criterioJulgamentoId": INT, "criterioJulgamentoNome": TEXT,
    "situacaoCompraItem": INT, "situacaoCompraItemNome": TEXT, "tipoBeneficio": INT, "tipoBeneficioNome": TEXT,
    "incentivoProdutivoBasico": BOOL, "dataInclusao": TIME, "dataAtualizacao": TIME, "temResultado": BOOL,
    "imagem": INT, "aplicabilidadeMargemPreferenciaNormal": BOOL, "aplicabilidadeMargemPreferenciaAdicional": BOOL,
    "percentualMargemPreferenciaNormal": MONEY, "percentualMargemPreferenciaAdicional": MONEY, "ncmNbsCodigo": TEXT,
    "ncmNbsDescricao": TEXT, "catalogo": {**CATEGORIA, "url": TEXT}, "categoriaItemCatalogo": CATEGORIA,
    "catalogoCodigoItem": TEXT, "informacaoComplementar": TEXT,
    "tipoMargemPreferencia": {"codigo": INT, "nome": TEXT}, "exigenciaConteudoNacional": BOOL, "extra": TEXT,
}
ARQUIVO = {
    "uri": TEXT, "url": TEXT, "cnpj": TEXT, "anoCompra": INT, "sequencialCompra": INT, "sequencialDocumento": LONG,
    "titulo": TEXT, "tipoDocumentoId": INT, "tipoDocumentoNome": TEXT, "tipoDocumentoDescricao": TEXT,
    "dataPublicacaoPncp": TIME, "statusAtivo": BOOL, "extra": TEXT,
}
ROW = {
    "cnpj": TEXT, "ano": INT, "sequencial": INT, "numeroControlePNCP": TEXT, "data_publicacao": pa.date32(),
    **CONTRATACAO, "itens": [ITEM], "arquivos": [ARQUIVO], "itens_situacao": TEXT, "arquivos_situacao": TEXT,
    "itens_total": INT, "arquivos_total": INT, "itens_quantidade": LONG, "arquivos_quantidade": LONG,
    "valores_fora_do_tipo": INT, "obtido_em": pa.timestamp("us", "UTC"), "run_id": TEXT, "checkpoint": INT,
    "extra": TEXT,
}


def arrow(kind):
    """The Arrow type of one of the tables above."""
    if isinstance(kind, dict):
        return pa.struct([(name, arrow(child)) for name, child in kind.items()])
    if isinstance(kind, list):
        return pa.list_(pa.field("element", arrow(kind[0])))
    return kind


SCHEMA = pa.schema([(name, arrow(kind)) for name, kind in ROW.items()])


def loads(body):
    return json.loads(body, parse_float=Decimal) # no amount goes through a float


class Fit:
    """Makes a record of the API fit its table: times parsed, unknown fields as JSON text in `extra`."""

    def __init__(self, table):
        self.known = table.keys()
        self.times = [name for name, kind in table.items() if kind is TIME]
        inner = ((name, kind[0] if isinstance(kind, list) else kind) for name, kind in table.items())
        self.inner = [(name, Fit(kind)) for name, kind in inner if isinstance(kind, dict) and TIME in kind.values()]

    def __call__(self, record):
        if unknown := record.keys() - self.known:
            record["extra"] = json.dumps({name: record[name] for name in unknown}, ensure_ascii=False, default=str)
        for name in self.times:
            if record.get(name) is not None:
                record[name] = datetime.datetime.fromisoformat(record[name])
        for name, fit in self.inner:
            if (value := record.get(name)) is not None:
                for one in value if isinstance(value, list) else (value,):
                    fit(one)


FIT_CONTRATACAO, FIT_ITEM, FIT_ARQUIVO = Fit({**CONTRATACAO, "numeroControlePNCP": TEXT}), Fit(ITEM), Fit(ARQUIVO)


class Api:
    def __init__(self, session, consulta, detail):
        self.session, self.consulta, self.detail = session, consulta, detail

    async def get(self, url):
        """Status and body of an answer that is final; everything else is tried again."""
        for attempt in range(ATTEMPTS):
            try:
                async with self.session.get(url) as answer:
                    body = await answer.read()
                    if answer.status in (204, 404):
                        return answer.status, b""
                    if answer.status == 200 and body[:1] in b"[{0123456789":
                        return 200, body
            except (aiohttp.ClientError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(2**attempt)
        raise RuntimeError(f"{url}: gave up after {ATTEMPTS} attempts")

    async def list_modalidade(self, date, code, limit):
        async def page(number):
            async with limit:
                status, body = await self.get(
                    f"{self.consulta}/v1/contratacoes/publicacao?dataInicial={date}&dataFinal={date}"
                    f"&codigoModalidadeContratacao={code}&pagina={number}&tamanhoPagina={LIST_PAGE}")
                return body if status == 200 else b'{"data":[],"totalPaginas":0}'

        first = await page(1)
        rest = await asyncio.gather(*(page(number) for number in range(2, loads(first)["totalPaginas"] + 1)))
        return [first, *rest]

    async def part(self, base):
        """All rows of itens or arquivos, and what /quantidade said (None: not asked)."""
        rows, quantidade, page = [], None, 1
        while True:
            status, body = await self.get(f"{base}?pagina={page}&tamanhoPagina={PAGE}")
            got = loads(body) if status == 200 else []
            rows += got
            if len(rows) >= CONFIRM_FROM and quantidade is None:
                quantidade = int((await self.get(base + "/quantidade"))[1])
            if not got or quantidade is None or len(rows) >= quantidade:
                return rows, quantidade
            page += 1

    async def details(self, row, stamp):
        """The contratação `row` with its details, ready for the file."""
        cnpj, ano, sequencial = row["orgaoEntidade"]["cnpj"], row["anoCompra"], row["sequencialCompra"]
        base = f"{self.detail}/v1/orgaos/{cnpj}/compras/{ano}/{sequencial}"
        (itens, itens_quantidade), (arquivos, arquivos_quantidade) = await asyncio.gather(
            self.part(base + "/itens"), self.part(base + "/arquivos"))
        for item in itens:
            FIT_ITEM(item)
        for arquivo in arquivos:
            FIT_ARQUIVO(arquivo)
        FIT_CONTRATACAO(row)
        return {**row, "cnpj": cnpj, "ano": ano, "sequencial": sequencial,
                "data_publicacao": row["dataPublicacaoPncp"].date(),
                "itens": itens, "arquivos": arquivos, "itens_situacao": "ok" if itens else "vazio",
                "arquivos_situacao": "ok" if arquivos else "vazio", "itens_total": len(itens),
                "arquivos_total": len(arquivos), "itens_quantidade": itens_quantidade,
                "arquivos_quantidade": arquivos_quantidade, "valores_fora_do_tipo": 0,
                "obtido_em": datetime.datetime.now(datetime.timezone.utc), "run_id": stamp}


class Output:
    """One row group per lot, written by a thread of its own while fetching goes on."""

    def __init__(self, path):
        self.writer = pq.ParquetWriter(path, SCHEMA, compression="zstd")
        self.thread, self.lots, self.turn = ThreadPoolExecutor(1), 0, asyncio.Lock()

    async def add(self, rows):
        async with self.turn: # the worker that filled the lot waits; the others go on
            self.lots += 1
            for row in rows:
                row["checkpoint"] = self.lots
            await asyncio.get_running_loop().run_in_executor(self.thread, self.write, rows)

    def write(self, rows):
        self.writer.write_table(pa.Table.from_pylist(rows, SCHEMA))


async def run(options):
    begun = time.monotonic()
    stamp = datetime.datetime.now().strftime("%Y%m%dT%H%M%S")
    connector = aiohttp.TCPConnector(limit=options.connections)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=120)) as session:
        api = Api(session, options.consulta, options.detail)
        saved = pathlib.Path(options.list)
        if not saved.exists():
            limit = asyncio.Semaphore(4)
            lists = await asyncio.gather(*(api.list_modalidade(options.date, code, limit) for code in range(1, 15)))
            saved.write_bytes(b"".join(page + b"\n" for pages in lists for page in pages))
        if options.list_only:
            return
        rows = (row for line in saved.open("rb") for row in loads(line)["data"])
        output, lot, done = Output(options.out), [], 0

        async def work():
            nonlocal lot, done
            for row in rows:
                row = await api.details(row, stamp)
                lot.append(row)
                done += 1
                if len(lot) >= options.every:
                    full, lot = lot, []
                    await output.add(full)

        await asyncio.gather(*(work() for _ in range(options.connections)))
        if lot:
            await output.add(lot)
        output.writer.close()
    print(json.dumps({"rows": done, "row_groups": output.lots, "seconds": round(time.monotonic() - begun, 3)}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--date", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--list", required=True, help="the day's listing pages, one a line; asked for when missing")
    parser.add_argument("--consulta", default=os.environ.get("PNCP_CONSULTA_URL", "https://pncp.gov.br/api/consulta"))
    parser.add_argument("--detail", default=os.environ.get("PNCP_DETAIL_URL", "https://pncp.gov.br/api/pncp"))
    parser.add_argument("--list-only", action="store_true")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--every", type=int, default=50)
    asyncio.run(run(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
