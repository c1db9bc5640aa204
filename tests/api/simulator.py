"""pncp-sim as a Python object, for every suite that needs the PNCP API on this machine.

    with Simulator("--day", "20251022", "--count", "50") as sim:
        sim.consulta_url, sim.detail_url      # base URLs for the program under test
        sim.get("/api/pncp/v1/...")           # -> Answer(status, headers, body)
        sim.truth("20251022")                 # -> list of {"contratacao", "itens", "arquivos"}
        sim.control(fault="500_json=0.1")     # change faults, latency, policies while running
        sim.stats()["requests"]["itens"]

The binary is $PNCP_SIM, else build/release/pncp-sim of this tree.
"""

import http.client
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.parse
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20


def binary() -> Path:
    """The simulator under test."""
    return Path(os.environ.get("PNCP_SIM", ROOT / "build" / "release" / "pncp-sim"))


def loads(text):
    """JSON with numbers as Decimal or int, so that no digit is lost."""
    return json.loads(text, parse_float=Decimal)


class RawNumber(str):
    """A JSON number as it was written."""


def loads_raw(text):
    """JSON with every number as its own text: tells 1.0 from 1.00."""
    return json.loads(text, parse_float=RawNumber, parse_int=RawNumber)


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    def json(self):
        return loads(self.text)


class Simulator:
    """A running pncp-sim on a free loopback port. Every argument is passed on."""

    def __init__(self, *args):
        self.args = [str(arg) for arg in args]
        self._folder = tempfile.TemporaryDirectory(prefix="pncp-sim-")
        port_file = Path(self._folder.name) / "port"
        command = [str(binary()), "--listen", "127.0.0.1:0", "--port-file", str(port_file), "--quiet", *self.args]
        self._stderr = open(Path(self._folder.name) / "stderr", "w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self._stderr)
        deadline = time.monotonic() + START_SECONDS
        while not port_file.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self._stderr.seek(0)
                message = self._stderr.read()
                self.stop()
                raise RuntimeError(f"pncp-sim {' '.join(self.args)}: did not start: {message}")
            time.sleep(0.005)
        self.port = int(port_file.read_text())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def consulta_url(self) -> str:
        return self.url + "/api/consulta"

    @property
    def detail_url(self) -> str:
        return self.url + "/api/pncp"

    @property
    def environment(self) -> dict:
        """What makes the program use this simulator."""
        return {"PNCP_CONSULTA_URL": self.consulta_url, "PNCP_DETAIL_URL": self.detail_url}

    def connect(self, timeout=30) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, target, body=None, timeout=30) -> Answer:
        connection = self.connect(timeout)
        try:
            connection.request(method, target, body=body)
            response = connection.getresponse()
            return Answer(response.status, response.msg, response.read())
        finally:
            connection.close()

    def get(self, target, timeout=30) -> Answer:
        return self.request("GET", target, timeout=timeout)

    def publicacao(self, date, modalidade, pagina=1, tamanho=50, last=None, endpoint="publicacao", **extra) -> Answer:
        query = {"dataInicial": date, "dataFinal": last or date, "codigoModalidadeContratacao": modalidade, "pagina": pagina}
        if tamanho is not None:
            query["tamanhoPagina"] = tamanho
        query.update(extra)
        return self.get(f"/api/consulta/v1/contratacoes/{endpoint}?{urllib.parse.urlencode(query)}")

    def part_path(self, contratacao, part) -> str:
        """Path of a part of a contratação (a listing row): part is itens, arquivos, itens/quantidade ..."""
        return (f"/api/pncp/v1/orgaos/{contratacao['orgaoEntidade']['cnpj']}/compras/"
                f"{contratacao['anoCompra']}/{contratacao['sequencialCompra']}/{part}")

    def part(self, contratacao, part, **query) -> Answer:
        path = self.part_path(contratacao, part)
        return self.get(path + ("?" + urllib.parse.urlencode(query) if query else ""))

    def stats(self, keys=False) -> dict:
        return self.get("/_stats" + ("?keys=1" if keys else "")).json()

    def truth_lines(self, date):
        """The lines of /_truth, as bytes, one per contratação."""
        answer = self.get(f"/_truth?date={date}", timeout=300)
        assert answer.status == 200
        return [line for line in answer.body.split(b"\n") if line]

    def truth(self, date, parse=loads) -> list:
        return [parse(line) for line in self.truth_lines(date)]

    def control(self, *pairs, **settings) -> None:
        """Settings by keyword, with "_" for "-" in the name, or ("name", "value") pairs to repeat one."""
        form = list(pairs) + [(name.replace("_", "-"), value) for name, value in settings.items()]
        answer = self.request("POST", "/_control", urllib.parse.urlencode(form))
        if answer.status != 200:
            raise ValueError(answer.text)

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._stderr.close()
        self._folder.cleanup()
        return status

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
