"""Modules of Airflow 3 that are its own inside: files that import one are told what it belongs to."""

from collections.abc import Mapping

from orchestrator.compat.airflow.entries import Absent
from orchestrator.compat.airflow.features import (
    DATABASE,
    INTERNALS,
    LISTENERS,
    OBJECT_STORAGE,
    SERIALIZATION,
    STATS,
)

_BY_FEATURE: Mapping[Absent, str] = {
    DATABASE: """
        airflow.models.asset airflow.models.asset_state_store airflow.models.backfill airflow.models.base
        airflow.models.callback airflow.models.connection_test airflow.models.crypto airflow.models.dag_favorite
        airflow.models.dag_version airflow.models.dagbundle airflow.models.dagcode airflow.models.dagwarning
        airflow.models.db_callback_request airflow.models.deadline airflow.models.deadline_alert
        airflow.models.errors airflow.models.expandinput airflow.models.hitl airflow.models.hitl_history
        airflow.models.log airflow.models.referencemixin airflow.models.renderedtifields
        airflow.models.revoked_token airflow.models.serialized_dag airflow.models.task_state_store
        airflow.models.taskinstancehistory airflow.models.tasklog airflow.models.taskmap
        airflow.models.taskreschedule airflow.models.team airflow.models.trigger airflow.utils.db_cleanup
        airflow.utils.db_manager airflow.utils.orm_event_handlers airflow.utils.sqlalchemy
    """,
    SERIALIZATION: """
        airflow.sdk.serde.serializers.bignum airflow.sdk.serde.serializers.builtin
        airflow.sdk.serde.serializers.datetime airflow.sdk.serde.serializers.deltalake
        airflow.sdk.serde.serializers.iceberg airflow.sdk.serde.serializers.kubernetes
        airflow.sdk.serde.serializers.numpy airflow.sdk.serde.serializers.pandas
        airflow.sdk.serde.serializers.pydantic airflow.sdk.serde.serializers.timezone
        airflow.sdk.serde.serializers.uuid airflow.sdk.serde.typing
    """,
    LISTENERS: """
        airflow.listeners.spec.asset airflow.listeners.spec.dagrun airflow.listeners.spec.importerrors
        airflow.listeners.types airflow.sdk.listener
    """,
    STATS: """
        airflow.sdk.observability.metrics.datadog_logger airflow.sdk.observability.metrics.otel_logger
        airflow.sdk.observability.metrics.stats_utils airflow.sdk.observability.metrics.statsd_logger
    """,
    OBJECT_STORAGE: """
        airflow.io.typedef airflow.sdk.io.fs airflow.sdk.io.stat airflow.sdk.io.typedef
    """,
    INTERNALS: """
        airflow.sdk.api.client airflow.sdk.api.datamodels.activities airflow.sdk.coordinators.executable
        airflow.sdk.coordinators.executable.coordinator airflow.sdk.coordinators.java
        airflow.sdk.coordinators.java.coordinator airflow.sdk.crypto
        airflow.sdk.definitions.decorators.setup_teardown airflow.sdk.definitions.operator_resources
        airflow.sdk.execution_time.cache airflow.sdk.execution_time.callback_runner
        airflow.sdk.execution_time.callback_supervisor airflow.sdk.execution_time.comms
        airflow.sdk.execution_time.connection_test_supervisor airflow.sdk.execution_time.coordinator
        airflow.sdk.execution_time.execute_workload airflow.sdk.execution_time.hitl
        airflow.sdk.execution_time.lazy_sequence airflow.sdk.execution_time.request_handlers
        airflow.sdk.execution_time.schema airflow.sdk.execution_time.schema.migrator
        airflow.sdk.execution_time.schema.versions airflow.sdk.execution_time.secrets
        airflow.sdk.execution_time.secrets.execution_api airflow.sdk.execution_time.sentry
        airflow.sdk.execution_time.sentry.configured airflow.sdk.execution_time.sentry.noop
        airflow.sdk.execution_time.supervisor airflow.sdk.execution_time.task_mapping
        airflow.sdk.providers_manager_runtime airflow.sdk.yaml airflow.secrets.cache airflow.triggers.callback
        airflow.triggers.shared_stream airflow.utils.cli airflow.utils.cli_action_loggers
        airflow.utils.code_utils airflow.utils.dag_edges airflow.utils.dag_version_inflation_checker
        airflow.utils.deprecation_tools airflow.utils.docs airflow.utils.dot_renderer airflow.utils.entry_points
        airflow.utils.event_scheduler airflow.utils.log.cloudwatch_task_handler airflow.utils.log.colored_log
        airflow.utils.log.es_task_handler airflow.utils.log.file_processor_handler
        airflow.utils.log.file_task_handler airflow.utils.log.gcs_task_handler airflow.utils.log.json_formatter
        airflow.utils.log.log_reader airflow.utils.log.log_stream_accumulator
        airflow.utils.log.non_caching_file_handler airflow.utils.log.s3_task_handler
        airflow.utils.log.stackdriver_task_handler airflow.utils.log.task_handler_with_custom_formatter
        airflow.utils.log.timezone_aware airflow.utils.log.wasb_task_handler airflow.utils.memray_utils
        airflow.utils.operator_resources airflow.utils.platform airflow.utils.providers_configuration_loader
        airflow.utils.retries airflow.utils.scheduler_health airflow.utils.serve_logs
        airflow.utils.serve_logs.core airflow.utils.serve_logs.log_server airflow.utils.span_status
        airflow.utils.thread_safe_dict airflow.utils.yaml
    """,
}

INTERIOR: Mapping[str, Absent] = {module: one for one, names in _BY_FEATURE.items() for module in names.split()}
"""What each of them belongs to."""
