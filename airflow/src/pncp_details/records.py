"""The run records of a lake (pncp_details/_state/execucoes/<run id>.json): what earlier batches of a task did."""

import datetime
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pncp_details.s3_reader import S3Reader
from pncp_details.summary import day_of

FOLDER = "pncp_details/_state/execucoes"


def read_days(lake: str, env: Mapping[str, str], scheduler_run_id: str, date: str, since: datetime.datetime) -> list[dict]:
    """What the runs that `scheduler_run_id` started after `since` say about the day, oldest first. `env` is that of the
    program. OSError: the lake cannot be read from here."""
    first = f"{since.astimezone(datetime.timezone.utc):%Y%m%dT%H%M%SZ}"
    records = _from_bucket(lake, env, first) if lake.startswith("s3://") else _from_folder(Path(lake), first)
    days = []
    for record in records:
        if record.get("scheduler_run_id") == scheduler_run_id:
            day = day_of(record.get("summary"))
            if day and day["date"] == date:
                days.append(day)
    return days


def _from_folder(lake: Path, first: str) -> Iterator[dict]:
    folder = lake / FOLDER
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for name in names:
        if name.endswith(".json") and name >= first:
            yield json.loads((folder / name).read_bytes())


def _from_bucket(lake: str, env: Mapping[str, str], first: str) -> Iterator[dict]:
    bucket, _, prefix = lake.removeprefix("s3://").partition("/")
    folder = "/".join(part for part in (prefix.strip("/"), FOLDER) if part)
    reader = S3Reader(bucket or env.get("BUCKET_BRONZE", ""), env)
    for key in reader.keys(f"{folder}/", start_after=f"{folder}/{first}"):
        yield json.loads(reader.get(key))
