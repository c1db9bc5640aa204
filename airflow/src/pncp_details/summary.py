"""One day's summary over all batches of a task: small, counts only, what goes into an XCom."""

import json
from typing import Any

SUMMARY_BYTES = 16 * 1024
REASONS = 50  # kinds of failure: the program has some twenty
ERROR_CHARACTERS = 1000

SUMS = ("saved", "renewed", "errors", "itens", "arquivos", "ausente", "vazio", "api_calls", "list_calls", "retries", "checkpoints",
        "values_out_of_type", "quantidade_differs", "seconds")
NEWEST = ("date", "complete", "listed", "listed_final", "remaining", "untried", "failed_due", "failed_waiting",
          "modalidades_failed", "spooled")


def day_of(summary: dict | None) -> dict | None:
    """The only day of a run's summary, with the run's id; None: the run came to none."""
    days = (summary or {}).get("days") or []
    return {**days[0], "run_id": summary["run_id"], "lake": summary["lake"]} if days else None


def total(days: list[dict], **more: Any) -> dict:
    """What the runs over one day did together, oldest first; the state is the newest one's. `more` is added."""
    result: dict[str, Any] = {"v": 1, **more, "batches": len(days)}
    if days:
        newest = days[-1]
        result.update({name: newest[name] for name in NEWEST if name in newest})
        result.update({name: sum(day.get(name, 0) for day in days) for name in SUMS})
        result["seconds"] = round(result["seconds"], 1)
        result["done"] = newest.get("done_before", 0) + newest.get("saved", 0)
        result["already_complete"] = all(day.get("already_complete", False) for day in days)
        result["became_complete"] = newest.get("complete", False) and not result["already_complete"]
        result["errors_by_reason"] = _reasons(days)
        checkpoints = [day["last_checkpoint"] for day in days if day.get("last_checkpoint")]
        if checkpoints:
            result["last_checkpoint"] = checkpoints[-1]
        if "error" in newest:
            result["error"] = str(newest["error"])[:ERROR_CHARACTERS]
        result["lake"], result["last_run_id"] = newest["lake"], newest["run_id"]
    size = len(json.dumps(result).encode())
    if size > SUMMARY_BYTES:
        raise ValueError(f"the summary has {size} bytes, more than {SUMMARY_BYTES}")
    return result


def _reasons(days: list[dict]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for day in days:
        for reason, count in day.get("errors_by_reason", {}).items():
            counts[reason] = counts.get(reason, 0) + count
    return dict(sorted(counts.items(), key=lambda entry: -entry[1])[:REASONS])


def work_is_left(day: dict) -> bool:
    """Could another batch do something now? What has failed and waits, or is not published yet, has to wait."""
    return day.get("untried", 0) + day.get("failed_due", 0) > 0
