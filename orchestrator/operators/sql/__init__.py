"""Operators for databases, on any URL of SQLAlchemy; named as in Airflow's common.sql provider."""

from orchestrator.operators.sql.base import BaseSQLOperator
from orchestrator.operators.sql.query import BranchSQLOperator, SQLExecuteQueryOperator, default_output_processor
from orchestrator.operators.sql.rows import (
    SQLCheckOperator,
    SQLIntervalCheckOperator,
    SQLThresholdCheckOperator,
    SQLValueCheckOperator,
)
from orchestrator.operators.sql.tables import SQLColumnCheckOperator, SQLTableCheckOperator

__all__ = [
    "BaseSQLOperator",
    "BranchSQLOperator",
    "SQLCheckOperator",
    "SQLColumnCheckOperator",
    "SQLExecuteQueryOperator",
    "SQLIntervalCheckOperator",
    "SQLTableCheckOperator",
    "SQLThresholdCheckOperator",
    "SQLValueCheckOperator",
    "default_output_processor",
]
