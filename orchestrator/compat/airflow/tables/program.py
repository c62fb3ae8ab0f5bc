"""What DAG files import of the program itself: configuration, exceptions, listeners, plugins, secrets, settings."""

from orchestrator.compat.airflow.entries import Table
from orchestrator.compat.airflow.features import (
    CONFIGURATION,
    DATABASE,
    LISTENERS,
    POLICIES,
    SECRETS_BACKENDS,
)

_EXCEPTIONS = "orchestrator.compat.airflow.exceptions"

PROGRAM: Table = {
    "airflow.configuration": {
        "AIRFLOW_HOME": "orchestrator.compat.airflow.configuration:AIRFLOW_HOME",
        "conf": "airflow.sdk:conf",
        "get_airflow_home": "orchestrator.compat.airflow.configuration:home",
    },
    "airflow.exceptions": {
        "AirflowBadRequest": f"{_EXCEPTIONS}:AirflowBadRequest",
        "AirflowClusterPolicyError": f"{_EXCEPTIONS}:AirflowClusterPolicyError",
        "AirflowClusterPolicySkipDag": f"{_EXCEPTIONS}:AirflowClusterPolicySkipDag",
        "AirflowClusterPolicyViolation": f"{_EXCEPTIONS}:AirflowClusterPolicyViolation",
        "AirflowConfigException": "orchestrator.exceptions:ConfigError",
        "AirflowDagCycleException": "airflow.sdk.exceptions:AirflowDagCycleException",
        "AirflowDagDuplicatedIdException": f"{_EXCEPTIONS}:AirflowDagDuplicatedIdException",
        "AirflowException": "airflow.sdk.exceptions:AirflowException",
        "AirflowFailException": "airflow.sdk.exceptions:AirflowFailException",
        "AirflowFileParseException": f"{_EXCEPTIONS}:AirflowFileParseException",
        "AirflowInactiveAssetInInletOrOutletException": f"{_EXCEPTIONS}:AirflowInactiveAssetInInletOrOutletException",
        "AirflowInternalRuntimeError": f"{_EXCEPTIONS}:AirflowInternalRuntimeError",
        "AirflowNotFoundException": "airflow.sdk.exceptions:AirflowNotFoundException",
        "AirflowOptionalProviderFeatureException": "airflow.sdk.exceptions:AirflowOptionalProviderFeatureException",
        "AirflowProviderDeprecationWarning": "orchestrator.compat.airflow.warnings:AirflowProviderDeprecationWarning",
        "AirflowRescheduleException": "airflow.sdk.exceptions:AirflowRescheduleException",
        "AirflowSensorTimeout": "airflow.sdk.exceptions:AirflowSensorTimeout",
        "AirflowSkipException": "airflow.sdk.exceptions:AirflowSkipException",
        "AirflowTaskTerminated": "airflow.sdk.exceptions:AirflowTaskTerminated",
        "AirflowTaskTimeout": "airflow.sdk.exceptions:AirflowTaskTimeout",
        "AirflowTimetableInvalid": "airflow.sdk.exceptions:AirflowTimetableInvalid",
        "ConnectionNotUnique": f"{_EXCEPTIONS}:ConnectionNotUnique",
        "DagCodeNotFound": f"{_EXCEPTIONS}:DagCodeNotFound",
        "DagNotFound": f"{_EXCEPTIONS}:DagNotFound",
        "DagRunAlreadyExists": f"{_EXCEPTIONS}:DagRunAlreadyExists",
        "DagRunNotFound": f"{_EXCEPTIONS}:DagRunNotFound",
        "DagRunTriggerException": "airflow.sdk.exceptions:DagRunTriggerException",
        "DagRunTypeNotAllowed": f"{_EXCEPTIONS}:DagRunTypeNotAllowed",
        "DeserializationError": f"{_EXCEPTIONS}:DeserializationError",
        "DownstreamTasksSkipped": "airflow.sdk.exceptions:DownstreamTasksSkipped",
        "DuplicateTaskIdFound": "airflow.sdk.exceptions:DuplicateTaskIdFound",
        "FailFastDagInvalidTriggerRule": "airflow.sdk.exceptions:FailFastDagInvalidTriggerRule",
        "NotMapped": f"{_EXCEPTIONS}:NotMapped",
        "ParamValidationError": "airflow.sdk.exceptions:ParamValidationError",
        "PoolNotFound": f"{_EXCEPTIONS}:PoolNotFound",
        "RemovedInAirflow4Warning": "airflow.sdk.exceptions:RemovedInAirflow4Warning",
        "SerializationError": f"{_EXCEPTIONS}:SerializationError",
        "TaskAlreadyInTaskGroup": "airflow.sdk.exceptions:TaskAlreadyInTaskGroup",
        "TaskDeferralError": "airflow.sdk.exceptions:TaskDeferralError",
        "TaskDeferralTimeout": "airflow.sdk.exceptions:TaskDeferralTimeout",
        "TaskDeferred": "airflow.sdk.exceptions:TaskDeferred",
        "TaskInstanceNotFound": f"{_EXCEPTIONS}:TaskInstanceNotFound",
        "TaskNotFound": "airflow.sdk.exceptions:TaskNotFound",
        "UnknownExecutorException": f"{_EXCEPTIONS}:UnknownExecutorException",
        "UnmappableXComLengthPushed": f"{_EXCEPTIONS}:UnmappableXComLengthPushed",
        "UnmappableXComTypePushed": "airflow.sdk.exceptions:UnmappableXComTypePushed",
        "VariableNotUnique": f"{_EXCEPTIONS}:VariableNotUnique",
        "XComForMappingNotPushed": "airflow.sdk.exceptions:XComForMappingNotPushed",
        "XComNotFound": "airflow.sdk.exceptions:XComNotFound",
    },
    "airflow.lineage": {},
    "airflow.lineage.hook": {
        "HookLineage": "airflow.sdk.lineage:HookLineage",
        "HookLineageCollector": "airflow.sdk.lineage:HookLineageCollector",
        "HookLineageReader": "airflow.sdk.lineage:HookLineageReader",
        "NoOpCollector": "airflow.sdk.lineage:NoOpCollector",
        "get_hook_lineage_collector": "airflow.sdk.lineage:get_hook_lineage_collector",
    },
    "airflow.listeners": {
        "hookimpl": "orchestrator.plugins.hooks:hookimpl",
    },
    "airflow.listeners.listener": {
        "get_listener_manager": LISTENERS,
    },
    "airflow.plugins_manager": {
        "AirflowPlugin": "orchestrator.plugins.airflow_plugin:AirflowPlugin",
        "AirflowPluginException": "orchestrator.plugins.airflow_plugin:AirflowPluginException",
    },
    "airflow.policies": {
        "hookimpl": POLICIES,
    },
    "airflow.secrets": {
        "DEFAULT_SECRETS_SEARCH_PATH": SECRETS_BACKENDS,
    },
    "airflow.secrets.base_secrets": {
        "BaseSecretsBackend": "airflow.sdk.bases.secrets_backend:BaseSecretsBackend",
    },
    "airflow.secrets.environment_variables": {
        "EnvironmentVariablesBackend": SECRETS_BACKENDS,
    },
    "airflow.secrets.local_filesystem": {
        "LocalFilesystemBackend": SECRETS_BACKENDS,
    },
    "airflow.secrets.metastore": {
        "MetastoreBackend": SECRETS_BACKENDS,
    },
    "airflow.settings": {
        "AsyncSession": DATABASE,
        "DAGS_FOLDER": "orchestrator.compat.airflow.configuration:DAGS_FOLDER",
        "NonScopedSession": DATABASE,
        "PLUGINS_FOLDER": "orchestrator.compat.airflow.configuration:PLUGINS_FOLDER",
        "SQL_ALCHEMY_CONN": CONFIGURATION,
        "Session": DATABASE,
        "TIMEZONE": "orchestrator.compat.airflow.configuration:TIMEZONE",
        "engine": DATABASE,
    },
    "airflow.stats": {
        "Stats": "airflow.sdk.observability.stats:Stats",
    },
    "airflow.typing_compat": {
        "Literal": "typing:Literal",
        "ParamSpec": "typing:ParamSpec",
        "Protocol": "typing:Protocol",
        "Self": "typing:Self",
        "TypedDict": "typing:TypedDict",
        "runtime_checkable": "typing:runtime_checkable",
    },
}
