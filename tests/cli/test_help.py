"""What the program says of itself: --help, --version, the manual page, completions. All of it is made from one table."""

import os
import re
import shutil
import subprocess

import pytest
from program import ROOT, binary, run

EVERY_DAY = {"date", "lake", "unsafe-store", "log", "json", "quiet", "verbose"}
ASKING = {"attempts", "retry-wait", "brake-wait", "deadline", "outage-wait", "consulta-url", "max-rate"}
ALWAYS = {"help", "version"}
FETCHING = EVERY_DAY | ASKING | {"checkpoint-every", "batch-size", "max-duration", "max-failed", "input", "confirm", "allow-empty",
                                 "final-after", "connections", "detail-url", "spool", "wait-lease"}
FLAGS = {
    "ingest": FETCHING | {"max-contratacoes", "auto-resume", "no-auto-resume"},
    "list": EVERY_DAY | ASKING | {"again", "allow-empty", "final-after", "wait-lease"},
    "status": EVERY_DAY,
    "runs": {"lake", "unsafe-store", "json", "since", "scheduler-run-id"},
    "verify": EVERY_DAY | ASKING | {"source", "connections", "detail-url"},
    "retry": FETCHING | {"all", "part"},
    "compact": EVERY_DAY | {"wait-lease"},
    "adopt": EVERY_DAY | {"wait-lease"},
    "doctor": {"lake", "unsafe-store", "json", "print-lifecycle"},
    "completion": set(),
    "man": set(),
    "docs": set(),
}
COMMANDS = [command for command in FLAGS if command not in ("completion", "man", "docs")]
EVERY_FLAG = set().union(*FLAGS.values()) | ALWAYS


def flags_in(text) -> list:
    return re.findall(r"^  (?:-\w, )?--([a-z-]+)", text, re.MULTILINE)


def said(*words) -> str:
    result = run(*words, exit=0)
    assert result.stderr == []
    return result.stdout


# ---- --help and --version -------------------------------------------------------------------------


@pytest.mark.parametrize("command", FLAGS)
def test_help_of_a_command_has_its_flags_and_no_other(command):
    text = said(command, "--help")
    flags = flags_in(text)
    assert sorted(flags) == sorted(FLAGS[command] | ALWAYS)
    assert text.startswith(f"pncp-details {command}: ")
    assert f"usage: pncp-details {command} [flags]" in text
    assert "\nExamples\n  " in text and "pncp-details" in text.split("\nExamples\n")[1]
    for code in ("0", "1", "2", "3", "75", "130"):
        assert re.search(rf"^  {code} +\w", text.split("\nExit status\n")[1], re.MULTILINE), code
    described = [line for line in text.splitlines() if line.startswith("      ")]
    assert len(described) >= len(flags)
    assert max(map(len, described)) <= 100


def test_help_without_a_command_is_that_of_ingest_and_names_all():
    text = said("--help")
    assert text == said("-h")
    assert sorted(flags_in(text)) == sorted(FLAGS["ingest"] | ALWAYS)
    named = re.findall(r"^  ([a-z]+) +\w", text.split("\nCommands")[1].split("\nFlags")[0], re.MULTILINE)
    assert named == COMMANDS


@pytest.mark.parametrize("words", [["--date", "20251022", "--help"], ["-hq", "-v"], ["--quiet", "--help", "--verbose"]])
def test_help_wins(words):
    assert "Flags of ingest" in said(*words)


def test_help_says_default_and_environment():
    text = said("ingest", "--help")
    for line in ("--date DAY  (yesterday)", "--lake LAKE  (PNCP_LAKE, else ./lake)", "--checkpoint-every N  (50)",
                 "--connections N  (32)", "--attempts N  (6)", "--retry-wait TIME  (1s)", "--brake-wait TIME  (60s)",
                 "--deadline TIME  (120s)", "--outage-wait TIME  (10m)", "--wait-lease TIME  (120s)", "--confirm WHEN  (auto)", "--final-after TIME  (3h)",
                 "--consulta-url URL  (PNCP_CONSULTA_URL, else https://pncp.gov.br/api/consulta)",
                 "--detail-url URL  (PNCP_DETAIL_URL, else https://pncp.gov.br/api/pncp)"):
        assert f"\n  {line}\n" in text


