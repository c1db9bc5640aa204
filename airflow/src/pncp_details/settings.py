"""What the DAGs share: params, and settings as text of templates, so that nothing is read when a DAG file is parsed."""

import datetime
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, Asset, Param

# A name that readers agree on, wherever the lake is. It is updated once a day's data is complete, its extra says which day.
DETAILS = Asset("s3://lh-bronze/pncp_details")
DETAILS_POOL = "pncp_api"
LISTING_POOL = "pncp_listing"

RETRIES = {
    "retries": 5,
    "retry_delay": datetime.timedelta(minutes=10),  # what has failed is due again after that
    "retry_exponential_backoff": True,
    "max_retry_delay": datetime.timedelta(hours=2),
}

SIZE = {"type": ["null", "integer", "string"], "minimum": 1, "pattern": "^(auto|[1-9][0-9]*)$"}
DAY = {"type": ["null", "string"], "pattern": "^([0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}|today|yesterday)$"}


def day_params() -> dict[str, Param]:
    """Of a DAG about one day. Each is empty unless conf gives it."""
    return {
        "date": Param(None, description="publication day, 2025-10-22 or 20251022; empty: the run's own", **DAY),
        **size_params(),
        "max_contratacoes": Param(None, type=["null", "integer"], minimum=1, description="only the first so many of the day's list"),
        "auto_resume": Param(True, type="boolean", description="false: fetch the whole day again"),
        "input": Param(None, type=["null", "string"], description="contratações from files, {yyyy} {mm} {dd} filled in"),
    }


def size_params() -> dict[str, Param]:
    return {
        "batch_size": Param(None, description="contratações a batch, a number or auto", **SIZE),
        "checkpoint_every": Param(None, description="contratações a checkpoint, a number or auto", **SIZE),
    }


def variable(name: str, default: Any = "") -> str:
    """Variable pncp_details_NAME, else the default."""
    return "{{ var.value.get('pncp_details_%s', '%s') }}" % (name, default)


def setting(name: str, default: Any = "") -> str:
    """conf over Variable over default."""
    return "{{ params.%s if params.%s is not none else var.value.get('pncp_details_%s', '%s') }}" % (name, name, name, default)


def everywhere() -> dict[str, str]:
    """Settings that every run of the program has."""
    return {"lake": variable("lake"), "aws_conn_id": variable("aws_conn_id")}


def rate_of_slot(name: str) -> str:
    """The requests a second that all runs of a pool may make together, shared out among its slots (rounded down, 1 at
    least)."""
    return ("{%% set all = var.value.get('pncp_details_%s', '') %%}"
            "{{ [1, all | int // var.value.get('pncp_details_pool_slots', '4') | int] | max if all else '' }}" % name)


def refuse_unknown_conf(context: Any) -> None:
    """pre_execute: a misspelt key of conf must not be passed over in silence."""
    known, given = set(context["dag"].params), set(context["dag_run"].conf or {})
    if given - known:
        raise AirflowFailException(f"conf has {', '.join(sorted(given - known))}, which this DAG does not know; it knows {', '.join(sorted(known))}")


def tell_complete(summary: dict | None, context: Any) -> None:
    """For a task with the outlet DETAILS: its event goes out when this run made the day complete, else it is skipped."""
    if not (summary or {}).get("became_complete"):
        raise AirflowSkipException("the day is not complete yet, or was so before")
    context["outlet_events"][DETAILS].extra = {name: summary[name] for name in ("date", "lake", "done", "itens", "arquivos")}
