"""The rows of details.parquet as the API describes them: names, types, order. The expected value of every column.

Written from the API's field lists, not from the program's own table: the tests compare the two. A struct is a dict, a
list of structs a list that holds one dict; the other types are named by the constants below.
"""

import datetime
import json
from decimal import Decimal, InvalidOperation

import pyarrow as pa

TEXT, BOOL, INT32, INT64, DECIMAL, CIVIL, DATE, UTC = "text", "bool", "int32", "int64", "decimal", "civil", "date", "utc"

ORGAO = {"cnpj": TEXT, "razaoSocial": TEXT, "poderId": TEXT, "esferaId": TEXT}
UNIDADE = {"ufNome": TEXT, "codigoUnidade": TEXT, "nomeUnidade": TEXT, "ufSigla": TEXT, "municipioNome": TEXT,
           "codigoIbge": TEXT}
AMPARO = {"codigo": INT32, "nome": TEXT, "descricao": TEXT}
FONTE = {"codigo": INT32, "nome": TEXT, "descricao": TEXT, "dataInclusao": CIVIL}
CATEGORIA = {"id": INT64, "nome": TEXT, "descricao": TEXT, "dataInclusao": CIVIL, "dataAtualizacao": CIVIL,
             "statusAtivo": BOOL}
CATALOGO = {**CATEGORIA, "url": TEXT}
MARGEM = {"codigo": INT32, "nome": TEXT}

CONTRATACAO = {
    "numeroControlePNCP": TEXT, "anoCompra": INT32, "sequencialCompra": INT32, "numeroCompra": TEXT, "processo": TEXT,
    "orgaoEntidade": ORGAO, "unidadeOrgao": UNIDADE, "orgaoSubRogado": ORGAO, "unidadeSubRogada": UNIDADE,
    "modalidadeId": INT32, "modalidadeNome": TEXT, "modoDisputaId": INT32, "modoDisputaNome": TEXT,
    "tipoInstrumentoConvocatorioCodigo": INT32, "tipoInstrumentoConvocatorioNome": TEXT, "amparoLegal": AMPARO,
    "situacaoCompraId": INT32, "situacaoCompraNome": TEXT, "objetoCompra": TEXT, "informacaoComplementar": TEXT,
    "srp": BOOL, "dataInclusao": CIVIL, "dataPublicacaoPncp": CIVIL, "dataAtualizacao": CIVIL,
    "dataAtualizacaoGlobal": CIVIL, "dataAberturaProposta": CIVIL, "dataEncerramentoProposta": CIVIL,
    "valorTotalEstimado": DECIMAL, "valorTotalHomologado": DECIMAL, "justificativaPresencial": TEXT,
    "linkSistemaOrigem": TEXT, "linkProcessoEletronico": TEXT, "fontesOrcamentarias": [FONTE],
    "emendaParlamentar": BOOL, "usuarioNome": TEXT, "orcamentoSigilosoCodigo": INT32,
    "orcamentoSigilosoDescricao": TEXT, "existeResultado": BOOL,
}

ITEM = {
    "numeroItem": INT64, "descricao": TEXT, "materialOuServico": TEXT, "materialOuServicoNome": TEXT,
    "valorUnitarioEstimado": DECIMAL, "valorTotal": DECIMAL, "quantidade": DECIMAL, "unidadeMedida": TEXT,
    "orcamentoSigiloso": BOOL, "itemCategoriaId": INT32, "itemCategoriaNome": TEXT, "patrimonio": TEXT,
    "codigoRegistroImobiliario": TEXT, "criterioJulgamentoId": INT32, "criterioJulgamentoNome": TEXT,
    "situacaoCompraItem": INT32, "situacaoCompraItemNome": TEXT, "tipoBeneficio": INT32, "tipoBeneficioNome": TEXT,
    "incentivoProdutivoBasico": BOOL, "dataInclusao": CIVIL, "dataAtualizacao": CIVIL, "temResultado": BOOL,
    "imagem": INT32, "aplicabilidadeMargemPreferenciaNormal": BOOL, "aplicabilidadeMargemPreferenciaAdicional": BOOL,
    "percentualMargemPreferenciaNormal": DECIMAL, "percentualMargemPreferenciaAdicional": DECIMAL,
    "ncmNbsCodigo": TEXT, "ncmNbsDescricao": TEXT, "catalogo": CATALOGO, "categoriaItemCatalogo": CATEGORIA,
    "catalogoCodigoItem": TEXT, "informacaoComplementar": TEXT, "tipoMargemPreferencia": MARGEM,
    "exigenciaConteudoNacional": BOOL,
}

ARQUIVO = {
    "uri": TEXT, "url": TEXT, "cnpj": TEXT, "anoCompra": INT32, "sequencialCompra": INT32,
    "sequencialDocumento": INT64, "titulo": TEXT, "tipoDocumentoId": INT32, "tipoDocumentoNome": TEXT,
    "tipoDocumentoDescricao": TEXT, "dataPublicacaoPncp": CIVIL, "statusAtivo": BOOL,
}

