"""What comes after a day's ingestion: of the last seven days, those that the lake has are asked again for what is due, put
into large row groups and verified.
"""

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG, Param, task, task_group
from airflow.timetables.interval import CronDataIntervalTimetable

from pncp_details import settings
from pncp_details.days import last_days
from pncp_details.operators import PncpDetailsCommandOperator

with DAG(
    dag_id="bronze_pncp_details_maintenance",
    schedule=CronDataIntervalTimetable("30 12 * * *", timezone="UTC"),
    start_date=datetime(2025, 10, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    params={"days": Param(7, type="integer", minimum=1, maximum=14, description="so many days until yesterday")},
    user_defined_macros={"last_days": last_days},
    default_args=settings.RETRIES,
    tags=["bronze", "pncp"],
    doc_md=__doc__,
) as dag:
    status = PncpDetailsCommandOperator(
        task_id="status",
        command="status",
        date="{{ last_days(params.days) }}",
        pre_execute=settings.refuse_unknown_conf,
        **settings.everywhere(),
    )

    @task
    def days(status):
        return [day["date"] for day in status.get("days", [status]) if day["done"] > 0]

    @task_group
    def day(date):
        retry = PncpDetailsCommandOperator(
            task_id="retry",
            command="retry",
            pool=settings.DETAILS_POOL,
            date=date,
            max_failed=settings.variable("max_failed", "0.5%"),
            max_rate=settings.rate_of_slot("max_rate"),
            max_duration=settings.variable("slot_time", "45m"),
            extra=settings.variable("extra"),
            **settings.everywhere(),
        )
        compact = PncpDetailsCommandOperator(task_id="compact", command="compact", date=date, **settings.everywhere())
        verify = PncpDetailsCommandOperator(task_id="verify", command="verify", date=date, **settings.everywhere())
        retry >> compact >> verify

    day.expand(date=days(status.output))
