"""Sum what a test run left behind. Prints three numbers: passed failed skipped.

    count.py meson TESTLOG.JSON STATUS     cmocka's TAP inside meson's log; a program without TAP counts as one test
    count.py pytest JUNIT.XML STATUS
    count.py tap OUTPUT STATUS             what a program printed that speaks TAP

A run that ended badly without naming a failed test (a crash, a missing report) counts as one failed test.
"""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TAP = re.compile(r"^(ok|not ok) \d+\b(.*)$", re.MULTILINE)


def count_text(text):
    """What stands in a program's output."""
    passed = failed = skipped = 0
    for verdict, rest in TAP.findall(text):
        if "# SKIP" in rest:  # cmocka 1.1.5 writes "not ok 3 # SKIP name"
            skipped += 1
        elif verdict == "ok":
            passed += 1
        else:
            failed += 1
    return passed, failed, skipped


def count_program(entry):
    """One test program of meson's log."""
    passed, failed, skipped = count_text(entry.get("stdout", ""))
    if entry["result"] == "SKIP":
        return passed, failed, skipped or 1
    if entry["result"] not in ("OK", "EXPECTEDFAIL"):
        return passed, failed or 1, skipped
    return (passed if passed + failed + skipped else 1), failed, skipped


def count_meson(path):
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [sum(column) for column in zip((0, 0, 0), *map(count_program, entries))]


def count_tap(path):
    return list(count_text(path.read_text(encoding="utf-8")))


def count_pytest(path):
    failed = skipped = total = 0
    for suite in ElementTree.parse(path).iter("testsuite"):
        failed += int(suite.get("failures")) + int(suite.get("errors"))
        skipped += int(suite.get("skipped"))
        total += int(suite.get("tests"))
    return [max(total - failed - skipped, 0), failed, skipped]


def main():
    kind, path, status = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    try:
        counts = {"meson": count_meson, "pytest": count_pytest, "tap": count_tap}[kind](path)
    except (OSError, ValueError, ElementTree.ParseError) as error:
        print(f"count: {path}: {error}", file=sys.stderr)
        counts = [0, 0, 0]
        status = status or 1
    if status != 0 and counts[1] == 0:
        counts[1] = 1
    print(*counts)


main()
