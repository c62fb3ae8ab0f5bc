"""Waits for what a database says."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator
from orchestrator.exceptions import AirflowException
from orchestrator.hooks.sql import SqlHook

__all__ = ["SqlSensor"]


class SqlSensor(BaseSensorOperator):
    """Waits until the first value of the first row of ``sql`` is neither 0, '0', '' nor nothing.

    ``selector(row)`` chooses another value than the first, ``success(value)`` says whether that is it, and
    ``failure(value)``, asked before, whether the attempt fails, as it does without a row where ``fail_on_empty``.
    """

    template_fields: Sequence[str] = ("sql", "hook_params", "parameters")
    template_ext: Sequence[str] = (".hql", ".sql")

    def __init__(
        self,
        *,
        conn_id: str,
        sql: str,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        success: Callable[[Any], bool] | None = None,
        failure: Callable[[Any], bool] | None = None,
        selector: Callable[[tuple[Any, ...]], Any] = itemgetter(0),
        fail_on_empty: bool = False,
        hook_params: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        if hook_params:
            raise self.place.refuse(
                f"sensor {self.task_id!r}: hook_params is not supported; put such options into the connection"
            )
        for name, function in (("success", success), ("failure", failure), ("selector", selector)):
            if function is not None and not callable(function):
                raise self.place.refuse(f"sensor {self.task_id!r}: {name} must be a function, not {function!r}")
        self.conn_id = conn_id
        self.sql = sql
        self.parameters = parameters
        self.success = success
        self.failure = failure
        self.selector = selector
        self.fail_on_empty = fail_on_empty
        self.hook_params = hook_params

    def poke(self, context: Context) -> bool:  # noqa: ARG002 - it is in its fields
        row = SqlHook(self.conn_id).get_first(self.sql, self.parameters)
        if row is None:
            if self.fail_on_empty:
                raise AirflowException(f"the query of sensor {self.task_id!r} gave no row, and fail_on_empty is set")
            return False
        value = self.selector(row)
        if self.failure is not None and self.failure(value):
            raise AirflowException(f"sensor {self.task_id!r} has failed: its failure() is true of {value!r}")
        return bool(self.success(value)) if self.success is not None else value not in (0, "0", "", None)
