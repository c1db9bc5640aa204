"""Requests that make no sense: one line on stderr that names the one problem, exit 2, and nothing done."""

import datetime

import pytest
from lake_day import Day, ask, ingest
from program import DAY, FAST, run

TOMORROW = (datetime.date.today() + datetime.timedelta(days=2)).strftime("%Y%m%d")
DATE_FORMS = "give YYYYMMDD, YYYY-MM-DD, today or yesterday, or a range such as 20251001..20251031"
NUMBER = "give a whole number from 1 to 10000, or auto"
DURATION = "give a duration such as 500ms, 10s, 5m or 1h; a bare number is seconds"
NO_ADDRESS = "not an http or https address"

# The words after the program's name, and what its one line says.
REFUSED = [
    # dates
    (["--date", "20251340"], f"--date 20251340: no such day; {DATE_FORMS}"),
    (["--date", "2025-02-30"], f"--date 2025-02-30: no such day; {DATE_FORMS}"),
    (["--date=20250229"], f"--date 20250229: no such day; {DATE_FORMS}"),
    (["--date", "22/10/2025"], f"--date 22/10/2025: no such day; {DATE_FORMS}"),
    (["--date", "tomorrow"], f"--date tomorrow: no such day; {DATE_FORMS}"),
    (["--date", "2025102"], f"--date 2025102: no such day; {DATE_FORMS}"),
    *[(["--date", text], f"--date {text}: no such day; {DATE_FORMS}")
      for text in ("20251020..", "..20251022", "..", "20251020...20251022", "20251020..20251022..20251023", "20251020..tomorrow")],
    (["--date", "20251022..20251020"], "--date 20251022..20251020: ends before it begins; give 20251020..20251022"),
    (["status", "--date", f"2025-10-20..{TOMORROW}"], f"--date 2025-10-20..{TOMORROW}: ends in the future; it is "),
    (["--date", f"{TOMORROW}..20991231"], f"--date {TOMORROW}..20991231: lies in the future; it is "),
    (["verify", "--date", "20150101..20250108"], "--date 20150101..20250108: has 3661 days; give at most 3660 at a time"),
    (["--date", TOMORROW], f"--date {TOMORROW}: lies in the future; it is "),
    (["status", "--date", "20991231"], "--date 20991231: lies in the future; it is "),
    # numbers
    (["--checkpoint-every", "0"], f"--checkpoint-every 0: {NUMBER}"),
    (["--checkpoint-every", "-5"], f"--checkpoint-every -5: {NUMBER}"),
    (["--checkpoint-every", "10001"], f"--checkpoint-every 10001: {NUMBER}"),
    (["--checkpoint-every", "99999999999999999999"], f"--checkpoint-every 99999999999999999999: {NUMBER}"),
    (["--checkpoint-every", "1e3"], f"--checkpoint-every 1e3: {NUMBER}"),
    (["--checkpoint-every", " 5"], f"--checkpoint-every  5: {NUMBER}"),
    (["--checkpoint-every", "Auto"], f"--checkpoint-every Auto: {NUMBER}"),
    (["--batch-size", "0"], "--batch-size 0: give a whole number of at least 1, or auto"),
    (["--batch-size", "1.5"], "--batch-size 1.5: give a whole number of at least 1, or auto"),
    (["--batch-size", "99999999999999999999"], "--batch-size 99999999999999999999: give a whole number"),
    (["--max-contratacoes", "-1"], "--max-contratacoes -1: give a whole number of at least 1"),
    (["--max-contratacoes", "auto"], "--max-contratacoes auto: give a whole number of at least 1"),
    (["--connections", "513"], "--connections 513: give a whole number from 1 to 512"),
    (["--attempts", "0"], "--attempts 0: give a whole number from 1 to 100"),
    # durations
    (["--retry-wait", "10q"], f"--retry-wait 10q: {DURATION}"),
    (["--retry-wait", "-1s"], f"--retry-wait -1s: {DURATION}"),
    (["--deadline", "0"], "--deadline 0: give 0.1 to 3600 seconds"),
    (["--brake-wait", "2h"], "--brake-wait 2h: give 0 to 3600 seconds"),
    (["--final-after", "49h"], "--final-after 49h: give 0 to 172800 seconds"),
    # choices
    (["--log", "xml"], "--log xml: give text or json"),
    (["--confirm", "maybe"], "--confirm maybe: give auto, always or never"),
    # addresses
    (["--consulta-url", "pncp.gov.br"], f'--consulta-url: {NO_ADDRESS}: "pncp.gov.br"'),
    (["--detail-url", "http://"], f'--detail-url: {NO_ADDRESS}: "http://"'),
    (["--detail-url", "ftp://pncp.gov.br/"], f'--detail-url: {NO_ADDRESS}: "ftp://pncp.gov.br/"'),
    (["--consulta-url", "http://h/?a=b"], '--consulta-url: an API\'s address has no query, fragment or blank: "http://h/?a=b"'),
    (["--consulta-url", "http://me:secret@h/"], "--consulta-url: give the address without user and password"),
    # empty values
    *[([flag, ""], f"{flag} is empty") for flag in ("--date", "--lake", "--input", "--batch-size", "--retry-wait", "--detail-url", "--log")],
    (["--checkpoint-every="], "--checkpoint-every is empty"),
    # flags that are none
    (["--chekpoint-every", "5"], "unknown flag --chekpoint-every: did you mean --checkpoint-every?"),
    (["--checkpoint", "5"], "unknown flag --checkpoint: did you mean --checkpoint-every?"),
    (["--jsn"], "unknown flag --jsn: did you mean --json?"),
    (["-date", DAY], "unknown flag -date: did you mean --date?"),
    (["-date=" + DAY], "unknown flag -date: did you mean --date?"),
    (["-x"], "unknown flag -x: see pncp-details ingest --help"),
    (["-qx"], "unknown flag -qx: see pncp-details ingest --help"),
    (["--frobnicate"], "unknown flag --frobnicate: see pncp-details ingest --help"),
    (["list", "--batch-size", "5"], "unknown flag --batch-size: see pncp-details list --help"),
    (["status", "--source"], "unknown flag --source: see pncp-details status --help"),
    (["man", "--date", DAY], "unknown flag --date: see pncp-details man --help"),
    (["--max-rate", "0"], "--max-rate 0: give a whole number from 1 to 10000"),
    (["--outage-wait", "0"], "--outage-wait 0: give 0.1 to 86400 seconds"),
    (["--max-duration", "50ms"], "--max-duration 50ms: give 0.1 to 604800 seconds"),
    *[(["--max-failed", text], f"--max-failed {text}: give a whole number such as 10, or 0% to 100% such as 0.5%")
      for text in ("-1", "x", "%", "1.555%", "1.%", ".5%", "1.5", "100.01%", "101%", "5%%", " 5", "99999999999999999999")],
    (["list", "--max-failed", "5"], "unknown flag --max-failed: see pncp-details list --help"),
    # values that are missing, or not wanted, or given twice
    (["--date"], "--date needs a value: --date DAY"),
    (["--lake"], "--lake needs a value: --lake LAKE"),
    (["--json=1"], "--json takes no value"),
    (["--auto-resume=no"], "--auto-resume takes no value"),
    (["--date", DAY, "--date", DAY], "--date is given twice"),
    (["--date", DAY, "--lake=a", "--lake", "b"], "--lake is given twice"),
    (["--json", "--date", DAY, "--json"], "--json is given twice"),
    (["verify", "--source", "--source"], "--source is given twice"),
    (["-v", "--date", DAY, "-v"], "--verbose is given twice"),
    (["-qq"], "--quiet is given twice"),
    (["-v", "--verbose"], "--verbose is given twice"),
    (["--quiet", "-q"], "--quiet is given twice"),
    (["--help", "-h"], "--help is given twice"),
    (["--auto-resume", "--no-auto-resume"], "--auto-resume and --no-auto-resume contradict each other: give one of them"),
    *[(["--no-auto-resume", f"--{flag}", "5"], f"--no-auto-resume fetches the whole day again: leave out --{flag}")
      for flag in ("batch-size", "max-contratacoes", "max-duration")],
    (["retry", "--max-contratacoes", "5"], "unknown flag --max-contratacoes: see pncp-details retry --help"),
    (["retry", "--part", "resultados"], "--part resultados: give both, itens or arquivos"),
    (["--all"], "unknown flag --all: did you mean --allow-empty?"),
    (["--quiet", "--verbose"], "--quiet and --verbose contradict each other: give one of them"),
    (["-vq"], "--quiet and --verbose contradict each other: give one of them"),
    # words
    (["--date", DAY, "again"], 'unexpected argument "again": flags begin with --'),
    (["--", "--date", DAY], 'unexpected argument "--": flags begin with --'),
    (["-"], 'unexpected argument "-": flags begin with --'),
    (["ingst", "--date", DAY], 'unknown command "ingst": did you mean ingest?'),
    (["lst"], 'unknown command "lst": did you mean list?'),
    (["stat"], 'unknown command "stat": did you mean status?'),
    (["frobnicate"], 'unknown command "frobnicate": see pncp-details --help'),
    *[([command], f'unknown command "{command}": see pncp-details --help') for command in ("serve", "dashboard")],
    (["completion"], "completion: give bash, zsh or fish"),
    (["completion", "tcsh"], "completion: give bash, zsh or fish"),
    (["completion", "bash", "zsh"], 'unexpected argument "zsh": flags begin with --'),
]


