"""``airflow.utils``: states, time, edges, and much that is internal to Airflow."""

from orchestrator.compat.airflow.entries import Table
from orchestrator.compat.airflow.features import (
    ASSETS,
    CONNECTIONS,
    DATABASE,
    EMAIL,
    INTERNALS,
    SERIALIZATION,
    SETUP,
    VARIABLES,
)

TOOLBOX: Table = {
    "airflow.utils": {
        "timezone": "airflow.sdk:timezone",
    },
    "airflow.utils.context": {
        "ConnectionAccessor": CONNECTIONS,
        "Context": "airflow.sdk:Context",
        "KNOWN_CONTEXT_KEYS": "orchestrator.authoring.context:CONTEXT_KEYS",
        "OutletEventAccessors": ASSETS,
        "VariableAccessor": VARIABLES,
        "context_copy_partial": INTERNALS,
        "context_merge": "orchestrator.compat.airflow.conveniences:context_merge",
    },
    "airflow.utils.dag_parsing_context": {
        "get_parsing_context": "airflow.sdk:get_parsing_context",
    },
    "airflow.utils.dates": {
        "cron_presets": INTERNALS,
        "datetime_to_nano": INTERNALS,
    },
    "airflow.utils.db": {
        "create_default_connections": DATABASE,
        "initdb": DATABASE,
        "merge_conn": DATABASE,
        "provide_session": DATABASE,
        "resetdb": DATABASE,
    },
    "airflow.utils.decorators": {
        "fixup_decorator_warning_stack": INTERNALS,
        "remove_task_decorator": INTERNALS,
    },
    "airflow.utils.edgemodifier": {
        "EdgeModifier": "airflow.sdk:EdgeModifier",
        "Label": "airflow.sdk:Label",
    },
    "airflow.utils.email": {
        "build_mime_message": EMAIL,
        "get_email_address_list": "orchestrator.compat.airflow.conveniences:get_email_address_list",
        "send_email": EMAIL,
        "send_email_smtp": EMAIL,
        "send_mime_email": EMAIL,
    },
    "airflow.utils.file": {
        "correct_maybe_zipped": INTERNALS,
        "find_path_from_directory": INTERNALS,
        "list_py_file_paths": INTERNALS,
        "open_maybe_zipped": INTERNALS,
    },
    "airflow.utils.helpers": {
        "as_flattened_list": "orchestrator.compat.airflow.conveniences:as_flattened_list",
        "ask_yesno": INTERNALS,
        "at_most_one": "orchestrator.compat.airflow.conveniences:at_most_one",
        "build_airflow_dagrun_url": INTERNALS,
        "chunks": "orchestrator.compat.airflow.conveniences:chunks",
        "convert_camel_to_snake": "orchestrator.compat.airflow.conveniences:convert_camel_to_snake",
        "exactly_one": "orchestrator.compat.airflow.conveniences:exactly_one",
        "is_container": "orchestrator.compat.airflow.conveniences:is_container",
        "merge_dicts": "orchestrator.compat.airflow.conveniences:merge_dicts",
        "partition": "orchestrator.compat.airflow.conveniences:partition",
        "prune_dict": "orchestrator.compat.airflow.conveniences:prune_dict",
        "render_template": INTERNALS,
        "render_template_to_string": INTERNALS,
        "validate_key": INTERNALS,
    },
    "airflow.utils.json": {
        "XComDecoder": SERIALIZATION,
        "XComEncoder": SERIALIZATION,
    },
    "airflow.utils.log": {},
    "airflow.utils.log.logging_mixin": {
        "ExternalLoggingMixin": INTERNALS,
        "LoggingMixin": "orchestrator.compat.airflow.logging_mixin:LoggingMixin",
        "RedirectStdHandler": INTERNALS,
        "StreamLogWriter": INTERNALS,
        "remove_escape_codes": INTERNALS,
        "set_context": INTERNALS,
    },
    "airflow.utils.log.secrets_masker": {
        "mask_secret": "airflow.sdk.log:mask_secret",
        "redact": "airflow.sdk.log:redact",
    },
    "airflow.utils.module_loading": {
        "import_string": "orchestrator.compat.airflow.conveniences:import_string",
        "iter_namespace": INTERNALS,
        "qualname": "orchestrator.compat.airflow.conveniences:qualname",
    },
    "airflow.utils.net": {
        "get_host_ip_address": "orchestrator.compat.airflow.conveniences:get_host_ip_address",
        "get_hostname": "orchestrator.compat.airflow.conveniences:get_hostname",
        "getfqdn": "socket:getfqdn",
    },
    "airflow.utils.operator_helpers": {
        "AIRFLOW_VAR_NAME_FORMAT_MAPPING": "airflow.sdk.execution_time.context:AIRFLOW_VAR_NAME_FORMAT_MAPPING",
        "KeywordParameters": "airflow.sdk.bases.decorator:KeywordParameters",
        "context_to_airflow_vars": "airflow.sdk.execution_time.context:context_to_airflow_vars",
        "determine_kwargs": "airflow.sdk.bases.decorator:determine_kwargs",
    },
    "airflow.utils.process_utils": {
        "execute_in_subprocess": INTERNALS,
        "execute_interactive": INTERNALS,
        "patch_environ": "orchestrator.compat.airflow.conveniences:patch_environ",
        "reap_process_group": INTERNALS,
    },
    "airflow.utils.session": {
        "NEW_SESSION": DATABASE,
        "create_session": DATABASE,
        "create_session_async": DATABASE,
        "provide_session": DATABASE,
    },
    "airflow.utils.setup_teardown": {
        "BaseSetupTeardownContext": SETUP,
        "SetupTeardownContext": SETUP,
    },
    "airflow.utils.state": {
        "CallbackState": INTERNALS,
        "DagRunState": "airflow.sdk:DagRunState",
        "IntermediateTIState": "orchestrator.compat.airflow.states:IntermediateTIState",
        "JobState": INTERNALS,
        "State": "orchestrator.compat.airflow.states:State",
        "TaskInstanceState": "airflow.sdk:TaskInstanceState",
        "TerminalTIState": "orchestrator.compat.airflow.states:TerminalTIState",
    },
    "airflow.utils.strings": {
        "get_random_string": "orchestrator.compat.airflow.conveniences:get_random_string",
        "to_boolean": "orchestrator.compat.airflow.conveniences:to_boolean",
    },
    "airflow.utils.task_group": {
        "TaskGroup": "airflow.sdk:TaskGroup",
    },
    "airflow.utils.template": {
        "literal": "airflow.sdk:literal",
    },
    "airflow.utils.timeout": {
        "timeout": "airflow.sdk.execution_time.timeout:timeout",
    },
    "airflow.utils.timezone": {
        "coerce_datetime": "orchestrator.compat.airflow.timezone:coerce_datetime",
        "convert_to_utc": "orchestrator.compat.airflow.timezone:convert_to_utc",
        "datetime": "orchestrator.compat.airflow.timezone:datetime",
        "from_timestamp": "orchestrator.compat.airflow.timezone:from_timestamp",
        "is_localized": "orchestrator.compat.airflow.timezone:is_localized",
        "is_naive": "orchestrator.compat.airflow.timezone:is_naive",
        "local_timezone": "orchestrator.compat.airflow.timezone:local_timezone",
        "make_aware": "orchestrator.compat.airflow.timezone:make_aware",
        "make_naive": "orchestrator.compat.airflow.timezone:make_naive",
        "parse": "orchestrator.compat.airflow.timezone:parse",
        "parse_timezone": "orchestrator.compat.airflow.timezone:parse_timezone",
        "td_format": INTERNALS,
        "utc": "orchestrator.compat.airflow.timezone:utc",
        "utc_epoch": "orchestrator.compat.airflow.timezone:utc_epoch",
        "utcnow": "orchestrator.compat.airflow.timezone:utcnow",
    },
    "airflow.utils.trigger_rule": {
        "TriggerRule": "airflow.sdk:TriggerRule",
    },
    "airflow.utils.types": {
        "ArgNotSet": "orchestrator.authoring.params:NotSet",
        "DagRunTriggeredByType": INTERNALS,
        "DagRunType": "orchestrator.compat.airflow.states:DagRunType",
        "EdgeInfoType": "typing:Any",
        "NOTSET": "orchestrator.authoring.params:NOTSET",
    },
    "airflow.utils.weekday": {
        "WeekDay": "airflow.providers.standard.utils.weekday:WeekDay",
    },
    "airflow.utils.weight_rule": {
        "DB_SAFE_MAXIMUM": "airflow.sdk.bases.operator:DB_SAFE_MAXIMUM",
        "DB_SAFE_MINIMUM": "airflow.sdk.bases.operator:DB_SAFE_MINIMUM",
        "WeightRule": "airflow.sdk:WeightRule",
        "db_safe_priority": "airflow.sdk.bases.operator:db_safe_priority",
    },
    "airflow.utils.xcom": {
        "XCOM_RETURN_KEY": "airflow.models.xcom:XCOM_RETURN_KEY",
    },
}
