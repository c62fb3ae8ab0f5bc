"""SQLExecuteQueryOperator and BranchSQLOperator: run statements; go on by what one says."""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from orchestrator.authoring.branching import Branching
from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import AirflowException, UsageError
from orchestrator.hooks.statements import Fetch, fetch_all_handler, return_single_query_results
from orchestrator.operators.sql.base import BaseSQLOperator

OutputProcessor = Callable[[list[Any], list[Sequence[Sequence[Any]] | None]], Any]

_YES, _NO = frozenset({"y", "yes", "t", "true", "on", "1"}), frozenset({"n", "no", "f", "false", "off", "0"})


def default_output_processor(results: list[Any], descriptions: list[Sequence[Sequence[Any]] | None]) -> list[Any]:  # noqa: ARG001 - the protocol
    """The results as they are."""
    return results


class SQLExecuteQueryOperator(BaseSQLOperator):
    """Runs ``sql``: a statement, a list of them, or the name of a template file that ends in .sql.

    All of them are one transaction, unless ``autocommit``. ``parameters`` are the driver's: what comes from outside
    belongs there and never into the text. The result is what ``handler`` makes of a cursor, by default all rows as
    tuples; of a text that of its last statement (``split_statements`` takes it apart), of a list one for each.
    ``output_processor`` is given the results and the columns of each, as lists.
    """

    template_fields: Sequence[str] = ("sql", "parameters", *BaseSQLOperator.template_fields)
    template_ext: Sequence[str] = (".sql", ".json")

    def __init__(
        self,
        *,
        sql: str | Sequence[str],
        autocommit: bool = False,
        parameters: Mapping[str, Any] | Iterable[Any] | None = None,
        handler: Fetch | None = fetch_all_handler,
        output_processor: OutputProcessor | None = None,
        conn_id: str | None = None,
        database: str | None = None,
        split_statements: bool | None = None,
        return_last: bool = True,
        show_return_value_in_logs: bool = False,
        requires_result_fetch: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(conn_id=conn_id, database=database, **settings)
        self.sql = sql
        self.autocommit = autocommit
        self.parameters = parameters
        self.handler = handler
        self.output_processor = output_processor or default_output_processor
        self.split_statements = split_statements
        self.return_last = return_last
        self.show_return_value_in_logs = show_return_value_in_logs
        self.requires_result_fetch = requires_result_fetch

    def execute(self, context: Context) -> Any:  # noqa: ARG002 - all that it needs is in its fields
        hook, split = self.get_db_hook(), bool(self.split_statements)
        output = hook.run(self.sql, self.autocommit, self._parameters(), self.handler, split, self.return_last)
        if self.handler is None:
            return None
        if return_single_query_results(self.sql, self.return_last, split):
            return self._process_output([output], hook.descriptions)[-1]
        return self._process_output(output, hook.descriptions)

    def _process_output(self, results: list[Any], descriptions: list[Sequence[Sequence[Any]] | None]) -> Any:
        if self.show_return_value_in_logs:
            self.log.info("the statements gave: %s", results)
        return self.output_processor(results, descriptions)

    def _parameters(self) -> Any:
        """A template gives them as a text."""
        if not isinstance(self.parameters, str):
            return self.parameters
        try:
            return ast.literal_eval(self.parameters)
        except (ValueError, SyntaxError):
            raise UsageError(
                f"task {self.task_id!r}: parameters must be a list or a dict, not {self.parameters!r}"
            ) from None


class BranchSQLOperator(BaseSQLOperator, Branching):
    """Goes on by the first value of the first row: true, a number that is not 0, or a word such as yes or on."""

    template_fields: Sequence[str] = ("sql", "parameters", *BaseSQLOperator.template_fields)
    template_ext: Sequence[str] = (".sql",)

    def __init__(
        self,
        *,
        sql: str,
        follow_task_ids_if_true: str | Sequence[str],
        follow_task_ids_if_false: str | Sequence[str],
        conn_id: str = "default_conn_id",
        database: str | None = None,
        parameters: Mapping[str, Any] | Iterable[Any] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(conn_id=conn_id, database=database, **settings)
        self.sql = sql
        self.parameters = parameters
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false

    def execute(self, context: Context) -> Any:  # noqa: ARG002 - all that it needs is in its fields
        row = self.get_db_hook().get_first(self.sql, self.parameters)
        if row is None:
            raise AirflowException(f"the query of branch {self.task_id!r} gave no row; it must say true or false")
        chosen = self.follow_task_ids_if_true if truth(row[0]) else self.follow_task_ids_if_false
        self.log.info("the query says %r: going on with %s", row[0], chosen)
        return chosen


def truth(value: Any) -> bool:
    """What a database means by it; UsageError for what is neither true nor false."""
    word = value.strip().lower() if isinstance(value, str) else value
    if isinstance(word, bool | int):
        return bool(word)
    if word in _YES or word in _NO:
        return word in _YES
    raise UsageError(f"a query must say true or false, as a boolean, a whole number or a word, not {value!r}")
