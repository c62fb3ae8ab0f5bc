"""What Airflow 3 itself has no more: by module, or ``module:name``, what took its place."""

from collections.abc import Mapping

_STANDARD = "airflow.providers.standard.operators"

GONE: Mapping[str, str] = {
    "airflow.contrib": "the provider that took over what it had",
    "airflow.executors.celery_executor": "the setting [core] executor",
    "airflow.models.taskfail": "the history of the run, with `orchestrator runs history`",
    "airflow.operators.bash_operator": f"{_STANDARD}.bash.BashOperator",
    "airflow.operators.branch_operator": "airflow.sdk.BaseBranchOperator",
    "airflow.operators.dagrun_operator": f"{_STANDARD}.trigger_dagrun.TriggerDagRunOperator",
    "airflow.operators.dummy": f"{_STANDARD}.empty.EmptyOperator",
    "airflow.operators.dummy_operator": f"{_STANDARD}.empty.EmptyOperator",
    "airflow.operators.email_operator": "the provider smtp",
    "airflow.operators.latest_only_operator": f"{_STANDARD}.latest_only.LatestOnlyOperator",
    "airflow.operators.python_operator": f"{_STANDARD}.python.PythonOperator",
    "airflow.operators.subdag": "airflow.sdk.TaskGroup",
    "airflow.operators.subdag_operator": "airflow.sdk.TaskGroup",
    "airflow.operators.trigger_dag": f"{_STANDARD}.trigger_dagrun.TriggerDagRunOperator",
    "airflow.sensors.base_sensor_operator": "airflow.sdk.BaseSensorOperator",
    "airflow.sensors.date_time_sensor": "airflow.providers.standard.sensors.date_time",
    "airflow.sensors.external_task_sensor": "airflow.providers.standard.sensors.external_task",
    "airflow.sensors.python_sensor": "airflow.providers.standard.sensors.python",
    "airflow.sensors.smart_sensor": "deferrable sensors",
    "airflow.sensors.sql": "the provider common.sql",
    "airflow.sensors.sql_sensor": "the provider common.sql",
    "airflow.sensors.time_delta_sensor": "airflow.providers.standard.sensors.time_delta",
    "airflow.sensors.weekday_sensor": "airflow.providers.standard.sensors.weekday",
    "airflow.subdag": "airflow.sdk.TaskGroup",
    "airflow.utils.dates:days_ago": "a fixed date, such as pendulum.datetime(2026, 1, 1)",
    "airflow.utils.dates:date_range": "pendulum.interval(start, end).range('days')",
    "airflow.utils.dates:round_time": "pendulum.DateTime.start_of",
    "airflow.utils.dates:parse_execution_date": "pendulum.parse",
    "airflow.utils.decorators:apply_defaults": "nothing: default_args apply to every operator",
    "airflow.utils.helpers:chain": "airflow.sdk.chain",
    "airflow.utils.helpers:cross_downstream": "airflow.sdk.cross_downstream",
    "airflow.utils.log.logging_mixin:create_session": "nothing: tasks have no access to the database",
    "airflow.www": "the REST API",
}
