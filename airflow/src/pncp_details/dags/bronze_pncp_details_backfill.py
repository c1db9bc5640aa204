"""A range of days, each as in the daily DAG: as many at once as the pool pncp_api has slots, one listing at a time.

    airflow dags trigger bronze_pncp_details_backfill --conf '{"from": "2025-10-01", "to": "2025-10-31", "batch_size": "auto"}'
"""

from datetime import datetime, timezone

from airflow.providers.common.compat.sdk import DAG, Param, task, task_group

from pncp_details import settings
from pncp_details.days import days_between
from pncp_details.operators import PncpDetailsCommandOperator, PncpDetailsOperator

with DAG(
    dag_id="bronze_pncp_details_backfill",
    schedule=None,
    start_date=datetime(2025, 10, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    params={
        "from": Param("2025-10-01", type="string", pattern="^([0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2})$", description="first day"),
        "to": Param("2025-10-01", type="string", pattern="^([0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2})$", description="last day, included"),
        **settings.size_params(),
        "input": Param(None, type=["null", "string"], description="contratações from files, {yyyy} {mm} {dd} filled in"),
    },
    default_args=settings.RETRIES,
    tags=["bronze", "pncp"],
    doc_md=__doc__,
) as dag:

    @task(pre_execute=settings.refuse_unknown_conf)
    def days(params=None):
        return days_between(params["from"], params["to"])

    @task_group
    def day(date):
        list_day = PncpDetailsCommandOperator(
            task_id="list_day",
            command="list",
            pool=settings.LISTING_POOL,
            date=date,
            only_final=True,
            unless="{{ 'the list comes from files' if params.input else '' }}",
            max_rate=settings.variable("list_rate"),
            **settings.everywhere(),
        )
        ingest_details = PncpDetailsOperator(
            task_id="ingest_details",
            pool=settings.DETAILS_POOL,
            date=date,
            batch_size=settings.setting("batch_size"),
            checkpoint_every=settings.setting("checkpoint_every", 50),
            input="{{ params.input or '' }}",
            max_duration=settings.variable("slot_time", "45m"),
            max_failed=settings.variable("max_failed", "0.5%"),
            max_rate=settings.rate_of_slot("max_rate"),
            extra=settings.variable("extra"),
            **settings.everywhere(),
        )

        @task(outlets=[settings.DETAILS], retries=2)
        def day_complete(summary, **context):
            settings.tell_complete(summary, context)

        list_day >> ingest_details
        day_complete(ingest_details.output)

    day.expand(date=days())
