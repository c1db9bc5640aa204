"""Operators for Airflow 2.11 and 3.x, one file for both: what differs comes through providers.common.compat."""

import datetime
import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    BaseHook,
    BaseOperator,
    BaseSensorOperator,
    PokeReturnValue,
)

from pncp_details import tool
from pncp_details.days import day_of_run, is_final
from pncp_details.environment import connection_environment, environment
from pncp_details.records import read_days
from pncp_details.summary import SUMMARY_BYTES, day_of, total, work_is_left
from pncp_details.tool import SettingError, Tool, ToolError

XCOM_KEY = "return_value"
# Less of a slot than this share is not worth another batch.
LEAST_SHARE = 0.1
# Run ids begin with the time of the machine they ran on; the DAG run's start is another machine's.
CLOCKS_DIFFER = datetime.timedelta(hours=1)


class _Runs:
    """What the operators share: a run of the program with the Connection's credentials, exits turned into Airflow's."""

    lake: str | None
    binary: str | None
    aws_conn_id: str | None
    env: Mapping[str, str]
    log: logging.Logger
    _tool: Tool | None = None

    def _environment(self, context: Any) -> dict[str, str]:
        conn_id = None if tool.missing(self.aws_conn_id) else self.aws_conn_id
        store = connection_environment(BaseHook.get_connection(conn_id)) if conn_id else None
        return environment(_scheduler_run_id(context), store, self.env)

    def _run(self, argv: list[str], env: Mapping[str, str]) -> tool.Result:
        self._tool = Tool(argv, env)
        return self._tool.run(self.log)

    def on_kill(self) -> None:
        if self._tool is not None:
            self._tool.stop(self.log)


def _scheduler_run_id(context: Any) -> str:
    """In the run records: who started a run."""
    return f"{context['dag_run'].dag_id}/{context['dag_run'].run_id}/{context['ti'].task_id}"


def _airflow_exception(error: Exception) -> Exception:
    """Exit 1 and 2, and settings that cannot be, fail at once; all else is tried again."""
    if isinstance(error, ToolError) and error.retry:
        return AirflowException(str(error))
    return AirflowFailException(str(error))


class PncpDetailsOperator(_Runs, BaseSensorOperator):
    """Fetch a day's details into the lake, batch by batch, until the day is complete or nothing more can be done now.

    The only XCom is the summary over all batches of the task, pushed under ``return_value`` whatever the outcome.
    Exit 0 of the program is success, 1 and 2 fail at once, 3, 75 and signals are tried again (`retries`).

    A sensor in reschedule mode: after `max_duration` (the slot time) with work left the task gives its worker slot
    back (state up_for_reschedule) and goes on `poke_interval` seconds later. That costs no retry.

    :param date: YYYYMMDD, YYYY-MM-DD, today, yesterday or a date; empty: the DAG run's day (pncp_details.days).
    :param lake: folder or s3://bucket[/prefix]; else PNCP_LAKE of the worker. Required.
    :param batch_size: contratações a run of the program, a number or auto; empty: all at once.
    :param checkpoint_every: contratações a checkpoint, a number or auto.
    :param max_contratacoes: only the first so many of the day's list.
    :param auto_resume: False: the whole day again, in one run.
    :param input: contratações from files instead of the listing.
    :param max_duration: the slot time, such as 45m; empty: no end.
    :param max_failed: so many failed contratações (number or share, 0.5%) are a success with a warning.
    :param max_rate: requests a second, per API.
    :param aws_conn_id: Connection with the bucket's address and key pair; else the worker's own environment.
    :param extra: further flags of the program, as words or as a text.
    :param env: further environment of the program.
    :param binary: the program; else PNCP_DETAILS_BINARY, else pncp-details in PATH.
    """

    template_fields: Sequence[str] = (
        "date", "lake", "batch_size", "checkpoint_every", "max_contratacoes", "auto_resume", "input", "max_duration",
        "max_failed", "max_rate", "aws_conn_id", "extra", "env",
    )
    ui_color = "#cfe8d5"

    def __init__(self, *, date: Any = None, lake: str | None = None, batch_size: int | str | None = None,
                 checkpoint_every: int | str | None = None, max_contratacoes: int | str | None = None,
                 auto_resume: bool | str = True, input: str | None = None, max_duration: str | None = None,
                 max_failed: int | str | None = None, max_rate: int | str | None = None, aws_conn_id: str | None = None,
                 extra: str | Sequence[str] = (), env: Mapping[str, str] | None = None, binary: str | None = None,
                 poke_interval: float = 60, **kwargs: Any) -> None:
        super().__init__(mode="reschedule", poke_interval=poke_interval, **kwargs)
        self.date, self.lake, self.binary = date, lake, binary
        self.batch_size, self.checkpoint_every, self.max_contratacoes = batch_size, checkpoint_every, max_contratacoes
        self.auto_resume, self.input, self.max_duration = auto_resume, input, max_duration
        self.max_failed, self.max_rate = max_failed, max_rate
        self.aws_conn_id, self.extra, self.env = aws_conn_id, extra, dict(env or {})

    def poke(self, context: Any) -> PokeReturnValue:
        """One slot. True with the summary: done for now; False: the slot time is over, there is work left."""
        try:
            done, summary = self._work(context)
        except (SettingError, ToolError) as error:
            summary = getattr(error, "summary", None)
            context["ti"].xcom_push(key=XCOM_KEY, value=summary or {"v": 1, "batches": 0, "error": str(error)})
            raise _airflow_exception(error) from error
        if not done:
            context["ti"].xcom_push(key=XCOM_KEY, value=summary)
            self.log.info("the slot time is over, %d contratacoes remain; the task goes on in %g s", summary["remaining"], self.poke_interval)
        return PokeReturnValue(done, summary)

    def _work(self, context: Any) -> tuple[bool, dict]:
        date = tool.day_text(day_of_run(context["dag_run"]) if tool.missing(self.date) else self.date)
        batched = not tool.missing(self.batch_size)
        slot = None if tool.missing(self.max_duration) else tool.seconds_of(self.max_duration)
        until = None if slot is None else time.monotonic() + slot
        env, days = self._environment(context), []
        while True:
            left = None if until is None else max(1, round(until - time.monotonic()))
            result = self._run(self._argv(date, left), env)
            day = day_of(result.summary)
            if day:
                date = day["date"]  # that of yesterday, at the first batch
                days.append(day)
            # Exit 3 with untried contratações left: they come first, what failed is not due yet.
            go_on = day is not None and (result.code == 0 or (result.code == 3 and batched)) and work_is_left(day)
            if until is None and not batched:
                go_on = False
            came_to_nothing = day is not None and not any(day[name] for name in ("saved", "renewed", "errors", "list_calls"))
            if go_on and came_to_nothing and len(days) == 1:
                raise ToolError("a batch has come to nothing although there is work left", 75, True, self._total(context, days, result, env))
            if go_on and (until is None or until - time.monotonic() > LEAST_SHARE * slot):
                continue
            summary = self._total(context, days, result, env)
            if go_on:
                return False, summary
            tool.raise_for(result, summary)
            self._warn(summary)
            return True, summary

    def _argv(self, date: str, left: int | None) -> list[str]:
        return tool.command_line(
            "ingest", date=date, lake=self.lake, binary=self.binary, auto_resume=self.auto_resume, extra=self.extra,
            batch_size=self.batch_size, checkpoint_every=self.checkpoint_every, max_contratacoes=self.max_contratacoes,
            input=self.input, max_failed=self.max_failed, max_rate=self.max_rate, max_duration=None if left is None else f"{left}s")

    def _total(self, context: Any, days: list[dict], result: tool.Result, env: Mapping[str, str]) -> dict:
        """Over all batches of this task: those of earlier slots and tries are in the lake's run records."""
        more = {"exit_code": result.code, "scheduler_run_id": _scheduler_run_id(context)}
        if not days:
            return total([], error=result.last_error, **more)
        began = context["dag_run"].start_date or datetime.datetime.now(datetime.timezone.utc)
        earlier = []
        try:
            earlier = read_days(days[0]["lake"], env, more["scheduler_run_id"], days[0]["date"], began - CLOCKS_DIFFER,
                                self.binary, "--unsafe-store" in result.argv)
        except (OSError, ValueError) as error:
            self.log.warning("the run records cannot be read (%s): the summary counts only the batches of this slot", error)
            more["counts_of"] = "slot"
        here = {day["run_id"] for day in days}
        return total([day for day in earlier if day["run_id"] not in here] + days, **more)

    def _warn(self, summary: dict) -> None:
        failed = summary.get("failed_due", 0) + summary.get("failed_waiting", 0)
        if failed:
            self.log.warning("%d of %d contratacoes could not be fetched: %s. They are asked again when they are due; the day is not complete until then",
                             failed, summary["listed"], summary["errors_by_reason"] or "see falhas")


