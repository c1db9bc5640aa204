"""What a run asks of the API: no more than it must, no more at once than it may, nothing while the API wants a pause."""

import gzip
import http.server
import math
import re
import statistics
import threading
import time
import urllib.error
import urllib.request
from collections import Counter

import pytest
from program import DAY, FAST, falhas, finish, list_rows, rows, run, same_values, start, truth_of
from simulator import Simulator

DETAILS = ("itens", "arquivos", "quantidade_itens", "quantidade_arquivos")
WAITS = ("--retry-wait", "10ms", "--deadline", "5s") # tests of pauses name their own --brake-wait


@pytest.fixture(scope="module")
def source():
    with Simulator("--day", DAY, "--count", 200, "--itens-max", 60, "--force-itens", "3=1200", "--force-itens", "4=500",
                   "--force-itens", "5=501", "--force-itens", "6=9", "--force-itens", "7=10", "--force-arquivos", "5=81") as sim:
        yield sim, truth_of(sim)


def fresh(sim, *settings):
    sim.control(("clear", "all"), ("reset", "all"), ("latency", "0"), ("limit-listing", "0"), ("limit-detail", "0"),
                ("limit-recovery", "0"), ("retry-after", "0"), *settings)


def with_list(sim, lake):
    """The list at hand, so that what follows are detail requests alone."""
    run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)


def asked(sim) -> int:
    requests = sim.stats()["requests"]
    return sum(requests[kind] for kind in DETAILS)


class Watch:
    """Figures of the simulator, taken every few milliseconds while a run goes on: (seconds, stats)."""

    def __init__(self, sim, *args, **more):
        process, self.samples, self.begun = start("--date", DAY, *args, sim=sim, **more), [], time.monotonic()
        while process.poll() is None:
            self.samples.append((time.monotonic() - self.begun, sim.stats()))
            time.sleep(0.005)
        self.seconds = time.monotonic() - self.begun
        self.result = finish(process)

    def longest_pause(self, kinds):
        """(seconds, figures at its begin, at its end) of the longest time in which none of these requests came, when some
        had come before and some came after."""
        longest, since, last = (0, None, None), None, None
        for at, stats in self.samples:
            count = sum(stats["requests"][kind] for kind in kinds)
            if last is None or count != sum(last["requests"][kind] for kind in kinds):
                if last is not None and sum(last["requests"][kind] for kind in kinds) > 0 and at - since > longest[0]:
                    longest = at - since, last, stats
                since, last = at, stats
        return longest


# ---- exactly what is needed -----------------------------------------------------------------------


