"""Checks of a table: what its columns and rows hold is what they should."""

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.authoring.runtime import Context
from orchestrator.nearest import did_you_mean
from orchestrator.operators.sql.base import BaseSQLOperator
from orchestrator.operators.sql.query import truth

_Checks = Mapping[str, Mapping[str, Any]]

_LEAST = {"geq_to": operator.ge, "greater_than": operator.gt}
_MOST = {"leq_to": operator.le, "less_than": operator.lt}
_COMPARISONS = {*_LEAST, *_MOST, "equal_to"}
_SETTINGS = {*_COMPARISONS, "tolerance", "partition_clause"}


class _TableCheck(BaseSQLOperator):
    template_fields: Sequence[str] = ("table", "partition_clause", *BaseSQLOperator.template_fields)

    def __init__(self, *, table: str, partition_clause: str | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.table = table
        self.partition_clause = partition_clause

    def _where(self, check: Mapping[str, Any]) -> str:
        clauses = [clause for clause in (self.partition_clause, check.get("partition_clause")) if clause]
        return f" WHERE {' AND '.join(clauses)}" if clauses else ""

    def _judge(self, failed: Sequence[str], of: int) -> None:
        if failed:
            self._fail(f"{len(failed)} of {of} checks of table {self.table!r} failed: {'; '.join(failed)}")
        self.log.info("all %d checks of table %r have passed", of, self.table)


class SQLColumnCheckOperator(_TableCheck):
    """Compares what columns come to: ``{"amount": {"min": {"geq_to": 0}, "null_check": {"equal_to": 0}}}``.

    The checks are ``null_check``, ``distinct_check``, ``unique_check``, ``min`` and ``max``; the comparisons
    ``equal_to``, ``geq_to`` or ``greater_than``, ``leq_to`` or ``less_than``, with a ``tolerance`` (0.1 is 10 %).
    ``partition_clause`` says which rows, for all checks or in one. ``accept_none``: nothing counts as 0.
    """

    column_checks: Mapping[str, str] = {
        "null_check": "SUM(CASE WHEN {column} IS NULL THEN 1 ELSE 0 END)",
        "distinct_check": "COUNT(DISTINCT {column})",
        "unique_check": "COUNT({column}) - COUNT(DISTINCT {column})",
        "min": "MIN({column})",
        "max": "MAX({column})",
    }

    def __init__(self, *, column_mapping: Mapping[str, _Checks], accept_none: bool = True, **settings: Any) -> None:
        super().__init__(**settings)
        self.column_mapping = column_mapping
        self.accept_none = accept_none
        for column, name, check in self._all():
            self._check_settings(f"task {self.task_id!r}, column {column!r}, check {name!r}", name, check)

    def _all(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        return ((column, name, check) for column, of in self.column_mapping.items() for name, check in of.items())

    def _check_settings(self, what: str, name: str, check: Mapping[str, Any]) -> None:
        if name not in self.column_checks:
            raise self.place.refuse(f"{what}: there is no such check{did_you_mean(name, self.column_checks)}")
        for setting in check.keys() - _SETTINGS:
            raise self.place.refuse(f"{what} has no setting {setting!r}{did_you_mean(setting, _SETTINGS)}")
        given = check.keys() & _COMPARISONS
        if (
            not given
            or len(given & _LEAST.keys()) > 1
            or len(given & _MOST.keys()) > 1
            or "equal_to" in given != {"equal_to"}
        ):
            raise self.place.refuse(
                f"{what} needs equal_to, or one of geq_to and greater_than, or one of leq_to and less_than, or one of "
                f"each"
            )

    def execute(self, context: Context) -> None:  # noqa: ARG002 - all that it needs is in its fields
        hook, failed, count = self.get_db_hook(), [], 0
        for column, name, check in self._all():
            asked = self.column_checks[name].format(column=column)
            (value,) = hook.get_first(f"SELECT {asked} FROM {self.table}{self._where(check)}")  # noqa: S608 - the author's
            count += 1
            if not _matches(0 if value is None and self.accept_none else value, check):
                wanted = ", ".join(f"{key} {check[key]}" for key in sorted(check.keys() - {"partition_clause"}))
                failed.append(f"{column}.{name} is {value}, not {wanted}")
        self._judge(failed, count)


class SQLTableCheckOperator(_TableCheck):
    """Asks whether statements are true of every row, or of all rows together:
    ``{"rows": {"check_statement": "COUNT(*) > 10"}, "sum": {"check_statement": "a + b = c"}}``.

    ``partition_clause`` says which rows, for all checks or in one.
    """

    def __init__(self, *, checks: _Checks, **settings: Any) -> None:
        super().__init__(**settings)
        self.checks = checks
        for name, check in checks.items():
            if not check.get("check_statement"):
                raise self.place.refuse(f"task {self.task_id!r}: check {name!r} has no check_statement")

    def execute(self, context: Context) -> None:  # noqa: ARG002 - all that it needs is in its fields
        hook, failed = self.get_db_hook(), []
        for name, check in self.checks.items():
            holds = f"CASE WHEN {check['check_statement']} THEN 1 ELSE 0 END"
            rows = f"SELECT {holds} AS holds FROM {self.table}{self._where(check)}"  # noqa: S608 - the author's own
            (value,) = hook.get_first(f"SELECT MIN(holds) FROM ({rows}) AS checked")  # noqa: S608 - the author's own
            if value is None or not truth(value):
                failed.append(f"{name} ({check['check_statement']}){' has no rows' if value is None else ''}")
        self._judge(failed, len(self.checks))


def _matches(value: Any, check: Mapping[str, Any]) -> bool:
    if value is None:
        return False
    slack = check.get("tolerance") or 0
    if "equal_to" in check:
        wanted = check["equal_to"]
        return bool(value == wanted if not slack else wanted * (1 - slack) <= value <= wanted * (1 + slack))
    least = all(meets(value, _moved(check[name], -slack)) for name, meets in _LEAST.items() if name in check)
    return least and all(meets(value, _moved(check[name], slack)) for name, meets in _MOST.items() if name in check)


def _moved(bound: Any, part: float) -> Any:
    return bound * (1 + part) if part else bound
