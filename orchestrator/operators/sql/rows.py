"""Checks of a row: what a query gives is what it should be."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import AirflowException
from orchestrator.operators.sql.base import BaseSQLOperator

_Parameters = Mapping[str, Any] | Iterable[Any] | None


class SQLCheckOperator(BaseSQLOperator):
    """Fails unless every value of the first row of ``sql`` is true in Python's sense."""

    template_fields: Sequence[str] = ("sql", *BaseSQLOperator.template_fields)
    template_ext: Sequence[str] = (".hql", ".sql")

    def __init__(self, *, sql: str, parameters: _Parameters = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.sql = sql
        self.parameters = parameters

    def execute(self, context: Context) -> None:  # noqa: ARG002 - all that it needs is in its fields
        row = self._row(self.sql, self.parameters)
        if not all(row):
            self._fail(f"the check {self.task_id!r} failed: {self.sql} gave {row}, not all of which is true")
        self.log.info("the check has passed: %s", row)

    def _row(self, sql: str, parameters: _Parameters = None) -> tuple[Any, ...]:
        """The first row of a query; it is a failure if there is none."""
        found: tuple[Any, ...] | None = self.get_db_hook().get_first(sql, parameters)
        if not found:
            self._fail(f"the check {self.task_id!r} failed: {sql} gave no row")
        return found


class SQLValueCheckOperator(SQLCheckOperator):
    """Fails unless every value of the first row is ``pass_value``, or a number within ``tolerance`` (0.1 is 10 %)."""

    template_fields: Sequence[str] = ("sql", "pass_value", *BaseSQLOperator.template_fields)

    def __init__(self, *, sql: str, pass_value: Any, tolerance: Any = None, **settings: Any) -> None:
        super().__init__(sql=sql, **settings)
        self.pass_value = pass_value
        self.tolerance = None if tolerance is None else float(tolerance)

    def execute(self, context: Context) -> None:  # noqa: ARG002 - all that it needs is in its fields
        row, wanted = self._row(self.sql, self.parameters), number(self.pass_value)
        if wanted is None:
            is_met = all(str(value) == str(self.pass_value) for value in row)
        else:
            is_met = all(_is_near(self._number(value), wanted, self.tolerance or 0.0) for value in row)
        if not is_met:
            within = "" if self.tolerance is None else f" within {self.tolerance:.1%}"
            self._fail(f"the check {self.task_id!r} failed: {self.sql} gave {row}, not {self.pass_value!r}{within}")

    def _number(self, value: Any) -> float:
        found = number(value)
        if found is None:
            raise AirflowException(f"the check {self.task_id!r} cannot compare {value!r}, which is no number")
        return found


class SQLThresholdCheckOperator(SQLCheckOperator):
    """Fails unless the first value is from ``min_threshold`` to ``max_threshold``: numbers, or queries for them."""

    template_fields: Sequence[str] = ("sql", "min_threshold", "max_threshold", *BaseSQLOperator.template_fields)

    def __init__(self, *, sql: str, min_threshold: Any, max_threshold: Any, **settings: Any) -> None:
        super().__init__(sql=sql, **settings)
        self.min_threshold = min_threshold
        self.max_threshold = max_threshold

    def execute(self, context: Context) -> None:  # noqa: ARG002 - all that it needs is in its fields
        found = number(self._row(self.sql, self.parameters)[0])
        least, most = self._bound(self.min_threshold), self._bound(self.max_threshold)
        if found is None or not least <= found <= most:
            self._fail(f"the check {self.task_id!r} failed: {self.sql} gave {found}, not {least} to {most}")

    def _bound(self, given: Any) -> float:
        bound = number(given)
        if bound is None:
            bound = number(self._row(given)[0])
        if bound is None:
            self._fail(f"the check {self.task_id!r} failed: its threshold {given!r} gave no number")
        return bound


class SQLIntervalCheckOperator(SQLCheckOperator):
    """Fails if a metric (an expression of SQL) of the day ``ds`` is too far from that of ``days_back`` before.

    ``metrics_thresholds`` has the ratio that each stays below: the larger over the smaller (``max_over_min``), or the
    difference over the earlier (``relative_diff``). A metric of 0 passes, unless ``ignore_zero`` is False.
    """

    template_fields: Sequence[str] = ("sql1", "sql2", *BaseSQLOperator.template_fields)

    ratio_formulas: Mapping[str, Callable[[Any, Any], Any]] = {
        "max_over_min": lambda now, then: max(now, then) / min(now, then),
        "relative_diff": lambda now, then: abs(now - then) / then,
    }

    def __init__(
        self,
        *,
        table: str,
        metrics_thresholds: Mapping[str, float],
        date_filter_column: str = "ds",
        days_back: int = -7,
        ratio_formula: str = "max_over_min",
        ignore_zero: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(sql="", **settings)
        if ratio_formula not in self.ratio_formulas:
            kinds = " or ".join(self.ratio_formulas)
            raise self.place.refuse(f"task {self.task_id!r}: ratio_formula must be {kinds}, not {ratio_formula!r}")
        self.table = table
        self.metrics_thresholds = metrics_thresholds
        self.ratio_formula = ratio_formula
        self.ignore_zero = ignore_zero
        self.days_back = -abs(days_back)
        self.metrics_sorted = sorted(metrics_thresholds)
        query = f"SELECT {', '.join(self.metrics_sorted)} FROM {table} WHERE {date_filter_column}="  # noqa: S608 - the author's own
        self.sql1 = f"{query}'{{{{ ds }}}}'"
        self.sql2 = f"{query}'{{{{ macros.ds_add(ds, {self.days_back}) }}}}'"

    def execute(self, context: Context) -> None:  # noqa: ARG002 - all that it needs is in its fields
        before, today = self._row(self.sql2), self._row(self.sql1)
        found = {name: self._ratio(*pair) for name, *pair in zip(self.metrics_sorted, today, before, strict=True)}
        self.log.info("ratios by %s: %s", self.ratio_formula, found)
        failed = [name for name, ratio in found.items() if not self._passes(name, ratio)]
        if failed:
            told = ", ".join(f"{name} is {found[name]}, not below {self.metrics_thresholds[name]}" for name in failed)
            self._fail(f"the check {self.task_id!r} of {self.table} failed by {self.ratio_formula}: {told}")

    def _ratio(self, now: Any, then: Any) -> float | None:
        """None where one of them is 0, or nothing."""
        return float(self.ratio_formulas[self.ratio_formula](now, then)) if now and then else None

    def _passes(self, name: str, ratio: float | None) -> bool:
        return self.ignore_zero if ratio is None else ratio < self.metrics_thresholds[name]


def number(value: Any) -> float | None:
    """``value`` as a number; None if it is none."""
    try:
        return float(value)
    except (ValueError, TypeError):
        return None


def _is_near(value: float, wanted: float, tolerance: float) -> bool:
    bounds = sorted((wanted * (1 - tolerance), wanted * (1 + tolerance)))
    return bounds[0] <= value <= bounds[1]
