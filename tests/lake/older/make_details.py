#!/usr/bin/env python3
"""How schema-N.parquet beside this came to be: the first half of a simulated day, saved by the program as it was then.

    make_details.py N           before the tables get version N + 1: schema-N.parquet, by build/release/pncp-details

A file is made once and stays: it is what a released program has left in somebody's lake. Its rows have keys in `extra` at
every level that the tables of version 1 did not name; test_older_schema.py makes columns of them.
"""

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "api")]

from program import DAY, details_path, run  # noqa: E402
from simulator import Simulator  # noqa: E402

DAY_OF = ("--day", DAY, "--count", 48, "--itens-max", 3, "--new-keys", "0.4", "--seed", 11)


def main(version):
    with tempfile.TemporaryDirectory() as lake, Simulator(*DAY_OF) as sim:
        run("--date", DAY, "--batch-size", 20, "--checkpoint-every", 10, lake=lake, sim=sim, exit=0)
        shutil.copyfile(details_path(lake), HERE / f"schema-{version}.parquet")


if __name__ == "__main__":
    main(int(sys.argv[1]))
