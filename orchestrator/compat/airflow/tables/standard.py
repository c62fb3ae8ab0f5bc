"""``airflow.providers.standard``: the operators, sensors and triggers that come with Airflow."""

from orchestrator.compat.airflow.entries import Table
from orchestrator.compat.airflow.features import (
    DECORATORS,
    DEFERRAL,
    ENVIRONMENTS,
    HOOKS,
    LINKS,
)

_EXCEPTIONS = "orchestrator.compat.airflow.exceptions"

STANDARD: Table = {
    "airflow.providers.standard": {},
    "airflow.providers.standard.decorators": {},
    "airflow.providers.standard.decorators.bash": {
        "bash_task": DECORATORS,
    },
    "airflow.providers.standard.decorators.branch_external_python": {
        "branch_external_python_task": DECORATORS,
    },
    "airflow.providers.standard.decorators.branch_python": {
        "branch_task": DECORATORS,
    },
    "airflow.providers.standard.decorators.branch_virtualenv": {
        "branch_virtualenv_task": DECORATORS,
    },
    "airflow.providers.standard.decorators.external_python": {
        "external_python_task": DECORATORS,
    },
    "airflow.providers.standard.decorators.python": {
        "python_task": DECORATORS,
    },
    "airflow.providers.standard.decorators.python_virtualenv": {
        "virtualenv_task": DECORATORS,
    },
    "airflow.providers.standard.decorators.sensor": {
        "DecoratedSensorOperator": DECORATORS,
        "sensor_task": DECORATORS,
    },
    "airflow.providers.standard.decorators.short_circuit": {
        "short_circuit_task": DECORATORS,
    },
    "airflow.providers.standard.decorators.stub": {
        "stub": DECORATORS,
    },
    "airflow.providers.standard.exceptions": {
        "AirflowExternalTaskSensorException": "orchestrator.exceptions:AirflowExternalTaskSensorException",
        "DuplicateStateError": f"{_EXCEPTIONS}:DuplicateStateError",
        "ExternalDagDeletedError": f"{_EXCEPTIONS}:ExternalDagDeletedError",
        "ExternalDagFailedError": "orchestrator.exceptions:ExternalDagFailedError",
        "ExternalDagNotFoundError": "orchestrator.exceptions:ExternalDagNotFoundError",
        "ExternalTaskFailedError": "orchestrator.exceptions:ExternalTaskFailedError",
        "ExternalTaskGroupFailedError": "orchestrator.exceptions:ExternalTaskGroupFailedError",
        "ExternalTaskGroupNotFoundError": "orchestrator.exceptions:ExternalTaskGroupNotFoundError",
        "ExternalTaskNotFoundError": "orchestrator.exceptions:ExternalTaskNotFoundError",
        "HITLRejectException": "orchestrator.exceptions:HITLRejectException",
        "HITLTimeoutError": "orchestrator.exceptions:HITLTimeoutError",
        "HITLTriggerEventError": "orchestrator.exceptions:HITLTriggerEventError",
    },
    "airflow.providers.standard.hooks": {},
    "airflow.providers.standard.hooks.filesystem": {
        "FSHook": HOOKS,
    },
    "airflow.providers.standard.hooks.package_index": {
        "PackageIndexHook": HOOKS,
    },
    "airflow.providers.standard.hooks.subprocess": {
        "SubprocessHook": HOOKS,
        "SubprocessResult": HOOKS,
        "working_directory": HOOKS,
    },
    "airflow.providers.standard.operators": {},
    "airflow.providers.standard.operators.bash": {
        "BashOperator": "orchestrator.operators:BashOperator",
    },
    "airflow.providers.standard.operators.branch": {
        "BaseBranchOperator": "airflow.sdk:BaseBranchOperator",
        "BranchMixIn": "airflow.sdk:BranchMixIn",
    },
    "airflow.providers.standard.operators.datetime": {
        "BranchDateTimeOperator": "orchestrator.operators.datetime:BranchDateTimeOperator",
        "target_times_as_dates": "orchestrator.operators.datetime:target_times_as_dates",
    },
    "airflow.providers.standard.operators.empty": {
        "EmptyOperator": "orchestrator.operators:EmptyOperator",
    },
    "airflow.providers.standard.operators.hitl": {
        "ApprovalOperator": "orchestrator.operators.hitl:ApprovalOperator",
        "HITLBranchOperator": "orchestrator.operators.hitl:HITLBranchOperator",
        "HITLEntryOperator": "orchestrator.operators.hitl:HITLEntryOperator",
        "HITLOperator": "orchestrator.operators.hitl:HITLOperator",
    },
    "airflow.providers.standard.operators.latest_only": {
        "LatestOnlyOperator": "orchestrator.operators.latest_only:LatestOnlyOperator",
    },
    "airflow.providers.standard.operators.python": {
        "BranchExternalPythonOperator": "orchestrator.operators.python:BranchExternalPythonOperator",
        "BranchPythonOperator": "orchestrator.operators:BranchPythonOperator",
        "BranchPythonVirtualenvOperator": "orchestrator.operators.python:BranchPythonVirtualenvOperator",
        "ExternalPythonOperator": "orchestrator.operators.python:ExternalPythonOperator",
        "PythonOperator": "orchestrator.operators:PythonOperator",
        "PythonVirtualenvOperator": "orchestrator.operators.python:PythonVirtualenvOperator",
        "ShortCircuitOperator": "orchestrator.operators:ShortCircuitOperator",
        "get_current_context": "airflow.sdk:get_current_context",
    },
    "airflow.providers.standard.operators.smooth": {
        "SmoothOperator": "orchestrator.operators.smooth:SmoothOperator",
    },
    "airflow.providers.standard.operators.trigger_dagrun": {
        "DagIsPaused": f"{_EXCEPTIONS}:DagIsPaused",
        "TriggerDagRunLink": LINKS,
        "TriggerDagRunOperator": "orchestrator.operators.trigger_dagrun:TriggerDagRunOperator",
        "XCOM_LOGICAL_DATE_ISO": "orchestrator.operators.trigger_dagrun:XCOM_LOGICAL_DATE_ISO",
        "XCOM_RUN_ID": "orchestrator.operators.trigger_dagrun:XCOM_RUN_ID",
    },
    "airflow.providers.standard.operators.weekday": {
        "BranchDayOfWeekOperator": "orchestrator.operators.weekday:BranchDayOfWeekOperator",
    },
    "airflow.providers.standard.sensors": {},
    "airflow.providers.standard.sensors.bash": {
        "BashSensor": "orchestrator.sensors.bash:BashSensor",
    },
    "airflow.providers.standard.sensors.date_time": {
        "DateTimeSensor": "orchestrator.sensors.date_time:DateTimeSensor",
        "DateTimeSensorAsync": "orchestrator.sensors.date_time:DateTimeSensorAsync",
    },
    "airflow.providers.standard.sensors.external_task": {
        "ExternalDagLink": LINKS,
        "ExternalTaskMarker": "orchestrator.sensors.external_task:ExternalTaskMarker",
        "ExternalTaskSensor": "orchestrator.sensors.external_task:ExternalTaskSensor",
    },
    "airflow.providers.standard.sensors.filesystem": {
        "FileSensor": "orchestrator.sensors.filesystem:FileSensor",
    },
    "airflow.providers.standard.sensors.python": {
        "PythonSensor": "orchestrator.sensors.python:PythonSensor",
    },
    "airflow.providers.standard.sensors.time": {
        "TimeSensor": "orchestrator.sensors.time:TimeSensor",
        "TimeSensorAsync": "orchestrator.sensors.time:TimeSensorAsync",
    },
    "airflow.providers.standard.sensors.time_delta": {
        "TimeDeltaSensor": "orchestrator.sensors.time_delta:TimeDeltaSensor",
        "TimeDeltaSensorAsync": "orchestrator.sensors.time_delta:TimeDeltaSensorAsync",
        "WaitSensor": "orchestrator.sensors.time_delta:WaitSensor",
    },
    "airflow.providers.standard.sensors.weekday": {
        "DayOfWeekSensor": "orchestrator.sensors.weekday:DayOfWeekSensor",
    },
    "airflow.providers.standard.triggers": {},
    "airflow.providers.standard.triggers.external_task": {
        "DagStateTrigger": "orchestrator.triggers.external_task:DagStateTrigger",
        "WorkflowTrigger": "orchestrator.triggers.external_task:WorkflowTrigger",
    },
    "airflow.providers.standard.triggers.file": {
        "DirectoryFileDeleteTrigger": DEFERRAL,
        "FileDeleteTrigger": DEFERRAL,
        "FileTrigger": "orchestrator.triggers.file:FileTrigger",
    },
    "airflow.providers.standard.triggers.hitl": {
        "HITLTrigger": DEFERRAL,
    },
    "airflow.providers.standard.triggers.temporal": {
        "DateTimeTrigger": "orchestrator.triggers.temporal:DateTimeTrigger",
        "TimeDeltaTrigger": "orchestrator.triggers.temporal:TimeDeltaTrigger",
    },
    "airflow.providers.standard.utils": {},
    "airflow.providers.standard.utils.python_virtualenv": {
        "prepare_virtualenv": ENVIRONMENTS,
        "write_python_script": ENVIRONMENTS,
    },
    "airflow.providers.standard.utils.skipmixin": {
        "SkipMixin": "airflow.sdk:SkipMixin",
    },
    "airflow.providers.standard.utils.weekday": {
        "WeekDay": "orchestrator.operators.weekday:WeekDay",
    },
}
