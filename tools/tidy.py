"""clang-tidy over our source files, in parallel, each only when something that it depends on has changed.

    tidy.py ROOT COMPILE_COMMANDS.JSON CLEAN_FOLDER

CLEAN_FOLDER holds an empty file for each clean run, named by the hash of all that decides its result: the source, the
headers of ours that it includes, the checks, the compile command and clang-tidy's version.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TIDY = "clang-tidy-14"
# Flags of gcc that clang does not know are no finding.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--quiet"]
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def ours(root, commands):
    """The compile commands of our own files, one a file."""
    seen = {}
    for entry in commands:
        path = Path(entry["directory"], entry["file"]).resolve()
        if path.relative_to(root).parts[0] in ("src", "sim", "tests", "bench"):
            seen.setdefault(path, entry)
    return seen


def closure(path, folders):
    """The file and all headers of ours that it includes, directly or not."""
    seen, todo = set(), [path]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        for name in INCLUDE.findall(current.read_bytes()):
            found = (Path(folder, os.fsdecode(name)) for folder in (current.parent, *folders))
            todo += [header.resolve() for header in found if header.is_file()][:1]
    return sorted(seen)


def key_of(path, entry, root, shared):
    digest = hashlib.sha256(shared)
    digest.update(entry["command"].encode())
    for member in closure(path, (root / "src", root / "sim")):
        digest.update(str(member.relative_to(root)).encode() + b"\0" + member.read_bytes() + b"\0")
    return digest.hexdigest()


def run(path, database, mark, root):
    """True when the file is clean; prints what is not."""
    if mark.exists():
        return True
    done = subprocess.run([TIDY, *EXTRA, "-p", str(database.parent), str(path)], capture_output=True, text=True, cwd=root)
    if done.returncode == 0:
        mark.touch()
        return True
    print(done.stdout.strip() or done.stderr.strip(), flush=True)
    return False


def main():
    root, database, clean = (Path(arg).resolve() for arg in sys.argv[1:4])
    clean.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    shared = version + (root / ".clang-tidy").read_bytes() + " ".join(EXTRA).encode()
    files = ours(root, json.loads(database.read_text(encoding="utf-8")))
    marks = {path: clean / key_of(path, entry, root, shared) for path, entry in files.items()}
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        results = list(pool.map(lambda path: run(path, database, marks[path], root), sorted(files)))
    for stale in set(clean.iterdir()) - set(marks.values()):
        stale.unlink()
    return 0 if all(results) else 1


sys.exit(main())
