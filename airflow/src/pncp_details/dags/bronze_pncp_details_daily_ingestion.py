"""Each day the details of the day before, at 03:15 in Brasília, when it is final.

    airflow dags trigger bronze_pncp_details_daily_ingestion --conf '{"date": "2025-10-22", "batch_size": 100, "checkpoint_every": 50}'

conf over Variable (pncp_details_batch_size, pncp_details_checkpoint_every, …) over default. docs/AIRFLOW.md has all of them.
"""

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG, task
from airflow.timetables.interval import CronDataIntervalTimetable

from pncp_details import settings
from pncp_details.operators import PncpDetailsCommandOperator, PncpDetailsOperator

with DAG(
    dag_id="bronze_pncp_details_daily_ingestion",
    # Not a bare cron text: Airflow 3 would take the time of the trigger for the logical date, Airflow 2 the day before.
    schedule=CronDataIntervalTimetable("15 6 * * *", timezone="UTC"),
    start_date=datetime(2025, 10, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=4,
    params=settings.day_params(),
    default_args=settings.RETRIES,
    tags=["bronze", "pncp"],
    doc_md=__doc__,
) as dag:
    list_day = PncpDetailsCommandOperator(
        task_id="list_day",
        command="list",
        pool=settings.LISTING_POOL,
        date="{{ params.date or '' }}",
        only_final=True,
        unless="{{ 'the list comes from files' if params.input else 'listing stops early' if params.max_contratacoes else '' }}",
        max_rate=settings.variable("list_rate"),
        pre_execute=settings.refuse_unknown_conf,
        **settings.everywhere(),
    )
    ingest_details = PncpDetailsOperator(
        task_id="ingest_details",
        pool=settings.DETAILS_POOL,
        date="{{ params.date or '' }}",
        # A whole day again is one run: the Variable is not meant for it.
        batch_size="{% if params.auto_resume or params.batch_size %}" + settings.setting("batch_size") + "{% endif %}",
        checkpoint_every=settings.setting("checkpoint_every", 50),
        max_contratacoes="{{ params.max_contratacoes or '' }}",
        auto_resume="{{ params.auto_resume }}",
        input="{{ params.input or '' }}",
        max_duration="{{ var.value.get('pncp_details_slot_time', '45m') if params.auto_resume else '' }}",
        max_failed=settings.variable("max_failed", "0.5%"),
        max_rate=settings.rate_of_slot("max_rate"),
        extra=settings.variable("extra"),
        pre_execute=settings.refuse_unknown_conf,
        **settings.everywhere(),
    )

    @task(outlets=[settings.DETAILS], retries=2)
    def day_complete(summary, **context):
        settings.tell_complete(summary, context)

    list_day >> ingest_details
    day_complete(ingest_details.output)
