"""Names that are served and mean something a little else here: one sentence each, by Airflow's own name."""

from collections.abc import Mapping

_AS_SEEN = "is what a body sees of it, and cannot query or change a database"
_NO_NONE = "is one enum with a word more, NONE"

DIFFERENCES: Mapping[str, str] = {
    "airflow:__version__": "says 3.3.2, the release whose names are served; no Airflow is installed",
    "airflow.models:DagRun": _AS_SEEN,
    "airflow.models.dagrun:DagRun": _AS_SEEN,
    "airflow.providers.common.sql.operators.sql:BaseSQLOperator": "has a SqlHook, not a hook of the connection's type",
    "airflow.providers.common.sql.operators.sql:SQLColumnCheckOperator": "asks one query for each check",
    "airflow.providers.http.hooks.http:HttpHook": (
        "has a time-out, sends its login to no other server, and refuses unknown extra_options"
    ),
    "airflow.providers.http.operators.http:HttpOperator": "refuses deferrable=True and retry_args: use retries",
    "airflow.providers.http.sensors.http:HttpSensor": "refuses deferrable=True: reschedule it",
    "airflow.providers.standard.operators.trigger_dagrun:TriggerDagRunOperator": (
        "holds no worker while it waits, is told of the end without poking, and does not wait for a run that it resets"
    ),
    "airflow.providers.standard.sensors.external_task:ExternalTaskMarker": "is for people: clearing follows it nowhere",
    "airflow.providers.standard.triggers.external_task:WorkflowTrigger": (
        "goes on waiting where failed_states are given and none of them has come"
    ),
    "airflow.sdk:Asset": "names data, and starts no run: events of assets are not recorded",
    "airflow.sdk:TaskInstance": _AS_SEEN,
    "airflow.sdk:TaskInstanceState": _NO_NONE,
    "airflow.exceptions:AirflowConfigException": "is a ValueError and no AirflowException: catch it by its name",
    "airflow.sdk:AssetAccessControl": "keeps nobody from the asset",
    "airflow.sdk:Metadata": "is read by nobody: events of assets are not recorded",
    "airflow.sdk:conf": (
        "reads the settings of this program, which gives its secrets to nobody; what is no setting here comes from "
        "AIRFLOW__SECTION__KEY or the fallback"
    ),
    "airflow.sdk.execution_time.xcom:XCom": "reads what tasks have left, and writes nothing",
    "airflow.sdk:get_parsing_context": "is always of all DAGs of the file",
    "airflow.sdk.exceptions:AirflowRuntimeError": (
        "is what a missing variable or connection raises: a LookupError without the code of an error"
    ),
    "airflow.sdk.exceptions:ParamValidationError": "is a ValueError and no AirflowException: catch it by its name",
    "airflow.sdk.exceptions:AirflowDagCycleException": "is raised when the file is parsed, and names the cycle",
    "airflow.sdk.exceptions:AirflowNotFoundException": "is a LookupError and no AirflowException: catch it by its name",
    "airflow.utils.types:DagRunType": "has the word asset_materialization, which no run here has",
}
"""Keyed by the name that the tables' other paths lead to."""

NEVER_RAISED = "is raised by nothing here: it is there to be raised and caught by name"
"""What is said of an exception that only Airflow itself raises."""

_OF_ASSETS = "is kept with the task: no event of an asset is recorded or read"
_UNSEEN = "is kept with the task, and shown nowhere"

SETTINGS: Mapping[str, str] = {
    "inlets": _OF_ASSETS,
    "outlets": _OF_ASSETS,
    "executor_config": "is kept with the task: no executor here reads it",
    "logger_name": "is kept with the task, whose log has one name",
    "resources": "is kept with the task: nothing reads it",
    **dict.fromkeys(("doc", "doc_json", "doc_rst", "doc_yaml"), _UNSEEN),
}
"""Settings of tasks that are taken and change nothing."""

DAG_SETTINGS: Mapping[str, str] = {
    "disable_bundle_versioning": "changes nothing: a run goes on with the code that it started with",
    "owner_links": "is kept with the DAG, and shown nowhere",
    "rerun_with_latest_version": (
        "changes nothing: `orchestrator tasks clear` takes the latest version, and with --same-version the run's own"
    ),
}
"""Settings of DAGs that are taken and change nothing."""

IN_EVERY_FILE = (
    "A new DAG is not paused: a dropped file runs.",
    "A side effect of a file that imports airflow and not orchestrator is only warned of as it is parsed, not refused.",
    "A run goes on with the code that it started with, also when the file changes meanwhile.",
    "A task that was running when the engine died is run again without using up a retry.",
)
"""What differs for a file whatever it imports."""
