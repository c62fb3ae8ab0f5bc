"""BaseSQLOperator: what every operator for databases derives from."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import current_runtime
from orchestrator.authoring.templating import is_template
from orchestrator.exceptions import AirflowException, AirflowFailException
from orchestrator.hooks.sql import SqlHook
from orchestrator.names import Delivery


class BaseSQLOperator(BaseOperator):
    """Has a hook for the database of ``conn_id``; ``database`` goes before that of the connection.

    With ``delivery="transactional"`` its statements and the record of its result are committed as one, in that
    database: they have both happened, once, or neither has, whatever crashes.
    """

    conn_id_field = "conn_id"
    template_fields: Sequence[str] = ("conn_id", "database", "hook_params")

    _hook: SqlHook | None = None

    def __init__(
        self,
        *,
        conn_id: str | None = None,
        database: str | None = None,
        hook_params: Mapping[str, Any] | None = None,
        retry_on_failure: bool = True,
        **settings: Any,
    ) -> None:
        if settings.get("delivery") == Delivery.TRANSACTIONAL:
            settings.setdefault("connection", conn_id)
        super().__init__(**settings)
        self.conn_id = conn_id
        self.database = database
        self.hook_params = dict(hook_params or {})
        self.retry_on_failure = retry_on_failure
        self._check_connection()

    def _check_connection(self) -> None:
        what = f"task {self.task_id!r}"
        conn_id = getattr(self, self.conn_id_field, None)
        if not conn_id:
            raise self.place.refuse(f"{what}: {self.conn_id_field} is missing; name the connection of its database")
        if self.hook_params:
            raise self.place.refuse(f"{what}: hook_params is not supported; put such options into the connection")
        if self.delivery is Delivery.TRANSACTIONAL and (
            self.connection != conn_id or is_template(str(conn_id)) or self.database
        ):
            raise self.place.refuse(
                f"{what}: with delivery='transactional' {self.conn_id_field} is the plain name of its target, and "
                f"connection= and database= are left out"
            )

    def get_db_hook(self) -> SqlHook:
        """The hook; that of a transactional task works in its transaction."""
        runtime = current_runtime()
        lent = None if runtime is None else runtime.context.get("connection")
        self._hook = SqlHook(getattr(self, self.conn_id_field), database=self.database, lent=lent)
        return self._hook

    def on_kill(self) -> None:
        """End the statement that runs."""
        if self._hook is not None:
            self._hook.cancel()

    def _fail(self, message: str) -> NoReturn:
        raise (AirflowException if self.retry_on_failure else AirflowFailException)(message)
