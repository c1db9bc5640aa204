"""The tree is the architecture: who may include whom. Arrows are transitive: what a folder may use, its users may too.

    check_includes.py ROOT      prints each include that goes against an arrow; exit status 1 when there is one
"""

import re
import sys
from pathlib import Path

ARROWS = {
    "base": [],
    "json": ["base"],
    "table": ["base"],
    "model": ["table"],
    "parquet": ["table"],
    "http": ["base"],
    "pncp": ["model", "json"],
    "fetch": ["http", "pncp"],
    "lake": ["http", "json"],
    "day": ["parquet", "pncp", "lake"],
    "event": ["base"],
    "ingest": ["fetch", "day", "event"],
    "serve": ["day", "event"],
    "cli": ["ingest", "serve", "day"],
}

# Headers of other people's libraries, and the folder whose business they are. Everything else in <> is libc's.
LIBRARIES = {"yyjson.h": {"json"}, "carquet/": {"parquet"}, "zstd.h": {"parquet", "ingest"}, "zlib.h": {"parquet"}, "libdeflate.h": {"parquet"}, "curl/": {"http"}, "openssl/": {"lake"}, "event2/": {"serve"}}
SIM_LIBRARIES = {"yyjson.h", "event2/"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def reachable(folder):
    """Every folder that `folder` may include, itself too."""
    seen, todo = set(), [folder]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += ARROWS[name]
    return seen


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1] == "<", match[2]


def library(name):
    return next((prefix for prefix in LIBRARIES if name.startswith(prefix)), None)


def judge_src(folder, is_system, name):
    """What is wrong with this include in src/folder, or None."""
    if is_system:
        prefix = library(name)
        if prefix and folder not in LIBRARIES[prefix]:
            return f"<{name}> is for {', '.join(sorted(LIBRARIES[prefix]))}/ only"
        return None
    target, slash, _ = name.partition("/")
    if not slash:
        return f'write "{folder}/{name}": names of headers start at src/'
    if target not in ARROWS:
        return f"src/{target}/ is not in the table of tools/check_includes.py"
    if target not in reachable(folder):
        return f"{folder}/ may not use {target}/ (it may use {', '.join(sorted(reachable(folder) - {folder})) or 'nothing'})"
    if name.endswith("_int.h") and target != folder:
        return f"{name} is for {target}/ and its tests only"
    return None


def judge_sim(is_system, name):
    if is_system:
        prefix = library(name)
        return f"<{name}> is not for sim/" if prefix and prefix not in SIM_LIBRARIES else None
    return None if "/" not in name or name.startswith("base/") else "sim/ shares only base/ with the product"


def main():
    root, bad = Path(sys.argv[1]), 0
    for path in sorted([*root.glob("src/*/*.[ch]"), *root.glob("sim/*.[ch]")]):
        parts = path.relative_to(root).parts
        if parts[0] == "src" and parts[1] not in ARROWS:
            sys.exit(f"src/{parts[1]}/ is not in the table of tools/check_includes.py")
        for number, is_system, name in includes(path):
            wrong = judge_sim(is_system, name) if parts[0] == "sim" else judge_src(parts[1], is_system, name)
            if wrong:
                print(f"{'/'.join(parts)}:{number}: {wrong}")
                bad += 1
    return 1 if bad else 0


sys.exit(main())