def refused(result) -> str:
    """The one line of a usage error."""
    assert result.exit == 2, result
    assert result.stdout == ""
    assert len(result.stderr) == 1, result.stderr
    return result.stderr[0]


@pytest.mark.parametrize("words, says", REFUSED, ids=[" ".join(words) or "nothing" for words, _ in REFUSED])
def test_one_line_names_the_one_problem(words, says, tmp_path):
    line = refused(run(*words, cwd=tmp_path))
    assert line.startswith(f"pncp-details: {says}"), line
    assert "secret" not in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["ingest", "list", "status", "verify", "compact", "adopt"])
@pytest.mark.parametrize("lake, right", [("{}/pncp_details", "{}"), ("{}/pncp_details//", "{}"), ("file://{}/pncp_details", "{}"),
                                         ("pncp_details", ".")])
def test_a_lake_given_with_its_folder_is_named_without(command, lake, right, tmp_path):
    line = refused(run(command, "--lake", lake.format(tmp_path), cwd=tmp_path))
    assert line.endswith("the lake is given without its pncp_details folder: use --lake " + right.format(tmp_path)), line
    assert "Stopped" not in line
    assert list(tmp_path.iterdir()) == []


def test_s3_needs_credentials(tmp_path):
    result = run("status", "--lake", "s3://bucket/prefix", cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert result.exit == 2
    assert len(result.stderr) == 1 and "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in result.stderr[0]


# ---- where a value comes from ---------------------------------------------------------------------


def test_environment_over_default_and_flag_over_environment(simulator, tmp_path):
    sim, other = simulator("--count", 5), simulator("--count", 7)
    env = {"PNCP_LAKE": str(tmp_path / "from-environment"), **sim.environment}
    result = run("--date", DAY, "--json", *FAST, env=env, cwd=tmp_path, exit=0)
    assert result.summary["lake"] == env["PNCP_LAKE"] and result.day["saved"] == 5
    result = run("--date", DAY, "--json", *FAST, "--lake", "flag", "--consulta-url", other.consulta_url + "/", "--detail-url",
                 other.detail_url, env=env, cwd=tmp_path, exit=0)
    assert result.summary["lake"] == str(tmp_path / "flag") and result.day["saved"] == 7
    result = run("--date", DAY, "--json", *FAST, env={**env, "PNCP_LAKE": ""}, cwd=tmp_path, exit=0)
    assert result.summary["lake"] == str(tmp_path / "lake")


def test_a_wrong_environment_is_named(tmp_path):
    line = refused(run("--date", DAY, env={"PNCP_DETAIL_URL": "nowhere"}, cwd=tmp_path))
    assert line == 'pncp-details: PNCP_DETAIL_URL in the environment: --detail-url: not an http or https address: "nowhere"'
    assert refused(run("--date", DAY, env={"PNCP_LAKE": "x/pncp_details"}, cwd=tmp_path)).endswith("use --lake x")
    # status asks nobody: what it has no flag for is not looked at
    assert run("status", env={"PNCP_DETAIL_URL": "nowhere", "PNCP_LAKE": str(tmp_path)}).exit == 0


@pytest.mark.parametrize("form", ["20251022", "2025-10-22"])
def test_both_forms_of_a_day(form, simulator, lake):
    sim = simulator("--day", DAY, "--count", 3)
    assert ingest(sim, lake, date=form).day["date"] == DAY
    assert ask("status", lake, date=form).summary["done"] == 3


def test_today_and_yesterday_are_days_in_brasilia(simulator, lake):
    sim = simulator("--count", 3)
    today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=-3))).date()
    for word, day, final in [("today", today, False), ("yesterday", today - datetime.timedelta(days=1), None)]:
        summary = ingest(sim, lake, date=word).day
        assert summary["date"] == day.strftime("%Y%m%d") and summary["saved"] == 3
        assert final is None or (summary["listed_final"], summary["complete"]) == (final, final)
        assert not final or not Day(lake, summary["date"]).completo_file.exists()


def test_the_record_of_a_run_keeps_no_secret(simulator, lake):
    sim = simulator("--day", DAY, "--count", 3)
    url = "s3://key:pa@ss@bucket/x" # in a flag that takes any text
    result = run("--date", DAY, "--input", url, sim=sim, lake=lake)
    assert result.exit != 0
    record = next(iter(Day(lake).records().values()))
    assert "s3://***@bucket/x" in record["argv"] and url not in record["argv"]
