"""``airflow.providers.http``, ``smtp``, ``common.sql`` and ``common.io``: HTTP servers, mail, databases, files."""

from orchestrator.compat.airflow.entries import Table
from orchestrator.compat.airflow.features import (
    COMMON_IO,
    COMMON_SQL,
    HTTP,
    SMTP,
)

_SQL = "orchestrator.operators.sql"
_STATEMENTS = "orchestrator.hooks.statements"
_EXCEPTIONS = "orchestrator.compat.airflow.exceptions"

SERVICES: Table = {
    "airflow.providers.http": {},
    "airflow.providers.http.exceptions": {
        "HttpErrorException": "orchestrator.exceptions:HttpErrorException",
        "HttpMethodException": f"{_EXCEPTIONS}:HttpMethodException",
    },
    "airflow.providers.http.hooks": {},
    "airflow.providers.http.hooks.http": {
        "HttpAsyncHook": HTTP,
        "HttpHook": "orchestrator.hooks.http:HttpHook",
    },
    "airflow.providers.http.notifications": {
        "HttpNotifier": HTTP,
    },
    "airflow.providers.http.operators": {},
    "airflow.providers.http.operators.http": {
        "HttpOperator": "orchestrator.operators.http:HttpOperator",
    },
    "airflow.providers.http.sensors": {},
    "airflow.providers.http.sensors.http": {
        "HttpSensor": "orchestrator.sensors.http:HttpSensor",
    },
    "airflow.providers.http.triggers": {},
    "airflow.providers.http.triggers.http": {
        "HttpEventTrigger": HTTP,
        "HttpSensorTrigger": HTTP,
        "HttpTrigger": HTTP,
    },
    "airflow.providers.smtp": {},
    "airflow.providers.smtp.hooks": {},
    "airflow.providers.smtp.hooks.smtp": {
        "SmtpHook": SMTP,
    },
    "airflow.providers.smtp.notifications": {},
    "airflow.providers.smtp.notifications.smtp": {
        "SmtpNotifier": "orchestrator.notifiers.smtp:SmtpNotifier",
        "send_smtp_notification": "orchestrator.notifiers.smtp:SmtpNotifier",
    },
    "airflow.providers.smtp.operators": {},
    "airflow.providers.smtp.operators.smtp": {
        "EmailOperator": "orchestrator.operators.smtp:EmailOperator",
    },
    "airflow.providers.common.io": {},
    "airflow.providers.common.io.operators": {},
    "airflow.providers.common.io.operators.file_transfer": {
        "FileTransferOperator": "orchestrator.operators.file_transfer:FileTransferOperator",
    },
    "airflow.providers.common.io.xcom": {},
    "airflow.providers.common.io.xcom.backend": {
        "XComObjectStorageBackend": COMMON_IO,
    },
    "airflow.providers.common.sql": {},
    "airflow.providers.common.sql.hooks": {},
    "airflow.providers.common.sql.hooks.handlers": {
        "fetch_all_handler": f"{_STATEMENTS}:fetch_all_handler",
        "fetch_one_handler": f"{_STATEMENTS}:fetch_one_handler",
        "return_single_query_results": f"{_STATEMENTS}:return_single_query_results",
    },
    "airflow.providers.common.sql.hooks.sql": {
        "ConnectorProtocol": COMMON_SQL,
        "DbApiHook": COMMON_SQL,
        "fetch_all_handler": f"{_STATEMENTS}:fetch_all_handler",
        "fetch_one_handler": f"{_STATEMENTS}:fetch_one_handler",
        "return_single_query_results": f"{_STATEMENTS}:return_single_query_results",
    },
    "airflow.providers.common.sql.operators": {},
    "airflow.providers.common.sql.operators.generic_transfer": {
        "GenericTransfer": COMMON_SQL,
    },
    "airflow.providers.common.sql.operators.sql": {
        "BaseSQLOperator": f"{_SQL}:BaseSQLOperator",
        "BranchSQLOperator": f"{_SQL}:BranchSQLOperator",
        "SQLCheckOperator": f"{_SQL}:SQLCheckOperator",
        "SQLColumnCheckOperator": f"{_SQL}:SQLColumnCheckOperator",
        "SQLExecuteQueryOperator": f"{_SQL}:SQLExecuteQueryOperator",
        "SQLInsertRowsOperator": COMMON_SQL,
        "SQLIntervalCheckOperator": f"{_SQL}:SQLIntervalCheckOperator",
        "SQLTableCheckOperator": f"{_SQL}:SQLTableCheckOperator",
        "SQLThresholdCheckOperator": f"{_SQL}:SQLThresholdCheckOperator",
        "SQLValueCheckOperator": f"{_SQL}:SQLValueCheckOperator",
        "default_output_processor": f"{_SQL}:default_output_processor",
    },
    "airflow.providers.common.sql.sensors": {},
    "airflow.providers.common.sql.sensors.sql": {
        "SqlSensor": "orchestrator.sensors.sql:SqlSensor",
    },
    "airflow.providers.common.sql.triggers": {},
    "airflow.providers.common.sql.triggers.sql": {
        "SQLExecuteQueryTrigger": COMMON_SQL,
    },
}
