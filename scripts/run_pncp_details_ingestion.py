#!/usr/bin/env python3
"""pncp-details under its older name, for cron lines that call it: same flags, same exit status.

    run_pncp_details_ingestion.py --date 20251022 --batch-size 100 --checkpoint-every 50 --auto-resume

The program is PNCP_DETAILS_BINARY, else pncp-details in PATH. The lake is --lake or PNCP_LAKE.
"""

import os
import shutil
import sys

name = os.environ.get("PNCP_DETAILS_BINARY", "pncp-details")
binary = shutil.which(name)
if binary is None:
    sys.exit(f"{name} is not there: install pncp-details, or say where it is in PNCP_DETAILS_BINARY")
os.execv(binary, [binary, *sys.argv[1:]])
