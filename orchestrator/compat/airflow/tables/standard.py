"""``airflow.providers.standard``: the operators, sensors and triggers that come with Airflow."""

from orchestrator.compat.airflow.entries import Table
from orchestrator.compat.airflow.features import (
    CALENDAR_BRANCHES,
    DECORATORS,
    DEFERRAL,
    ENVIRONMENTS,
    HITL,
    HOOKS,
    LATEST_ONLY,
    LINKS,
    SENSORS,
    SMOOTH,
    TRIGGER_DAGRUN,
)

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
        "AirflowExternalTaskSensorException": SENSORS,
        "DuplicateStateError": SENSORS,
        "ExternalDagDeletedError": SENSORS,
        "ExternalDagFailedError": SENSORS,
        "ExternalDagNotFoundError": SENSORS,
        "ExternalTaskFailedError": SENSORS,
        "ExternalTaskGroupFailedError": SENSORS,
        "ExternalTaskGroupNotFoundError": SENSORS,
        "ExternalTaskNotFoundError": SENSORS,
        "HITLRejectException": HITL,
        "HITLTimeoutError": HITL,
        "HITLTriggerEventError": HITL,
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
        "BranchDateTimeOperator": CALENDAR_BRANCHES,
        "target_times_as_dates": CALENDAR_BRANCHES,
    },
    "airflow.providers.standard.operators.empty": {
        "EmptyOperator": "orchestrator.operators:EmptyOperator",
    },
    "airflow.providers.standard.operators.hitl": {
        "ApprovalOperator": HITL,
        "HITLBranchOperator": HITL,
        "HITLEntryOperator": HITL,
        "HITLOperator": HITL,
    },
    "airflow.providers.standard.operators.latest_only": {
        "LatestOnlyOperator": LATEST_ONLY,
    },
    "airflow.providers.standard.operators.python": {
        "BranchExternalPythonOperator": ENVIRONMENTS,
        "BranchPythonOperator": "orchestrator.operators:BranchPythonOperator",
        "BranchPythonVirtualenvOperator": ENVIRONMENTS,
        "ExternalPythonOperator": ENVIRONMENTS,
        "PythonOperator": "orchestrator.operators:PythonOperator",
        "PythonVirtualenvOperator": ENVIRONMENTS,
        "ShortCircuitOperator": "orchestrator.operators:ShortCircuitOperator",
        "get_current_context": "airflow.sdk:get_current_context",
    },
    "airflow.providers.standard.operators.smooth": {
        "SmoothOperator": SMOOTH,
    },
    "airflow.providers.standard.operators.trigger_dagrun": {
        "DagIsPaused": TRIGGER_DAGRUN,
        "TriggerDagRunLink": LINKS,
        "TriggerDagRunOperator": TRIGGER_DAGRUN,
        "XCOM_LOGICAL_DATE_ISO": TRIGGER_DAGRUN,
        "XCOM_RUN_ID": TRIGGER_DAGRUN,
    },
    "airflow.providers.standard.operators.weekday": {
        "BranchDayOfWeekOperator": CALENDAR_BRANCHES,
    },
    "airflow.providers.standard.sensors": {},
    "airflow.providers.standard.sensors.bash": {
        "BashSensor": SENSORS,
    },
    "airflow.providers.standard.sensors.date_time": {
        "DateTimeSensor": SENSORS,
        "DateTimeSensorAsync": SENSORS,
    },
    "airflow.providers.standard.sensors.external_task": {
        "ExternalDagLink": LINKS,
        "ExternalTaskMarker": SENSORS,
        "ExternalTaskSensor": SENSORS,
    },
    "airflow.providers.standard.sensors.filesystem": {
        "FileSensor": SENSORS,
    },
    "airflow.providers.standard.sensors.python": {
        "PythonSensor": SENSORS,
    },
    "airflow.providers.standard.sensors.time": {
        "TimeSensor": SENSORS,
        "TimeSensorAsync": SENSORS,
    },
    "airflow.providers.standard.sensors.time_delta": {
        "TimeDeltaSensor": SENSORS,
        "TimeDeltaSensorAsync": SENSORS,
        "WaitSensor": SENSORS,
    },
    "airflow.providers.standard.sensors.weekday": {
        "DayOfWeekSensor": SENSORS,
    },
    "airflow.providers.standard.triggers": {},
    "airflow.providers.standard.triggers.external_task": {
        "DagStateTrigger": DEFERRAL,
        "WorkflowTrigger": DEFERRAL,
    },
    "airflow.providers.standard.triggers.file": {
        "DirectoryFileDeleteTrigger": DEFERRAL,
        "FileDeleteTrigger": DEFERRAL,
        "FileTrigger": DEFERRAL,
    },
    "airflow.providers.standard.triggers.hitl": {
        "HITLTrigger": DEFERRAL,
    },
    "airflow.providers.standard.triggers.temporal": {
        "DateTimeTrigger": DEFERRAL,
        "TimeDeltaTrigger": DEFERRAL,
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
        "WeekDay": CALENDAR_BRANCHES,
    },
}
