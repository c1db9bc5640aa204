"""DAGs run in this process by dag.test(), on either Airflow."""

from datetime import datetime, timedelta, timezone

from airflow import __version__

V3 = __version__.startswith("3")


def dag_bag(folder):
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:
        from airflow.models import DagBag
    return DagBag(str(folder))


def make_database(folder):
    """With the folder's DAGs and their assets in it."""
    from airflow.utils import db

    db.initdb()
    if not V3:  # there dag.test() does it
        dag_bag(folder).sync_to_db()


class Dags:
    """Runs DAGs of a folder. Each run parses it anew: dag.test() leaves its conf in the DAG's params."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, dag_id, day=None, conf=None, retries=0, pause=0, extra=None):
        """day: the logical date, YYYYMMDD; else the present one or none. Retries and slots follow each other at once.
        `extra`: flags of ingest_details."""
        dag = dag_bag(self.folder).dags[dag_id]
        for task in dag.tasks:
            task.retries, task.retry_delay, task.retry_exponential_backoff = retries, timedelta(seconds=0.1), False
            if hasattr(task, "poke_interval"):
                task.poke_interval = pause
            if extra is not None and task.task_id == "ingest_details":
                task.extra = extra
        name = "logical_date" if V3 else "execution_date"
        when = {name: datetime.strptime(day, "%Y%m%d").replace(tzinfo=timezone.utc)} if day else {}
        return Outcome(dag.test(**when, run_conf=conf))


class Outcome:
    """A DAG run that has ended."""

    def __init__(self, run):
        self.run, self.dag_id, self.run_id = run, run.dag_id, run.run_id
        self.state = str(getattr(run.state, "value", run.state))

    def task(self, task_id, map_index=-1):
        return self.run.get_task_instance(task_id, map_index=map_index)

    def task_state(self, task_id, map_index=-1):
        state = self.task(task_id, map_index).state
        return str(getattr(state, "value", state))

    def xcoms(self, task_id, map_index=-1):
        """All of them, by key."""
        if V3:
            from airflow.models.xcom import XComModel as XCom
        else:
            from airflow.models.xcom import XCom
        from airflow.utils.session import create_session

        with create_session() as session:
            rows = session.query(XCom).filter_by(dag_id=self.dag_id, run_id=self.run_id, task_id=task_id, map_index=map_index).all()
            return {row.key: XCom.deserialize_value(row) if V3 else row.value for row in rows}

    def summary(self, task_id="ingest_details", map_index=-1):
        return self.xcoms(task_id, map_index)["return_value"]


def asset_events() -> list:
    """(uri, extra) of every event there is."""
    from airflow.utils.session import create_session

    if V3:
        from airflow.models.asset import AssetEvent as Event
    else:
        from airflow.models.dataset import DatasetEvent as Event
    with create_session() as session:
        return [(event.uri if hasattr(event, "uri") else event.asset.uri, event.extra) for event in session.query(Event).order_by(Event.id)]
