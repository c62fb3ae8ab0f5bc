"""The paths of Airflow 2 that Airflow 3 still takes: models, operators, sensors, hooks, decorators, datasets."""

from orchestrator.compat.airflow.entries import Table
from orchestrator.compat.airflow.features import (
    CONNECTIONS,
    DATABASE,
    DEFERRAL,
    INTERNALS,
)

CLASSIC: Table = {
    "airflow": {
        "AirflowException": "airflow.sdk.exceptions:AirflowException",
        "Asset": "airflow.sdk:Asset",
        "DAG": "airflow.sdk:DAG",
        "Dataset": "airflow.sdk:Asset",
        "XComArg": "airflow.sdk:XComArg",
        "__version__": "orchestrator.compat.airflow.version:VERSION",
    },
    "airflow.assets": {},
    "airflow.datasets": {
        "Dataset": "airflow.sdk:Asset",
        "DatasetAlias": "airflow.sdk:AssetAlias",
        "DatasetAll": "airflow.sdk:AssetAll",
        "DatasetAny": "airflow.sdk:AssetAny",
    },
    "airflow.datasets.metadata": {
        "Metadata": "airflow.sdk:Metadata",
    },
    "airflow.decorators": {
        "dag": "airflow.sdk:dag",
        "setup": "airflow.sdk:setup",
        "task": "airflow.sdk:task",
        "task_group": "airflow.sdk:task_group",
        "teardown": "airflow.sdk:teardown",
    },
    "airflow.decorators.base": {
        "DecoratedMappedOperator": "airflow.sdk.bases.decorator:DecoratedMappedOperator",
        "DecoratedOperator": "airflow.sdk.bases.decorator:DecoratedOperator",
        "TaskDecorator": "airflow.sdk.bases.decorator:TaskDecorator",
        "TaskDecoratorCollection": "airflow.sdk.definitions.decorators:TaskDecoratorCollection",
        "get_unique_task_id": "airflow.sdk.bases.decorator:get_unique_task_id",
        "task_decorator_factory": "airflow.sdk.bases.decorator:task_decorator_factory",
    },
    "airflow.hooks": {},
    "airflow.hooks.base": {
        "BaseHook": "airflow.sdk:BaseHook",
        "DiscoverableHook": CONNECTIONS,
    },
    "airflow.hooks.filesystem": {
        "FSHook": "airflow.providers.standard.hooks.filesystem:FSHook",
    },
    "airflow.hooks.package_index": {
        "PackageIndexHook": "airflow.providers.standard.hooks.package_index:PackageIndexHook",
    },
    "airflow.hooks.subprocess": {
        "SubprocessHook": "airflow.providers.standard.hooks.subprocess:SubprocessHook",
    },
    "airflow.io": {
        "Properties": "airflow.sdk.io:Properties",
        "attach": "airflow.sdk.io:attach",
        "get_fs": "airflow.sdk.io:get_fs",
        "has_fs": "airflow.sdk.io:has_fs",
    },
    "airflow.io.path": {
        "ObjectStoragePath": "airflow.sdk:ObjectStoragePath",
    },
    "airflow.io.storage": {
        "attach": "airflow.sdk.io:attach",
    },
    "airflow.macros": {
        "datetime": "airflow.sdk.execution_time.macros:datetime",
        "datetime_diff_for_humans": "airflow.sdk.execution_time.macros:datetime_diff_for_humans",
        "ds_add": "airflow.sdk.execution_time.macros:ds_add",
        "ds_format": "airflow.sdk.execution_time.macros:ds_format",
        "ds_format_locale": "airflow.sdk.execution_time.macros:ds_format_locale",
        "json": "airflow.sdk.execution_time.macros:json",
        "random": "airflow.sdk.execution_time.macros:random",
        "time": "airflow.sdk.execution_time.macros:time",
        "timedelta": "airflow.sdk.execution_time.macros:timedelta",
        "uuid": "airflow.sdk.execution_time.macros:uuid",
    },
    "airflow.models": {
        "Base": DATABASE,
        "BaseOperator": "airflow.sdk:BaseOperator",
        "BaseOperatorLink": "airflow.sdk:BaseOperatorLink",
        "BaseXCom": "airflow.sdk:BaseXCom",
        "Callback": DATABASE,
        "Connection": "airflow.sdk:Connection",
        "DAG": "airflow.sdk:DAG",
        "DagBag": DATABASE,
        "DagModel": DATABASE,
        "DagRun": "orchestrator.authoring.context:DagRun",
        "DagTag": DATABASE,
        "DagWarning": DATABASE,
        "DbCallbackRequest": DATABASE,
        "Deadline": DATABASE,
        "DeadlineAlert": DATABASE,
        "HITLDetail": DATABASE,
        "ID_LEN": DATABASE,
        "Job": DATABASE,
        "Log": DATABASE,
        "MappedOperator": "airflow.sdk.definitions.mappedoperator:MappedOperator",
        "Operator": "typing:Any",
        "Param": "airflow.sdk:Param",
        "Pool": DATABASE,
        "RenderedTaskInstanceFields": DATABASE,
        "SkipMixin": "airflow.sdk:SkipMixin",
        "TaskInstance": "airflow.sdk:TaskInstance",
        "TaskInstanceHistory": DATABASE,
        "TaskReschedule": DATABASE,
        "Team": DATABASE,
        "Trigger": DATABASE,
        "Variable": "airflow.sdk:Variable",
        "XCom": "airflow.sdk.execution_time.xcom:XCom",
        "clear_task_instances": DATABASE,
    },
    "airflow.models.abstractoperator": {
        "AbstractOperator": INTERNALS,
        "DEFAULT_OWNER": INTERNALS,
        "DEFAULT_QUEUE": INTERNALS,
        "DEFAULT_TASK_EXECUTION_TIMEOUT": INTERNALS,
        "NotMapped": INTERNALS,
        "TaskStateChangeCallback": "typing:Any",
    },
    "airflow.models.baseoperator": {
        "BaseOperator": "airflow.sdk:BaseOperator",
        "chain": "airflow.sdk:chain",
        "chain_linear": "airflow.sdk:chain_linear",
        "cross_downstream": "airflow.sdk:cross_downstream",
    },
    "airflow.models.baseoperatorlink": {
        "BaseOperatorLink": "airflow.sdk:BaseOperatorLink",
    },
    "airflow.models.connection": {
        "CONN_ID_MAX_LEN": INTERNALS,
        "Connection": "airflow.sdk:Connection",
        "RE_SANITIZE_CONN_ID": INTERNALS,
        "sanitize_conn_id": INTERNALS,
    },
    "airflow.models.dag": {
        "DAG": "airflow.sdk:DAG",
        "DagModel": DATABASE,
        "DagOwnerAttributes": DATABASE,
        "DagTag": DATABASE,
        "InconsistentDataInterval": DATABASE,
        "TAG_MAX_LEN": DATABASE,
        "clear_team_name_cache": DATABASE,
        "dag": "airflow.sdk:dag",
        "get_asset_triggered_next_run_info": DATABASE,
        "get_last_dagrun": DATABASE,
        "get_next_data_interval": DATABASE,
        "get_run_data_interval": DATABASE,
        "infer_automated_data_interval": DATABASE,
    },
    "airflow.models.dagbag": {
        "CachedDBDagBag": DATABASE,
        "DBDagBag": DATABASE,
        "DagBag": DATABASE,
        "DagPriorityParsingRequest": DATABASE,
        "generate_md5_hash": DATABASE,
    },
    "airflow.models.dagrun": {
        "DagRun": "orchestrator.authoring.context:DagRun",
        "DagRunNote": DATABASE,
        "RUN_ID_REGEX": DATABASE,
        "TISchedulingDecision": DATABASE,
        "clear_partition_runs": DATABASE,
        "dagrun_trace_attributes": DATABASE,
        "get_or_create_dagrun": DATABASE,
    },
    "airflow.models.mappedoperator": {
        "MappedOperator": "airflow.sdk.definitions.mappedoperator:MappedOperator",
    },
    "airflow.models.operator": {
        "BaseOperator": "airflow.sdk:BaseOperator",
        "Operator": "airflow.sdk.types:Operator",
    },
    "airflow.models.param": {
        "Param": "airflow.sdk:Param",
        "ParamsDict": "airflow.sdk:ParamsDict",
    },
    "airflow.models.pool": {
        "Pool": DATABASE,
        "PoolStats": DATABASE,
        "normalize_pool_name_for_stats": DATABASE,
    },
    "airflow.models.skipmixin": {
        "SkipMixin": "airflow.sdk:SkipMixin",
    },
    "airflow.models.taskinstance": {
        "OutletEventPayload": DATABASE,
        "PAST_DEPENDS_MET": DATABASE,
        "SimpleTaskInstance": DATABASE,
        "TaskInstance": "airflow.sdk:TaskInstance",
        "TaskInstanceNote": DATABASE,
        "clear_task_instances": DATABASE,
        "find_relevant_relatives": DATABASE,
        "set_current_context": INTERNALS,
    },
    "airflow.models.taskinstancekey": {
        "TaskInstanceKey": "airflow.sdk.types:TaskInstanceKey",
    },
    "airflow.models.taskmixin": {
        "DAGNode": INTERNALS,
        "DependencyMixin": INTERNALS,
    },
    "airflow.models.variable": {
        "Variable": "airflow.sdk:Variable",
    },
    "airflow.models.xcom": {
        "BaseXCom": "airflow.sdk:BaseXCom",
        "LazyXComSelectSequence": DATABASE,
        "XCOM_RETURN_KEY": "orchestrator.authoring.context:RETURN_VALUE",
        "XCom": "airflow.sdk.execution_time.xcom:XCom",
        "XComModel": DATABASE,
    },
    "airflow.models.xcom_arg": {
        "XComArg": "airflow.sdk:XComArg",
    },
    "airflow.notifications": {},
    "airflow.notifications.basenotifier": {
        "BaseNotifier": "airflow.sdk:BaseNotifier",
    },
    "airflow.operators": {},
    "airflow.operators.bash": {
        "BashOperator": "airflow.providers.standard.operators.bash:BashOperator",
    },
    "airflow.operators.branch": {
        "BaseBranchOperator": "airflow.providers.standard.operators.branch:BaseBranchOperator",
        "BranchMixIn": "airflow.providers.standard.operators.branch:BranchMixIn",
    },
    "airflow.operators.datetime": {
        "BranchDateTimeOperator": "airflow.providers.standard.operators.datetime:BranchDateTimeOperator",
    },
    "airflow.operators.email": {
        "EmailOperator": "orchestrator.operators.smtp:EmailOperator",
    },
    "airflow.operators.empty": {
        "EmptyOperator": "airflow.providers.standard.operators.empty:EmptyOperator",
    },
    "airflow.operators.generic_transfer": {
        "GenericTransfer": "airflow.providers.common.sql.operators.generic_transfer:GenericTransfer",
    },
    "airflow.operators.latest_only": {
        "LatestOnlyOperator": "airflow.providers.standard.operators.latest_only:LatestOnlyOperator",
    },
    "airflow.operators.python": {
        "BranchExternalPythonOperator": "airflow.providers.standard.operators.python:BranchExternalPythonOperator",
        "BranchPythonOperator": "airflow.providers.standard.operators.python:BranchPythonOperator",
        "BranchPythonVirtualenvOperator": "airflow.providers.standard.operators.python:BranchPythonVirtualenvOperator",
        "ExternalPythonOperator": "airflow.providers.standard.operators.python:ExternalPythonOperator",
        "PythonOperator": "airflow.providers.standard.operators.python:PythonOperator",
        "PythonVirtualenvOperator": "airflow.providers.standard.operators.python:PythonVirtualenvOperator",
        "ShortCircuitOperator": "airflow.providers.standard.operators.python:ShortCircuitOperator",
        "get_current_context": "airflow.providers.standard.operators.python:get_current_context",
    },
    "airflow.operators.smooth": {
        "SmoothOperator": "airflow.providers.standard.operators.smooth:SmoothOperator",
    },
    "airflow.operators.trigger_dagrun": {
        "TriggerDagRunOperator": "airflow.providers.standard.operators.trigger_dagrun:TriggerDagRunOperator",
    },
    "airflow.operators.weekday": {
        "BranchDayOfWeekOperator": "airflow.providers.standard.operators.weekday:BranchDayOfWeekOperator",
    },
    "airflow.sensors": {},
    "airflow.sensors.base": {
        "BaseSensorOperator": "airflow.sdk.bases.sensor:BaseSensorOperator",
        "PokeReturnValue": "airflow.sdk.bases.sensor:PokeReturnValue",
        "poke_mode_only": "airflow.sdk.bases.sensor:poke_mode_only",
    },
    "airflow.sensors.bash": {
        "BashSensor": "airflow.providers.standard.sensors.bash:BashSensor",
    },
    "airflow.sensors.date_time": {
        "DateTimeSensor": "airflow.providers.standard.sensors.date_time:DateTimeSensor",
        "DateTimeSensorAsync": "airflow.providers.standard.sensors.date_time:DateTimeSensorAsync",
    },
    "airflow.sensors.external_task": {
        "ExternalDagLink": "airflow.providers.standard.sensors.external_task:ExternalDagLink",
        "ExternalTaskMarker": "airflow.providers.standard.sensors.external_task:ExternalTaskMarker",
        "ExternalTaskSensor": "airflow.providers.standard.sensors.external_task:ExternalTaskSensor",
    },
    "airflow.sensors.filesystem": {
        "FileSensor": "airflow.providers.standard.sensors.filesystem:FileSensor",
    },
    "airflow.sensors.python": {
        "PythonSensor": "airflow.providers.standard.sensors.python:PythonSensor",
    },
    "airflow.sensors.time_delta": {
        "TimeDeltaSensor": "airflow.providers.standard.sensors.time_delta:TimeDeltaSensor",
        "TimeDeltaSensorAsync": "airflow.providers.standard.sensors.time_delta:TimeDeltaSensorAsync",
    },
    "airflow.sensors.time_sensor": {
        "TimeSensor": "airflow.providers.standard.sensors.time:TimeSensor",
        "TimeSensorAsync": "airflow.providers.standard.sensors.time:TimeSensorAsync",
    },
    "airflow.sensors.weekday": {
        "DayOfWeekSensor": "airflow.providers.standard.sensors.weekday:DayOfWeekSensor",
    },
    "airflow.triggers": {},
    "airflow.triggers.base": {
        "BaseEventTrigger": DEFERRAL,
        "BaseTaskEndEvent": "orchestrator.triggers.base:BaseTaskEndEvent",
        "BaseTrigger": "orchestrator.triggers.base:BaseTrigger",
        "DiscrimatedTriggerEvent": INTERNALS,
        "StartTriggerArgs": DEFERRAL,
        "TaskFailedEvent": "orchestrator.triggers.base:TaskFailedEvent",
        "TaskSkippedEvent": "orchestrator.triggers.base:TaskSkippedEvent",
        "TaskSuccessEvent": "orchestrator.triggers.base:TaskSuccessEvent",
        "TriggerEvent": "orchestrator.triggers.base:TriggerEvent",
        "trigger_event_discriminator": INTERNALS,
    },
    "airflow.triggers.external_task": {
        "DagStateTrigger": "airflow.providers.standard.triggers.external_task:DagStateTrigger",
        "WorkflowTrigger": "airflow.providers.standard.triggers.external_task:WorkflowTrigger",
    },
    "airflow.triggers.file": {
        "FileTrigger": "airflow.providers.standard.triggers.file:FileTrigger",
    },
    "airflow.triggers.temporal": {
        "DateTimeTrigger": "airflow.providers.standard.triggers.temporal:DateTimeTrigger",
        "TimeDeltaTrigger": "airflow.providers.standard.triggers.temporal:TimeDeltaTrigger",
    },
    "airflow.triggers.testing": {
        "FailureTrigger": "orchestrator.triggers.testing:FailureTrigger",
        "SuccessTrigger": "orchestrator.triggers.testing:SuccessTrigger",
    },
    "airflow.version": {
        "version": "airflow:__version__",
    },
}
