"""Which day a DAG run means. A publication day runs on the Brasília clock, which has been UTC-3 all year since 2019."""

import datetime
from typing import Any

BRASILIA = datetime.timezone(datetime.timedelta(hours=-3), "Brasília")
FINAL_AFTER = datetime.timedelta(hours=3)  # the program's --final-after
DAYS_AT_MOST = 3660  # the program's limit for a range


def today(now: datetime.datetime | None = None) -> datetime.date:
    return (now or datetime.datetime.now(datetime.timezone.utc)).astimezone(BRASILIA).date()


def day_of_run(dag_run: Any) -> datetime.date:
    """The logical date's day, as a schedule or a backfill means it. A manual run whose logical date is a bare date
    (midnight) means that one too; any other means yesterday, seen from its trigger, so that a retry means the same day."""
    logical = dag_run.logical_date
    kind = str(getattr(dag_run.run_type, "value", dag_run.run_type))
    if logical is not None:
        logical = logical.astimezone(datetime.timezone.utc)
        if kind in ("scheduled", "backfill") or logical.time() == datetime.time():
            return logical.date()
    return today(logical or dag_run.run_after) - datetime.timedelta(days=1)


def is_final(day: str, now: datetime.datetime | None = None) -> bool:
    """Is the day (YYYYMMDD, today, yesterday) over for three hours?"""
    now = now or datetime.datetime.now(datetime.timezone.utc)
    if day in ("today", "yesterday"):
        day = f"{today(now) - datetime.timedelta(days=day == 'yesterday'):%Y%m%d}"
    over = datetime.datetime.strptime(day, "%Y%m%d").replace(tzinfo=BRASILIA) + datetime.timedelta(days=1)
    return now >= over + FINAL_AFTER


def last_days(count: int) -> str:
    """The range of so many days until yesterday."""
    end = today() - datetime.timedelta(days=1)
    return f"{end - datetime.timedelta(days=int(count) - 1):%Y%m%d}..{end:%Y%m%d}"


def days_between(first: str, last: str) -> list[str]:
    """YYYY-MM-DD or YYYYMMDD, both included -> YYYYMMDD."""
    start, end = (datetime.date.fromisoformat(text) for text in (_iso(first), _iso(last)))
    count = (end - start).days + 1
    if not 1 <= count <= DAYS_AT_MOST:
        raise ValueError(f"from {first} to {last} is no range of 1 to {DAYS_AT_MOST} days")
    return [f"{start + datetime.timedelta(days=n):%Y%m%d}" for n in range(count)]


def _iso(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 else text
