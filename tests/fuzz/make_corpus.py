"""Writes the first seeds of the fuzz targets into corpus/: small and made up, a few KB each.

    make_corpus.py PNCP_SIM PNCP_DETAILS     paths of the two programs, built with sanitizers or without

Answers come from the simulator, Parquet files from pyarrow and from one small run of the program against the simulator,
everything else from the tables below. Seeds are only added or replaced: inputs that found a bug (bug_…) stay.
"""

import datetime
import decimal
import io
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

CORPUS = Path(__file__).parent / "corpus"
DAY = "20251022"
RUN = "20251023T060102Z-4f1c9a20"


def seed(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


# ---- what the API says ---------------------------------------------------------------------------------------------

KINDS = {"page": 0, "list": 1, "count": 2, "object": 3}
STATUSES = [200, 204, 404, 410, 422, 429, 400, 403, 408, 500, 503, 301, 0, 599, 206, 100]  # as in fuzz_answer.c


def answer(name, kind, status, body, retry_after="", transport=0):
    head = bytes([KINDS[kind] | transport << 2, STATUSES.index(status)])
    seed("answer", name, head + f"{retry_after}\n{body}".encode())


def answers():
    answer("count", "count", 200, "12")
    answer("count_negative", "count", 200, "-1")
    answer("empty_list", "list", 200, "[]")
    answer("list", "list", 200, '[{"numeroItem":1},{"numeroItem":2,"valor":1.50e3,"t":"ação"}]')
    answer("list_of_numbers", "list", 200, "[1,2]")
    answer("empty_page", "page", 200, '{"data":[],"totalRegistros":0,"totalPaginas":0,"numeroPagina":1,"empty":true}')
    answer("object", "object", 200, '{"anoCompra":2025}')
    answer("html", "page", 200, "<html><body>Request Rejected</body></html>")
    answer("blank", "list", 200, " \r\n")
    answer("nothing", "list", 204, "")
    answer("absent", "list", 404, '{"message":"Contratação não cadastrada."}')
    answer("absent_page", "page", 404, "")
    answer("refused", "page", 422, '{"message":"Data Inicial inválida"}')
    answer("brake_seconds", "page", 429, "<html>", " 120\t")
    answer("brake_date", "page", 429, "", "Thu, 23 Oct 2025 06:05:00 GMT")
    answer("brake_past", "page", 503, "", "Sun, 06 Nov 1994 08:49:37 GMT")
    answer("brake_far", "page", 503, "", "99999999999999999999999")
    answer("redirect", "object", 301, "")
    answer("reset", "list", 0, "", transport=1)
    answer("cut", "list", 200, '[{"numeroItem":1', transport=3)
    answer("duplicate_key", "object", 200, '{"a":1,"a":2}')
    answer("deep", "list", 200, '[{"a":' + "[" * 40 + "]" * 40 + "}]")


def get(url):
    with urllib.request.urlopen(url) as response:
        return response.read().decode() if response.status == 200 else ""


class Simulator:
    """pncp-sim for a day of few contratações; gives the base of its addresses."""

    def __init__(self, program, *options):
        self.folder = tempfile.TemporaryDirectory()
        port_file = Path(self.folder.name, "port")
        self.process = subprocess.Popen(
            [program, "--listen", "127.0.0.1:0", "--port-file", port_file, "--day", DAY, *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        while not (port_file.exists() and port_file.read_text().strip()):
            time.sleep(0.05)
        self.base = f"http://127.0.0.1:{port_file.read_text().strip()}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def page(self, modalidade):
        return get(f"{self.base}/api/consulta/v1/contratacoes/publicacao?dataInicial={DAY}&dataFinal={DAY}"
                   f"&codigoModalidadeContratacao={modalidade}&pagina=1&tamanhoPagina=10")

    def part(self, key, part):
        cnpj, sequencial, ano = re.fullmatch(r"(\w{14})-1-0*(\d+)/(\d+)", key).groups()
        return get(f"{self.base}/api/pncp/v1/orgaos/{cnpj}/compras/{ano}/{sequencial}/{part}?pagina=1&tamanhoPagina=50")


def simulated(program, details):
    with Simulator(program, "--count", "12", "--itens-max", "3", "--odd-values", "0.3") as sim:
        pages = [page for page in map(sim.page, range(1, 14)) if 0 < len(page) < 7000]
        keys = [key for page in pages for key in re.findall(r'"numeroControlePNCP":"([^"]+)"', page)]
        for i, page in enumerate(pages[:3]):
            seed("page", f"simulated_{i}", page)
        answer("page", "page", 200, pages[0])
        seed("input_json", "envelope", b"\x05" + pages[0].encode())
        rows = re.search(r'"data":(\[.*\]),"totalRegistros"', pages[1], re.DOTALL).group(1)
        seed("input_json", "array", b"\x00" + rows.encode())
        seed("input_json", "ndjson", b"\x0d" + rows[1:-1].replace('},{"', '}\n{"').encode())
        for i, key in enumerate(keys[:4]):
            rows_seed(f"simulated_{i}", sim.part(key, "itens") + "\x1e" + sim.part(key, "arquivos"))
        own_file(details, sim.base)


def own_file(program, base):
    """A day's file of two contratações, written by the program."""
    with tempfile.TemporaryDirectory() as lake:
        subprocess.run(
            [program, "--date", DAY, "--lake", lake, "--max-contratacoes", "2", "--checkpoint-every", "1", "--quiet",
             "--consulta-url", f"{base}/api/consulta", "--detail-url", f"{base}/api/pncp"],
            check=True,
        )
        content = next(Path(lake).rglob("details.parquet")).read_bytes()
    seed("footer", "details", content)
    spooled(content)


def spooled(details):
    """The first byte says whether the target makes a lot of this lake of it (as in fuzz_spool.c)."""
    seed("spool", "lot", b"\1" + details)
    seed("spool", "of_another_lake", b"\0" + details)
    seed("spool", "cut", b"\1" + details[:len(details) // 2])
    seed("spool", "damaged_page", b"\1" + details[:300] + bytes([details[300] ^ 1]) + details[301:])
    seed("spool", "nothing", b"\1")


def pages():
    key = '"orgaoEntidade":{"cnpj":"83102277000152"},"anoCompra":2025,"sequencialCompra":423'
    day = '"dataPublicacaoPncp":"2025-10-22T08:41:33"'
    envelope = '{"data":[%s],"totalRegistros":2,"totalPaginas":1,"numeroPagina":1}'
    seed("page", "smallest", envelope % f"{{{key},{day}}}")
    seed("page", "by_controle", envelope % f'{{"numeroControlePNCP":"12ABC345000167-1-000008/2026",{day}}}')
    seed("page", "no_key", envelope % f"{{{day}}},{{{key}}},{{{key},{day}}}")
    seed("page", "misfits", envelope % (
        f'{{{key},{day},"valorTotalEstimado":1e-5,"srp":"sim","modalidadeId":6.5,"situacaoCompraId":3000000000,'
        '"dataInclusao":"2025-10-22T08:41:33Z","objetoCompra":7,"amparoLegal":[],"unidadeOrgao":null,'
        '"fontesOrcamentarias":[1],"extra":{"a":[true,null]},"cnpj":"x"}'))
    seed("page", "nested", envelope % (
        f'{{{day},"orgaoEntidade":{{"cnpj":"83102277000152","novo":{{"a":1}},"poderId":2}},"anoCompra":2025,'
        '"sequencialCompra":1,"fontesOrcamentarias":[{"codigo":1,"nome":"a","novo":2,"dataInclusao":'
        '"2025-01-02T03:04:05.123456"},{"codigo":"x"}],"valorTotalHomologado":-0.0001,"existeResultado":true}'))


def rows_seed(name, text):
    """Tabs at the end make its bytes add up to a multiple of 16, so that it goes through Parquet too (fuzz_rows.c)."""
    data = text.encode()
    while sum(data) % 16 != 0:
        data += b"\t"
    seed("rows", name, data)


def rows():
    rows_seed("absent", "")
    rows_seed("empty", "[]\x1e[]")
    rows_seed("misfits",
         '[{"numeroItem":1,"quantidade":1.00001,"valorTotal":99999999999999.9999,"catalogo":1,"novo":[{}]},'
         '{"numeroItem":1},{"numeroItem":"1"},{}]\x1e[{"sequencialDocumento":7,"url":"x","statusAtivo":true}]')
    rows_seed("pages",
         '[{"numeroItem":1,"descricao":"Pão, açúcar e café 😀"},{"numeroItem":2}]\x1f'
         '[{"numeroItem":2},{"numeroItem":3,"catalogo":{"id":1,"nome":"a","x":1},'
         '"tipoMargemPreferencia":{"codigo":1}}]\x1e'
         '[{"sequencialDocumento":1,"titulo":"' + "a" * 300 + '"}]')


# ---- conversations (fuzz_part.c) -----------------------------------------------------------------------------------

def honest(name, rows_, cap, mode=0x80, how=0, fault_at=0, later=0, first=1):
    pairs = struct.pack("<4H", rows_, cap - 1, later, first + 32768)
    seed("part", name, bytes([mode, 0, 0, how, fault_at]) + pairs)


def conversations():
    honest("honest", 1200, 1000)
    honest("honest_empty", 0, 1000)
    honest("cut_to_10", 45, 10)
    honest("cut_to_10_clamped", 45, 10, how=1)
    honest("cut_to_1_always", 30, 1, mode=0x82)
    honest("never", 700, 999, mode=0x84)
    honest("shrinks", 300, 100, mode=0x82, how=4, fault_at=3, later=29)
    honest("shrinks_clamped", 150, 100, mode=0x82, how=4 | 1, fault_at=3, later=29)
    honest("false_404", 30, 500, how=8, fault_at=1)
    honest("false_404_of_none", 0, 500, mode=0x82, how=8, fault_at=1)
    honest("false_204", 30, 500, mode=0x82, how=12 | 2, fault_at=1)
    honest("false_empty_count", 30, 500, mode=0x83, how=16, fault_at=2)
    for name, words in {
        "anything": [0x02, 0x00, 0x00, 0x3D, 12, 0x05, 20, 0x2D, 12, 0x05, 20],
        "absent_and_counted": [0x00, 0x01, 0x0D],
        "rows_and_no_count": [0x02, 0x3D, 0x01],
        "without_ids": [0x02, 0x04, 0x00, 0x04, 12, 5, 24, 0x0C, 11, 4, 3, 4, 5, 4, 5],
        "full_pages": [0x02, 0x03, 0x00, 3, 0, 3, 255, 3, 0, 3, 0, 3, 0, 0, 0],
        "failure": [0x00, 0x00, 0x00, 0x3D, 1, 0xFA, 0],
        "always_one_more": [0x02, 0x3D, 0x14],
        "never_an_end": [0x04, 0x03, 0x00],
    }.items():
        seed("part", name, bytes(words))


# ---- texts ---------------------------------------------------------------------------------------------------------

def texts():
    for name, text in {
        "object": '{"a":1,"b":[true,false,null,"x\\u00e7\\n",{}],"c":-0.50E+2}',
        "numbers": "[0,-0,100720.00,1e18,1.5e-4,9223372036854775807,92233720368547758.08]",
        "large_numbers": "[1e400,0e401,123456789012345678901,-9223372036854775808,922337203685477.5808]",
        "deep": "[" * 33 + "]" * 33,
        "deepest": "[" * 32 + "]" * 32,
        "duplicate": '{"ab":1,"ba":2,"ab":3}',
        "cut": '{"a":"\\ud83d\\ude00',
        "escapes": '["\\u0000\\"\\\\\\/\\b\\f\\t\x7f"]',
        "many_keys": "{" + ",".join(f'"k{i}":{i}' for i in range(513)) + "}",
    }.items():
        seed("json", name, text)
    seed("json", "bad_utf8", b'["\xc3\x28 \xed\xa0\x80 \xf0\x9f\x98\x80 \xff"]')
    for i, text in enumerate([
        "20251022", "2025-10-22", "2024-02-29", "19000229", "0001-01-01", "9999-12-31T23:59:59.999999Z",
        "2025-10-22T08:41:33", "2025-10-22T08:41:33.5", "2025-10-22T24:00:00", "today", "yesterday", "auto", "50", "-1",
        "500ms", "1.5s", "10m", "2h", "0.001", "4294967296", "1.0005s", "10001",
        "2025-10-22T08:41:60", "2025-02-29T00:00:00", "20250431",
        "20251001..20251022", "2025-10-01..yesterday", "today..yesterday", "20251022..20991231", "00010101..today", "..", "20251001..",
    ]):
        seed("datetime", f"{i:02}", i.to_bytes(8, "little") + text.encode())
    for name, lines in {
        "keys": "83102277000152|2025|423\n12ABC345000167|2026|2147483647\n39215827000158-1-000008/2026\n"
                "https://pncp.gov.br/api/consulta",
        "same": "83102277000152|2025|423\n83102277000152|2025|0423\nhttp_503\nhttp://127.0.0.1:8180/api/pncp///",
        "bad": "8310227700015|2025|423\n83102277000152|0|1\nduplicate_key\nhttps://",
        "letters": "ZZZZZZZZZZZZZZ|9999|1\n00000000000000|1|1\n00000000000000-1-1/1\nftp://x",
        "odd_reason": "\n\nhttp_1000\n",
        "query": "83102277000152|2025|1\n|||\n-1-/\nhttp://a/b?c",
    }.items():
        seed("key", name, lines)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def entry(commit, n, kind):
    return {"id": commit * 32, "run": RUN, "n": n, "at": "2025-10-23T06:02:03Z", "kind": kind, "contratacoes": 50,
            "itens": 245, "arquivos": 1203, "ms": {"encode": 21, "read": 0, "send": 44, "commit": 3}, "bytes": 412000}


def histories():
    total = {"run": "r", "kind": "sum", "checkpoints": 9, "contratacoes": 450, "itens": 1, "arquivos": 2,
             "at": "2025-10-23T06:02:03Z"}
    for name, times, entries in [
        ("one", 1, [entry("0", 1, "append")]),
        ("summed", 256, [total, entry("1", 2, "append"), entry("2", 1, "rewrite")]),
        ("sums", 256, [total, {**total, "run": "s"}]),
        ("empty", 4, []),
        ("bad_kind", 1, [entry("", 1, "other")]),
    ]:
        seed("history", name, bytes([times - 1]) + compact(entries).encode())


def falha(key, part, kind, attempts, **more):
    return {"key": key, "part": part, "kind": kind, "attempts": attempts, "first_at": "2025-10-23T06:00:00Z",
            "last_at": "2025-10-23T06:01:00Z", "not_before": "2025-10-23T06:11:00Z", **more}


def falhas():
    failed = falha("83102277000152|2025|423", "itens", "failed", 6, reason="http_500", http_status=500)
    vazio = falha("12ABC345000167|2026|1", "ambas", "vazio", 3)
    ausente = falha("83102277000152|2025|7", "arquivos", "ausente", 1, reason="http_404", http_status=404, closed=True)
    timeout = falha("83102277000152|2025|7", "itens", "failed", 2**32 - 1, reason="timeout")
    for name, entries in {
        "failed": [failed], "ausente": [ausente], "vazio": [vazio], "timeout": [timeout],
        "all": [failed, ausente, vazio, timeout], "twice": [failed, failed, vazio], "none": [],
    }.items():
        seed("falhas", name, compact({"v": 1, "date": DAY, "entries": entries}))
    seed("falhas", "newer", '{"v":2}')


def states():
    keys = [f"83102277000152|2025|{i}" for i in (1, 2, 3)]
    run = {"timestamp": "$AT", "new_records": 3, "total_itens": 0}
    sound = {"v": 1, "processed_keys": keys, "executions": [run], "date": DAY, "commit": "$COMMIT"}
    for name, state in {
        "sound": sound, "stale": {**sound, "commit": "0" * 32}, "one_less": {**sound, "processed_keys": keys[:2]},
        "one_more": {**sound, "processed_keys": [*keys, 1]}, "no_executions": {**sound, "executions": None},
        "other_total": {**sound, "executions": [{**run, "total_itens": 1}]}, "no_keys": {"v": 1},
    }.items():
        seed("state", name, compact(state))
    seed("state", "cut", compact(sound)[:-9])


def streams():
    for name, text in {
        "blank": " \n", "bom": "\ufeff{\"a\":1}", "two_values": '{"a":"}"} [{"b":[]},{}]\n{"data":[{"c":1}]}',
        "envelope_at_end": '{"x":{"data":[1]},"n":1,"data":[{"a":"\\"]"},{}],"empty":false}', "cut": '[{"a":1},{"b"',
        "comma": "[{},]", "number": "[1]", "escaped": '{"d\\u0061ta":[{}]}', "two_data": '{"data":[{}],"data":[{}]}',
        "data_is_text": '{"data":"[","y":[{}]}', "colon_in_array": '{"data":[{"a":1}]}{"a":["data":[]]}',
    }.items():
        seed("input_json", name, b"\x02" + text.encode())


def given_rows():
    controle = {"numeroControlePNCP": "00394494000136-1-000423/2025"}
    for name, row in {
        "plain": {"cnpj": "00394494000136", "ano": 2025, "sequencial": 423},
        "widened": {"cnpj": 394494000136.0, "ano": 2025.0, "sequencial": 423.0, "modalidadeId": float("nan")},
        "struct": {"orgaoEntidade": {"cnpj": "12ABC34501DE35", "poderId": "E"}, "anoCompra": 2026, "sequencialCompra": 8},
        "flat": {"orgaoEntidade": None, "orgaoEntidade.cnpj": "394494000136", "orgaoEntidade.poderId": "E", "a.b.c": [1],
                 "a.b.d": None, "anoCompra": 2025, "sequencialCompra": 423},
        "underscore": {"orgaoEntidade_cnpj": "00394494000136", "anoCompra": 2025, "sequencialCompra": 423},
        "controle": {**controle, "dataPublicacaoPncp": "2025-10-22T08:41:33", "objetoCompra": "x"},
        "differs": {**controle, "ano": 2024}, "hidden": {**controle, "a": 7, "a.b": 8, "orgaoEntidade.cnpj.x": 1},
        "text": {**controle, "orgaoEntidade": "Prefeitura", "dataPublicacaoPncp": "NaT"}, "keyless": {"objetoCompra": "x"},
    }.items():
        seed("given", name, json.dumps(row, ensure_ascii=False, separators=(",", ":")))


def s3_settings():
    for name, text in {
        "credentials": "[p]\naws_access_key_id = A\naws_secret_access_key=b/c+ # d\naws_session_token =e=\n[q]\nx=1\n",
        "half": "\ufeff# a\n[ p ] ; b\r\nAWS_ACCESS_KEY_ID=A\r\n", "nothing": "[p\n", "no_section": "a = b",
    }.items():
        seed("s3_config", name, b"\0" + text.encode())
    for name, text in {
        "config": "[default]\nregion = a\n[profile p]\nregion=b\ns3 =\n  addressing_style = path\n  x = 1\nca_bundle=/c",
        "quoted": "[profile \"p\"]\nendpoint_url = http://h:1\n", "continued": "[profile p]\nregion = a\n  b\n",
        "unsupported": "[profile p]\n  sso_session = s\n  credential_process = a\n   b\n",
    }.items():
        seed("s3_config", name, b"\1" + text.encode())
    for name, text in {
        "host": "http://Minio_1:9000", "ipv6": "https://[fd00::1]:443/", "user": "http://u:p@h/", "path": "http://h/a?b#c",
        "port": "https://h:0", "scheme": "h:9000",
    }.items():
        seed("s3_config", f"address_{name}", b"\2" + text.encode())
    pair = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>b/c+</SecretAccessKey>"
    expiry = "<Expiration>2025-10-22T08:41:33Z</Expiration>"
    for name, text in {
        "sts": f"<R xmlns='x'><Credentials>{pair}<SessionToken>d==</SessionToken>{expiry}</Credentials></R>",
        "sts_cut": f"<Credentials>{pair}{expiry}", "sts_no_time": f"<Credentials>{pair}</Credentials>",
    }.items():
        seed("s3_config", name, b"\3" + text.encode())
    whole = {"AccessKeyId": "A", "SecretAccessKey": "b/c+", "Token": "d==", "Expiration": "2025-10-22T08:41:33Z"}
    for name, answer_ in {"container": whole, "container_bare": {**whole, "Token": None, "Expiration": None},
                          "container_blank": {**whole, "Token": "a b"}, "container_list": [whole]}.items():
        seed("s3_config", name, b"\4" + json.dumps(answer_).encode())


def command_lines():
    for name, args in {
        "bare": ["--date", "20251022", "--batch-size", "500", "--checkpoint-every", "auto", "--max-contratacoes=5"],
        "ingest": ["ingest", "--date=2025-10-22", "--lake", "/data/lake", "--connections=8", "--retry-wait", "500ms",
                   "--confirm=always", "--log", "json", "-v", "--auto-resume"],
        "verify": ["verify", "--source", "--detail-url=http://127.0.0.1:8180/api/pncp/", "--deadline=2m", "-q"],
        "secret": ["list", "--again", "--consulta-url", "https://user:word@example.org/api/consulta"],
        "completion": ["completion", "bash"],
        "unknown": ["ingst"],
        "range": ["verify", "--date", "20251001..2025-10-22"],
        "unknown_flag": ["status", "--jsn", "--date", "yesterday"],
        "contradiction": ["compact", "--quiet", "--verbose"],
        "help": ["man", "--help"],
        "twice": ["--lake=a", "--lake=b"],
        "too_many": ["--checkpoint-every=10001"],
        "value_like_a_flag": ["--lake", "--date=20251022"],
    }.items():
        seed("cli", name, "\n".join(args))


# ---- Parquet -------------------------------------------------------------------------------------------------------

SMALL = pa.schema([  # as in fuzz_footer.c
    ("id", pa.int32()), ("nome", pa.string()), ("sim", pa.bool_()), ("valor", pa.decimal128(18, 4)),
    ("dia", pa.date32()), ("quando", pa.timestamp("us", "UTC")),
    ("itens", pa.list_(pa.struct([("numero", pa.int64()), ("texto", pa.string())]))),
])


def small_rows(count):
    when = datetime.datetime(2025, 10, 22, 8, 41, 33, tzinfo=datetime.timezone.utc)
    return [
        {"id": i, "nome": None if i % 3 == 2 else f"pão {i % 2}", "sim": i % 2 == 0, "valor": decimal.Decimal(i) / 4,
         "dia": when.date(), "quando": when,
         "itens": [None, [], [{"numero": i, "texto": "é"}, None, {"numero": None, "texto": "x" * i}]][i % 3]}
        for i in range(count)
    ]


def parquet_files():
    table = pa.Table.from_pylist(small_rows(7), SMALL)
    plain = {"use_dictionary": False, "write_statistics": False, "compression": "none",
             "store_decimal_as_integer": True}
    written = {
        "plain": plain,
        "dictionary": {**plain, "use_dictionary": True},
        "page_v2": {**plain, "data_page_version": "2.0", "compression": "zstd"},
        "checksums": {**plain, "write_page_checksum": True, "compression": "snappy", "write_statistics": True},
        "groups": {**plain, "row_group_size": 3, "use_dictionary": ["nome"]},
        "delta": {**plain, "column_encoding": {
            "id": "DELTA_BINARY_PACKED", "nome": "DELTA_BYTE_ARRAY", "quando": "DELTA_BINARY_PACKED",
            "itens.list.element.texto": "DELTA_LENGTH_BYTE_ARRAY", "itens.list.element.numero": "BYTE_STREAM_SPLIT"}},
    }
    for name, options in written.items():
        for target in ("footer", "input_parquet"):
            (CORPUS / target).mkdir(parents=True, exist_ok=True)
            pq.write_table(table, CORPUS / target / name, **options, store_schema=False)
    pq.write_table(table.slice(0, 0), CORPUS / "footer/no_rows", store_schema=False)
    others = pa.table({
        "orgaoEntidade.cnpj": ["83102277000152", None],
        "orgaoEntidade.esfera": pa.array([b"M", None], pa.binary(1)),
        "orgaoEntidade": pa.nulls(2),
        "valor": pa.array([decimal.Decimal("1.50"), None], pa.decimal128(30, 2)),
        "medida": pa.array([1.5, float("nan")], pa.float64()), "meia": pa.array([0.1, None], pa.float32()),
        "ns": pa.array([1, 2], pa.timestamp("ns")), "ms": pa.array([1, None], pa.timestamp("ms", "UTC")),
        "mapa": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int8())),
        "u": pa.array([2**64 - 1, 0], pa.uint64()),
        "listas": [[[1], []], None],
    })
    bare = {"write_statistics": False, "store_schema": False}
    pq.write_table(others, CORPUS / "input_parquet/types", compression="gzip", **bare)
    pq.write_table(others.select(["ns", "u"]), CORPUS / "input_parquet/int96", compression="lz4",
                   use_deprecated_int96_timestamps=True, **bare)


def chunks():
    """One column chunk each: kind of column, sixteenths of its slots, codec (as in fuzz_chunk.c), its pages."""
    deep = pa.struct([("v", pa.decimal128(18, 4))])
    values = decimal.Decimal("1.25")
    kinds = [  # Parquet's levels come from the type: 32 slots each
        (pa.field("c", pa.int32(), nullable=False), list(range(32))),
        (pa.field("c", pa.string()), [None if i % 5 == 4 else f"pão {i % 3}" for i in range(32)]),
        (pa.field("c", pa.bool_()), [None if i % 5 == 4 else i % 3 == 0 for i in range(32)]),
        (pa.field("c", pa.struct([("v", pa.int64())])), [[None, {"v": None}, {"v": i % 4}][i % 3] for i in range(32)]),
        (pa.field("c", pa.list_(pa.struct([("v", pa.string())]))),
         [None, [], [None], [{"v": None}], [{"v": "x"}] * 12, *([[{"v": "é"}, None, {"v": "x"}, {"v": ""}]] * 4)]),
        (pa.field("c", pa.list_(pa.struct([("d", deep)]))),
         [None, [], [None, {"d": None}], [{"d": {"v": None}}] * 4, *([[{"d": {"v": values}}] * 6] * 4)]),
    ]
    for kind, (field, rows_) in enumerate(kinds):
        table = pa.Table.from_arrays([pa.array(rows_, field.type)], schema=pa.schema([field]))
        for codec, name in enumerate(("none", "zstd")):
            for dictionary in (False, True):
                out = io.BytesIO()
                pq.write_table(table, out, compression=name, use_dictionary=dictionary, write_statistics=False,
                               store_decimal_as_integer=True, write_page_checksum=codec == 1 and dictionary)
                column = pq.read_metadata(out).row_group(0).column(0)
                assert column.num_values == 32, (kind, column.num_values)
                at = column.dictionary_page_offset or column.data_page_offset
                pages_ = out.getvalue()[at:at + column.total_compressed_size]
                seed("chunk", f"kind{kind}_{name}{'_dictionary' if dictionary else ''}",
                     bytes([kind, 2, codec]) + pages_)


def main():
    for make in (answers, pages, rows, conversations, texts, histories, falhas, states, streams, given_rows,
                 s3_settings, command_lines, parquet_files, chunks):
        make()
    simulated(*sys.argv[1:3])
    print(sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()), "bytes")


main()
