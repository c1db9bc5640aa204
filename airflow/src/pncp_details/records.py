"""What earlier batches of a task did: the records that runs leave in the lake, as the program itself reads them."""

import datetime
import json
import math
import subprocess
from collections.abc import Mapping

from pncp_details.summary import day_of
from pncp_details.tool import find_binary

TIMEOUT_SECONDS = 300
HOURS_AT_MOST = 1100  # what --since takes


def read_days(lake: str, env: Mapping[str, str], scheduler_run_id: str, date: str, since: datetime.datetime,
              binary: str | None = None, unsafe_store: bool = False) -> list[dict]:
    """What the runs that `scheduler_run_id` started after `since` say about the day, oldest first. OSError: the records could
    not be read."""
    age = (datetime.datetime.now(datetime.timezone.utc) - since).total_seconds()
    seconds = min(max(math.ceil(age), 1), HOURS_AT_MOST * 3600)
    argv = [find_binary(binary), "runs", "--lake", lake, "--scheduler-run-id", scheduler_run_id, "--since", f"{seconds}s", "--json"]
    if unsafe_store:
        argv.append("--unsafe-store")
    try:
        answer = subprocess.run(argv, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise OSError(f"no answer within {TIMEOUT_SECONDS} s") from None
    if answer.returncode != 0:
        raise OSError(answer.stderr.decode("utf-8", "backslashreplace").strip() or f"exit {answer.returncode}")
    days = [day_of(record.get("summary")) for record in json.loads(answer.stdout)["runs"]]
    return [day for day in days if day and day["date"] == date]