# What the program itself adds to a row, besides `extra`: before the API's fields (numeroControlePNCP stands between
# them), and after.
KEY = {"cnpj": TEXT, "ano": INT32, "sequencial": INT32}
OWN = {
    "itens_situacao": TEXT, "arquivos_situacao": TEXT, "itens_total": INT32, "arquivos_total": INT32,
    "itens_quantidade": INT64, "arquivos_quantidade": INT64, "valores_fora_do_tipo": INT32, "obtido_em": UTC,
    "run_id": TEXT, "checkpoint": INT32,
}
REQUIRED = {*KEY, "data_publicacao", "itens_situacao", "arquivos_situacao", "valores_fora_do_tipo", "obtido_em",
            "run_id", "checkpoint"}

ARROW = {TEXT: pa.string(), BOOL: pa.bool_(), INT32: pa.int32(), INT64: pa.int64(), DECIMAL: pa.decimal128(18, 4),
         CIVIL: pa.timestamp("us"), DATE: pa.date32(), UTC: pa.timestamp("us", tz="UTC")}


def arrow_type(column):
    if isinstance(column, dict):
        return pa.struct([pa.field(name, arrow_type(inner)) for name, inner in column.items()])
    if isinstance(column, list): # of records: each has its own extra; three levels, named list.element
        return pa.list_(pa.field("element", arrow_type({**column[0], "extra": TEXT})))
    return ARROW[column]


def details_columns() -> dict:
    """Every column of details.parquet, in order."""
    api = dict(CONTRATACAO)
    controle = api.pop("numeroControlePNCP")
    return {**KEY, "numeroControlePNCP": controle, "data_publicacao": DATE, **api, "itens": [ITEM], "arquivos": [ARQUIVO],
            **OWN, "extra": TEXT}


def arrow_schema() -> pa.Schema:
    return pa.schema([pa.field(name, arrow_type(column), nullable=name not in REQUIRED)
                      for name, column in details_columns().items()])


class Number(str):
    """A JSON number as it was written; equal to nothing but the same text of a number."""

    def __eq__(self, other):
        return type(other) is Number and str.__eq__(self, other)

    def __ne__(self, other):
        return not self == other

    __hash__ = str.__hash__


def loads(text):
    """JSON with every number as its own text."""
    return json.loads(text, parse_float=Number, parse_int=Number)


MISFIT = object()


def scalar(column, value):
    """The value as the column holds it; MISFIT when it does not fit exactly."""
    if column == TEXT:
        return value if type(value) is str else MISFIT
    if column == BOOL:
        return value if type(value) is bool else MISFIT
    if column == CIVIL:
        try:
            moment = datetime.datetime.fromisoformat(value) if type(value) is str else MISFIT
        except ValueError:
            return MISFIT
        return MISFIT if moment is MISFIT or moment.tzinfo is not None else moment
    if type(value) is not Number:
        return MISFIT
    number = Decimal(value)
    if column == DECIMAL:
        try:
            exact = number.quantize(Decimal("0.0001"))
        except InvalidOperation: # more digits than a Decimal context holds
            return MISFIT
        return exact if exact == number and abs(exact) < 10**14 else MISFIT
    bound = 2**31 if column == INT32 else 2**63
    return int(number) if number == int(number) and -bound <= number < bound else MISFIT


def expect_struct(columns, value):
    """(what the struct holds, what belongs into extra, how many values did not fit)."""
    held, extra, misfits = {}, {key: inner for key, inner in value.items() if key not in columns}, 0
    for name, column in columns.items():
        inner = value.get(name)
        held[name] = None
        if inner is None:
            continue
        if isinstance(column, dict) and isinstance(inner, dict):
            held[name], below, more = expect_struct(column, inner)
            misfits += more
            if below:
                extra[name] = below
        elif isinstance(column, list) and isinstance(inner, list) and all(isinstance(row, dict) for row in inner):
            held[name], more = expect_records(column[0], inner)
            misfits += more
        else:
            held[name] = MISFIT if isinstance(column, (dict, list)) else scalar(column, inner)
            if held[name] is MISFIT:
                held[name] = None
                extra[name] = inner
                misfits += 1
    return held, extra, misfits


def expect_records(columns, rows):
    """(the records, each with its extra, how many values did not fit)."""
    records, misfits = [], 0
    for row in rows:
        held, extra, more = expect_struct(columns, row)
        records.append({**held, "extra": extra or None})
        misfits += more
    return records, misfits


def expect_part(columns, rows):
    """(the list, its situação, its total, misfits): null for a part that is absent, [] for one without rows."""
    if rows is None:
        return None, "ausente", None, 0
    records, misfits = expect_records(columns, rows)
    return records, "ok" if rows else "vazio", len(rows), misfits


def expect_row(contratacao, itens, arquivos) -> dict:
    """The row that must be in the file: every column but those only the run knows (OWN_OF_RUN)."""
    (row,), misfits = expect_records(CONTRATACAO, [contratacao])
    row["cnpj"], row["ano"], row["sequencial"] = row["orgaoEntidade"]["cnpj"], row["anoCompra"], row["sequencialCompra"]
    row["data_publicacao"] = row["dataPublicacaoPncp"].date()
    for part, columns, rows in (("itens", ITEM, itens), ("arquivos", ARQUIVO, arquivos)):
        row[part], row[part + "_situacao"], row[part + "_total"], more = expect_part(columns, rows)
        misfits += more
    row["valores_fora_do_tipo"] = misfits
    return row


OWN_OF_RUN = ("itens_quantidade", "arquivos_quantidade", "obtido_em", "run_id", "checkpoint")