def test_a_clean_day_costs_the_necessary_requests(source, lake):
    """One page of 500 for each part, a further one for each 500 rows more, /quantidade for lists of ten rows or more, 50 rows
    a page of the listing. The summary, the last line and the simulator agree."""
    sim, truth = source
    fresh(sim)
    result = run("--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    stats = sim.stats(keys=True)
    wanted = {}
    for key, row in truth.items():
        wanted[key] = {}
        for part in ("itens", "arquivos"):
            wanted[key][part] = max(math.ceil(len(row[part]) / 500), 1)
            if len(row[part]) >= 10:
                wanted[key]["quantidade_" + part] = 1
    assert stats["keys"] == wanted
    sizes = Counter(row["modalidadeId"] for row in truth.values())
    listing = sum(max(math.ceil(sizes[code] / 50), 1) for code in range(1, 15))
    assert stats["requests"]["listing"] == result.day["list_calls"] == listing + 3 # 15 is refused: three tries
    assert result.day["api_calls"] == asked(sim) and result.day["retries"] == 2
    assert f"({asked(sim)} API calls, 0 errors, 4 checkpoints saved)" in result.stderr[-1]
    assert stats["requests"]["compra"] == stats["requests"]["other"] == 0


def test_a_complete_day_costs_nothing(source, lake):
    sim, truth = source
    fresh(sim)
    run("--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    fresh(sim)
    result = run("--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert result.day["already_complete"] and result.day["api_calls"] == result.day["list_calls"] == 0
    assert sim.stats()["requests_total"] == 0


def test_confirm_chooses_who_is_counted(source, lake):
    sim, truth = source
    sizes = [len(row[part]) for row in truth.values() for part in ("itens", "arquivos")]
    for confirm, counts in (("always", len(sizes)), ("auto", sum(size >= 10 for size in sizes)), ("never", 0)):
        fresh(sim)
        run("--date", DAY, "--confirm", confirm, *FAST, lake=lake / confirm, sim=sim, exit=0)
        requests = sim.stats()["requests"]
        assert requests["quantidade_itens"] + requests["quantidade_arquivos"] == counts
        same_values(rows(lake / confirm), truth)


def test_what_is_done_is_not_asked_again(source, lake):
    sim, truth = source
    fresh(sim)
    run("--date", DAY, "--batch-size", 60, *FAST, lake=lake, sim=sim, exit=0)
    first = sim.stats(keys=True)["keys"]
    fresh(sim)
    run("--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    second = sim.stats(keys=True)["keys"]
    assert len(first) == 60 and not first.keys() & second.keys() and len(first) + len(second) == len(truth)


# ---- how much at once -----------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 3, 16])
def test_the_ceiling_of_connections_is_kept(source, lake, connections):
    sim, _ = source
    fresh(sim)
    with_list(sim, lake)
    fresh(sim, ("latency-detail", 20))
    run("--date", DAY, "--connections", connections, "--batch-size", 100, *FAST, lake=lake, sim=sim, exit=0)
    stats = sim.stats()
    assert stats["in_flight_max"] == connections
    assert stats["connections"] <= connections + 2 # kept alive: not one for each request (the control's own are counted)


@pytest.mark.threads
def test_the_number_in_flight_grows_on_a_good_day(source, lake):
    """From 8 by doubling to the ceiling."""
    sim, truth = source
    fresh(sim)
    with_list(sim, lake)
    fresh(sim, ("latency-detail", 40))
    watch = Watch(sim, "--checkpoint-every", 20, *FAST, lake=lake)
    assert watch.result.exit == 0
    in_flight = [stats["in_flight"] for _, stats in watch.samples]
    assert max(in_flight) <= 32
    assert sim.stats()["in_flight_max"] == 32
    early = [stats["in_flight"] for _, stats in watch.samples if 0 < asked_in(stats) <= 8]
    assert early and max(early) <= 8
    same_values(rows(lake), truth)


def asked_in(stats) -> int:
    return sum(stats["requests"][kind] for kind in DETAILS)


def test_no_more_than_four_listing_pages_at_once(simulator, lake):
    sim = simulator("--day", DAY, "--count", 2000, "--latency-listing", 20)
    run("list", "--date", DAY, *FAST, lake=lake, sim=sim, exit=0)
    assert sim.stats()["in_flight_max"] == 4
    assert len(list_rows(lake)) == 2000


@pytest.mark.parametrize("fault, batch", [("503", 150), ("hang", 60)])
def test_trouble_halves_what_is_in_flight(source, lake, fault, batch):
    """Three answers of ten are a 503, or come not in time: what is in flight falls to a few and stays there, although the
    ceiling is 32 and it began at 8."""
    sim, truth = source
    fresh(sim)
    with_list(sim, lake)
    fresh(sim, ("latency-detail", 30), ("fault", f"detail:{fault}=0.3"))
    watch = Watch(sim, "--batch-size", batch, "--attempts", 30, "--retry-wait", "1ms", "--brake-wait", "50ms", "--deadline", "250ms", lake=lake)
    assert watch.result.exit == 0
    middle = [stats["in_flight"] for at, stats in watch.samples if 0.3 < at / watch.seconds < 0.8]
    assert statistics.mean(middle) <= 5, middle
    same_values(rows(lake), truth, whole=False)


@pytest.mark.parametrize("rate, count", [(50, 60), (300, 200)])
def test_no_more_a_second_than_said(simulator, lake, rate, count):
    """In any time, for each API, retries among them. What is said is nearly reached."""
    sim = simulator("--day", DAY, "--count", count, "--fault", "itens:500_json=0.1")
    watch = Watch(sim, *WAITS, "--max-rate", rate, lake=lake)
    assert watch.result.exit == 0, watch.result
    for kinds in (DETAILS, ("listing",)):
        asked_at = [(at, sum(stats["requests"][kind] for kind in kinds)) for at, stats in watch.samples]
        for at, before in asked_at:
            later = [after for when, after in asked_at if at < when <= at + 0.5]
            if later: # the two figures were taken at most so long after they were right
                assert later[-1] - before <= rate * 0.6 + max(2, rate / 20)
        begun = next(at for at, asked in asked_at if asked > 0)
        ended, total = next((at, asked) for at, asked in asked_at if asked == asked_at[-1][1])
        if kinds == DETAILS:
            assert total > rate and ended - begun >= (total - max(2, rate / 20)) / rate - 0.1
            assert ended - begun < total / rate * 1.5 + 0.5


# ---- pauses ---------------------------------------------------------------------------------------


@pytest.mark.threads
def test_a_429_pauses_the_whole_api(source, lake):
    """One 429 among two hundred requests: nobody is asked anything for the time of the brake."""
    sim, truth = source
    fresh(sim)
    with_list(sim, lake)
    row = list(truth.values())[60]
    fresh(sim, ("latency-detail", 15), ("rule", f"/{row['cnpj']}/compras/{row['ano']}/{row['sequencial']}/itens?@1=429"))
    watch = Watch(sim, "--connections", 4, "--brake-wait", "1s", *WAITS, lake=lake)
    assert watch.result.exit == 0 and sim.stats()["faults"] == {"429": 1}
    assert watch.longest_pause(DETAILS)[0] >= 0.9
    assert sum("asks for a pause (http_429)" in line for line in watch.result.stderr) == 1
    same_values(rows(lake), truth)


@pytest.mark.parametrize("paused", ["listing", "detail"])
def test_the_two_apis_have_their_own_brakes(simulator, lake, paused):
    """While the listing pauses, details go on with what is listed; and the other way round."""
    sim = simulator("--day", DAY, "--count", 400, "--itens-max", 3, "--latency-listing", 100, "--latency-detail", 30)
    first = next(iter(truth_of(sim).values()))
    if paused == "listing":
        kinds, others, rule = ["listing"], DETAILS, "Contratacao=8&pagina=2&@1=429"
    else:
        kinds, others, rule = DETAILS, ["listing"], f"/{first['cnpj']}/compras/{first['ano']}/{first['sequencial']}/itens?@1=429"
    sim.control(rule=rule)
    watch = Watch(sim, "--connections", 2, "--batch-size", 100, "--brake-wait", "1500ms", *WAITS, lake=lake)
    assert watch.result.exit == 0 and sim.stats()["faults"] == {"429": 1}
    seconds, before, after = watch.longest_pause(kinds)
    assert seconds >= 1.4
    assert sum(after["requests"][kind] - before["requests"][kind] for kind in others) >= (20 if paused == "listing" else 5)


def test_retry_after_is_kept(source, lake):
    """It says longer than --brake-wait: that long nothing is sent. A second 429 would cost a second pause."""
    sim, truth = source
    fresh(sim)
    with_list(sim, lake)
    row = list(truth.values())[60]
    fresh(sim, ("latency-detail", 15), ("retry-after", 2),
          ("rule", f"/{row['cnpj']}/compras/{row['ano']}/{row['sequencial']}/itens?@1=429"))
    watch = Watch(sim, "--connections", 4, "--brake-wait", "10ms", *WAITS, lake=lake)
    assert watch.result.exit == 0 and sim.stats()["faults"] == {"429": 1}
    assert watch.longest_pause(DETAILS)[0] >= 1.9


def test_a_retry_after_of_zero_is_a_pause_too(simulator, lake):
    """"Now" from an API that goes on refusing: not as many requests as the line carries."""
    sim = simulator("--day", DAY, "--count", 30, "--itens-max", 3)
    proxy = Proxy(sim, refuse_until=time.monotonic() + 2)
    try:
        run("list", "--date", DAY, "--brake-wait", "200ms", *WAITS, lake=lake, env=proxy.environment, exit=0)
    finally:
        proxy.close()
    assert len(list_rows(lake)) == 30
    assert 1 <= proxy.refused <= 4 * 10 # four pages at once, and ten pauses of 0.2 s


@pytest.mark.parametrize("api, limit", [("listing", "12/1"), ("detail", "150/1")])
def test_a_window_of_requests(simulator, lake, api, limit):
    """So many in any second, and a second of refusals after each 429. With --attempts 1 a single 429 taken for an attempt
    would cost a contratação or a modalidade; with the pause kept, no more are refused than were on their way."""
    sim = simulator("--day", DAY, "--count", 200, "--itens-max", 3, "--latency", 5, "--limit-recovery", 1, f"--limit-{api}", limit)
    truth = truth_of(sim)
    result = run("--date", DAY, "--attempts", 1, "--connections", 4, "--brake-wait", "1100ms", *WAITS, lake=lake, sim=sim, exit=0)
    same_values(rows(lake), truth)
    assert result.day["complete"] and result.day["errors"] == 0 and not [entry for entry in falhas(lake) if entry["kind"] == "failed"]
    pauses = sum(f"the {api} API asks for a pause" in line for line in result.stderr)
    limited = sim.stats()["limited"]
    assert limited[api] > 0 and limited["detail" if api == "listing" else "listing"] == 0
    assert 0 < pauses <= limited[api] <= 4 * pauses


# ---- who is asking --------------------------------------------------------------------------------


class Proxy(http.server.ThreadingHTTPServer):
    """Passes requests on to the simulator, remembers their headers, and compresses the answers. Until a time it refuses
    all of them with 429 and Retry-After: 0."""

    daemon_threads = True

    def __init__(self, sim, refuse_until=0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.sim, self.refuse_until, self.refused, self.headers, self.versions = sim, refuse_until, 0, [], set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()

    @property
    def environment(self) -> dict:
        base = f"http://127.0.0.1:{self.server_address[1]}"
        return {"PNCP_CONSULTA_URL": base + "/api/consulta/", "PNCP_DETAIL_URL": base + "/api/pncp"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.headers.append(dict(self.headers))
        self.server.versions.add(self.request_version)
        if time.monotonic() < self.server.refuse_until:
            self.server.refused += 1
            self.send_response(429)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        try:
            with urllib.request.urlopen(self.server.sim.url + self.path) as answer:
                status, kind, body = answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as error:
            status, kind, body = error.code, error.headers["Content-Type"], error.read()
        self.send_response(status)
        if status != 204:
            body = gzip.compress(body, 1)
            self.send_header("Content-Type", kind or "application/json")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, *args):
        pass


def test_it_says_who_it_is_and_reads_gzip(simulator, lake):
    sim = simulator("--day", DAY, "--count", 30, "--itens-max", 30)
    proxy = Proxy(sim)
    try:
        run("--date", DAY, "--connections", 4, *FAST, lake=lake, env=proxy.environment, exit=0)
    finally:
        proxy.close()
    same_values(rows(lake), truth_of(sim))
    assert len(proxy.headers) == sim.stats()["requests_total"] and proxy.versions == {"HTTP/1.1"}
    for headers in proxy.headers:
        assert re.fullmatch(r"pncp-details/\d+\.\d+\.\d+", headers["User-Agent"])
        assert headers["Accept"] == "application/json" and headers["Accept-Encoding"] == "gzip"
        assert not {"Cookie", "Authorization", "Referer"} & headers.keys()