class PncpDetailsCommandOperator(_Runs, BaseOperator):
    """Another command of the program over a day: list, retry, verify, compact, adopt, status. The JSON object that it prints
    is the only XCom; exits as with PncpDetailsOperator.

    :param command: the command.
    :param only_final: do nothing while the day is not over for three hours: the list of an open day serves one run only.
    :param unless: templated; do nothing when it is not empty.
    Further parameters: those of PncpDetailsOperator that the command has.
    """

    template_fields: Sequence[str] = ("date", "lake", "max_failed", "max_rate", "max_duration", "aws_conn_id", "extra", "env", "unless")
    ui_color = "#e3e9f5"

    def __init__(self, *, command: str, date: Any = None, lake: str | None = None, max_failed: int | str | None = None,
                 max_rate: int | str | None = None, max_duration: str | None = None, aws_conn_id: str | None = None,
                 extra: str | Sequence[str] = (), env: Mapping[str, str] | None = None, binary: str | None = None,
                 only_final: bool = False, unless: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.command, self.date, self.lake, self.binary = command, date, lake, binary
        self.max_failed, self.max_rate, self.max_duration = max_failed, max_rate, max_duration
        self.aws_conn_id, self.extra, self.env = aws_conn_id, extra, dict(env or {})
        self.only_final, self.unless = only_final, unless

    def execute(self, context: Any) -> dict | None:
        answer = None
        try:
            date = tool.day_text(day_of_run(context["dag_run"]) if tool.missing(self.date) else self.date)
            if not tool.missing(self.unless):
                self.log.info("nothing to do: %s", self.unless)
                return None
            if self.only_final and not is_final(date):
                self.log.info("%s is not over yet: nothing to do", date)
                return None
            argv = tool.command_line(
                self.command, date=date, lake=self.lake, binary=self.binary, extra=self.extra, max_failed=self.max_failed,
                max_rate=self.max_rate, max_duration=self.max_duration)
            result = self._run(argv, self._environment(context))
            answer = result.summary
            if len(json.dumps(answer)) > SUMMARY_BYTES:
                answer = {"v": 1, "exit_code": result.code, "error": f"what {self.command} printed is too large for an XCom"}
            tool.raise_for(result, answer)
        except (SettingError, ToolError) as error:
            context["ti"].xcom_push(key=XCOM_KEY, value=answer or {"v": 1, "error": str(error)})
            raise _airflow_exception(error) from error
        return answer
