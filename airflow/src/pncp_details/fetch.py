"""The call that pipelines have: one run over one day."""

import datetime
import logging
from typing import Any

from pncp_details.environment import environment
from pncp_details.summary import day_of, total
from pncp_details.tool import Tool, command_line, raise_for

log = logging.getLogger("pncp_details")


def fetch_details_for_date(execution_date: str | datetime.date, batch_size: int | str | None = None, auto_resume: bool = True,
                           checkpoint_every: int | str = 50, *, lake: str | None = None, binary: str | None = None,
                           extra: str | list[str] = (), **settings: Any) -> dict:
    """Fetch the details of a day's contratações and return the summary (docs/AIRFLOW.md, "The summary").

    execution_date: a day: text, date or datetime (its own calendar day). lake: else PNCP_LAKE.
    settings: max_contratacoes, max_duration, max_failed, max_rate, input; extra: further flags.
    Raises ToolError (exit 1, 2, 3, 75, a signal: .code, .retry, .summary) and SettingError (nothing was started).
    """
    argv = command_line("ingest", date=execution_date, lake=lake, binary=binary, auto_resume=auto_resume, extra=extra,
                        batch_size=batch_size, checkpoint_every=checkpoint_every, **settings)
    result = Tool(argv, environment()).run(log)
    day = day_of(result.summary)
    summary = total([day] if day else [], exit_code=result.code)
    raise_for(result, summary)
    return summary