@pytest.mark.parametrize("words", [["--version"], ["status", "--version"], ["--version", "--quiet"]])
def test_version_is_that_of_the_build(words):
    version = re.search(r"version: '([0-9.]+)'", (ROOT / "meson.build").read_text())[1]
    assert said(*words) == f"pncp-details {version}\n"


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["man"], ["completion", "bash"], ["status"]])
def test_output_that_cannot_be_written_is_a_failure(words, tmp_path):
    with open("/dev/full", "w") as full:
        assert run(*words, cwd=tmp_path, stdout=full, env={"PNCP_LAKE": str(tmp_path)}).exit == 1


# ---- the manual page ------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_the_manual_page_renders_without_warnings(tmp_path):
    page = tmp_path / "pncp-details.1"
    page.write_text(said("man"), encoding="utf-8")
    done = subprocess.run(["man", "-l", "--warnings", "-E", "UTF-8", str(page)], capture_output=True,
                          env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "100", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""})
    text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout.decode("utf-8"))
    assert done.returncode == 0 and done.stderr == b""
    for flag in EVERY_FLAG:
        assert re.search(rf"^ +(-\w, )?--{flag}( |$)", text, re.MULTILINE), flag
    for command in COMMANDS:
        assert re.search(rf"^ +{command}\b", text, re.MULTILINE), command
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "FLAGS", "EXAMPLES", "EXIT STATUS"):
        assert re.search(rf"^{section}$", text, re.MULTILINE), section
    assert "contratações" in text and "| jq .days[0].remaining" in text
    assert re.search(r"^ +75 +try again later", text, re.MULTILINE), "the exit codes keep their lines"


# ---- completions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_parses(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / shell
    script.write_text(said("completion", shell), encoding="utf-8")
    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_knows_every_flag_and_command(shell):
    text = said("completion", shell)
    for flag in EVERY_FLAG:
        assert re.search(rf"(--|-l ){flag}\b", text), flag
    for command in FLAGS:
        assert re.search(rf"\b{command}\b", text), command


def completed(*words) -> list:
    """What bash offers instead of the last of `words`."""
    array = " ".join(f"'{word}'" for word in ("pncp-details", *words))
    script = f'source <("{binary()}" completion bash); COMP_WORDS=({array}); COMP_CWORD={len(words)}; _pncp_details; ' \
             'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True)
    assert done.stderr == ""
    return sorted(done.stdout.split())


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize("command", COMMANDS)
def test_zsh_offers_the_flags_of_the_command_at_its_first_use(command, tmp_path):
    (tmp_path / "_pncp-details").write_text(said("completion", "zsh"), encoding="utf-8")
    script = "fpath=($1 $fpath); compdef() { :; }; _arguments() { print -rl -- $@; }; autoload -Uz _pncp-details; " \
             "words=(pncp-details $2 --); CURRENT=3; _pncp-details"
    done = subprocess.run(["zsh", "-fc", script, "zsh", str(tmp_path), command], capture_output=True, text=True)
    assert done.stderr == ""
    specs = [line for line in done.stdout.splitlines() if line.startswith("--")]
    assert sorted(spec.split("[")[0][2:] for spec in specs) == sorted(FLAGS[command] | ALWAYS)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize("command", COMMANDS)
def test_fish_offers_the_flags_of_the_command(command, tmp_path):
    script = tmp_path / "completions.fish"
    script.write_text(said("completion", "fish"), encoding="utf-8")
    done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; complete -C 'pncp-details {command} --'"],
                          capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)})
    assert done.stderr == ""
    assert sorted(re.findall(r"^--([a-z-]+)", done.stdout, re.MULTILINE)) == sorted(FLAGS[command] | ALWAYS)


@pytest.mark.parametrize("command", COMMANDS)
def test_bash_offers_the_flags_of_the_command(command):
    assert completed(command, "--") == sorted(f"--{flag}" for flag in FLAGS[command] | ALWAYS)
    assert completed(command, "--json", "--ver") == sorted({"--verbose", "--version"} & {f"--{flag}" for flag in FLAGS[command] | ALWAYS})


@pytest.mark.parametrize("words, offered", [
    (["--chec"], ["--checkpoint-every"]), # ingest is the default command
    (["st"], ["status"]),
    ([""], sorted(FLAGS)),
    (["--log", ""], ["json", "text"]),
    (["verify", "--log", "j"], ["json"]),
    (["--confirm", "a"], ["always", "auto"]),
    (["--date", "y"], ["yesterday"]),
    (["status", "--sour"], []),
])
def test_bash_offers(words, offered):
    assert completed(*words) == offered
