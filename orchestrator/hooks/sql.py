"""SqlHook: statements for the database that a connection names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from orchestrator.authoring.hook import BaseHook
from orchestrator.exceptions import AirflowException, ConfigError, UsageError
from orchestrator.hooks.databases import Connections
from orchestrator.hooks.statements import (
    Cursor,
    Fetch,
    Statement,
    fetch_all_handler,
    fetch_one_handler,
    given_parameters,
    return_single_query_results,
    statements_of,
)

__all__ = ["SqlHook", "fetch_all_handler", "fetch_one_handler", "return_single_query_results"]

Parameters = Iterable[Any] | Mapping[str, Any] | None


class SqlHook(BaseHook):
    """Runs statements on any database that SQLAlchemy has a dialect for; under the names of Airflow's DbApiHook.

    Placeholders are the driver's own: ``?`` or ``:name`` for SQLite, ``%s`` or ``%(name)s`` for PostgreSQL.
    ``database`` goes before that of the connection. ``lent`` is a connection whose transaction another ends, as a
    transactional task is given one: all is run there, and nothing committed.
    """

    conn_name_attr = "conn_id"

    def __init__(self, conn_id: str, *, database: str | None = None, lent: Connection | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.database = database
        self.descriptions: list[Sequence[Sequence[Any]] | None] = []
        self._lent = lent
        self._busy: Connection | None = None

    @property
    def last_description(self) -> Sequence[Sequence[Any]] | None:
        """The columns of the last statement, as Python's database API describes them."""
        return self.descriptions[-1] if self.descriptions else None

    def get_url(self) -> URL:
        """Where the database is; ConfigError if there is no such connection."""
        url = Connections().url(self.conn_id)
        return url.set(database=self.database) if self.database else url

    def get_uri(self) -> str:
        """The same as a text, with its password."""
        return self.get_url().render_as_string(hide_password=False)

    def get_sqlalchemy_engine(self, engine_kwargs: Mapping[str, Any] | None = None) -> Engine:
        """An engine that keeps no connection open."""
        try:
            return create_engine(self.get_url(), **{"poolclass": NullPool, **(engine_kwargs or {})})
        except (ImportError, NoSuchModuleError) as error:
            raise ConfigError(
                f"connection {self.conn_id!r} needs a database driver that is not installed: {error}"
            ) from None

    def get_conn(self) -> Any:
        """The driver's own connection, open; whoever asks for it closes it."""
        return self.get_sqlalchemy_engine().raw_connection()

    def run(
        self,
        sql: str | Iterable[str],
        autocommit: bool = False,
        parameters: Parameters = None,
        handler: Fetch | None = None,
        split_statements: bool = False,
        return_last: bool = True,
    ) -> Any:
        """Run one statement or several in one transaction, or each in its own with ``autocommit``.

        ``handler`` makes a result of a cursor; without one nothing is fetched. A text gives one result, of its last
        statement; a list, or a text that is split without ``return_last``, one for each. SqlError says which failed.
        """
        statements, given = statements_of(sql, split_statements), given_parameters(parameters)
        self.descriptions = []
        with self._connected(autocommit) as connection:
            results = [self._run(connection, statement, given, handler) for statement in statements]
        if handler is None:
            return None
        if return_single_query_results(sql, return_last, split_statements):
            self.descriptions = self.descriptions[-1:]
            return results[-1]
        return results

    def get_records(self, sql: str | Iterable[str], parameters: Parameters = None) -> Any:
        """All rows."""
        return self.run(sql, parameters=parameters, handler=fetch_all_handler)

    def get_first(self, sql: str | Iterable[str], parameters: Parameters = None) -> Any:
        """The first row, None where there is none."""
        return self.run(sql, parameters=parameters, handler=fetch_one_handler)

    def test_connection(self) -> tuple[bool, str]:
        """Whether the database answers, and what went wrong if not."""
        try:
            with self._connected(autocommit=False):
                return True, "Connection successfully tested"
        except Exception as error:
            return False, str(error)

    def cancel(self) -> None:
        """End the statement that runs, from another thread or a signal, where the driver can."""
        driver = None if self._busy is None else self._busy.connection.driver_connection
        end = getattr(driver, "cancel", None) or getattr(driver, "interrupt", None)
        if end is not None:
            end()

    def _run(self, connection: Connection, statement: Statement, parameters: Any, handler: Fetch | None) -> Any:
        options = {"no_parameters": True} if parameters is None else None
        self._busy = connection
        try:
            cursor = Cursor(connection.exec_driver_sql(statement.text, parameters, execution_options=options))
            self.descriptions.append(cursor.description)
            result = None if handler is None else handler(cursor)
        except DBAPIError as error:
            raise statement.error(error, self.conn_id) from error
        finally:
            self._busy = None
        self.log.info("%s: %s", statement.text, _told(cursor))
        return result

    @contextmanager
    def _connected(self, autocommit: bool) -> Iterator[Connection]:
        """A connection that commits when all has gone well."""
        if self._lent is not None:
            if autocommit or self.database:
                raise UsageError("a transactional task has one transaction: leave out autocommit= and database=")
            yield self._lent
            return
        with self._opened() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT") if autocommit else connection
            connection.commit()

    def _opened(self) -> Connection:
        try:
            return self.get_sqlalchemy_engine().connect()
        except DBAPIError as error:
            said = " ".join(str(error.orig).split())
            raise AirflowException(f"the database of connection {self.conn_id!r} cannot be opened: {said}") from error


def _told(cursor: Cursor) -> str:
    if cursor.description is not None:
        return f"{len(cursor.description)} columns"
    return "done" if cursor.rowcount < 0 else f"{cursor.rowcount} rows affected"
