"""Statements: one text of SQL or several, what a failed one is told as, and what came of one that did not fail."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from sqlalchemy import CursorResult
from sqlalchemy.exc import DBAPIError

from orchestrator.exceptions import ConfigError, SqlError, UsageError

sqlparse: Any
try:
    sqlparse = import_module("sqlparse")
except ImportError:
    sqlparse = None

_SHOWN = 200  # characters of a statement that an error repeats


class Cursor:
    """What a statement gave, with the names of Python's database API; rows are tuples."""

    def __init__(self, result: CursorResult[Any]) -> None:
        self._result = result
        cursor = result.cursor if result.returns_rows else None
        self.description: Sequence[Sequence[Any]] | None = None if cursor is None else cursor.description

    @property
    def rowcount(self) -> int:
        return self._result.rowcount

    @property
    def lastrowid(self) -> Any:
        return self._result.lastrowid

    def fetchone(self) -> tuple[Any, ...] | None:
        row = self._result.fetchone()
        return None if row is None else _tuple(row)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        return [_tuple(row) for row in self._result.fetchmany(size)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [_tuple(row) for row in self._result.fetchall()]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return map(_tuple, self._result)


Fetch = Callable[[Cursor], Any]


def fetch_all(cursor: Cursor) -> list[tuple[Any, ...]] | None:
    """All rows; None of a statement that has none to give."""
    return None if cursor.description is None else cursor.fetchall()


def fetch_one(cursor: Cursor) -> tuple[Any, ...] | None:
    """The first row; None where there is none."""
    return None if cursor.description is None else cursor.fetchone()


fetch_all_handler, fetch_one_handler = fetch_all, fetch_one  # Airflow's names


def return_single_query_results(sql: str | Iterable[str], return_last: bool, split_statements: bool | None) -> bool:
    """Whether the result is that of one statement, and not a list of one for each."""
    return isinstance(sql, str) and (return_last or not split_statements)


class Statement(NamedTuple):
    """One of ``of`` that are run together; ``number`` counts from 1."""

    text: str
    number: int
    of: int

    def error(self, error: DBAPIError, conn_id: str) -> SqlError:
        """What the database said of it, in one line, and where."""
        position = self._position(error.orig)
        where = f" at line {position[0]}, column {position[1]}" if position else ""
        which = f"statement {self.number} of {self.of}" if self.of > 1 else "the statement"
        said = " ".join(_said(error.orig).split())
        return SqlError(
            f"{which} failed on connection {conn_id!r}{where}: {said}; it is: {self._shown(position)}",
            number=self.number,
            position=position,
        )

    def _position(self, error: Any) -> tuple[int, int] | None:
        """Line and column, from 1, of what PostgreSQL points to."""
        place = getattr(getattr(error, "diag", None), "statement_position", None)
        if place is None or not str(place).isdigit():
            return None
        before = self.text[: int(place) - 1]
        return before.count("\n") + 1, len(before) - before.rfind("\n")

    def _shown(self, position: tuple[int, int] | None) -> str:
        lines = self.text.splitlines()
        line = lines[position[0] - 1] if position and position[0] <= len(lines) else self.text
        shown = " ".join(line.split())
        return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def statements_of(sql: str | Iterable[str], split: bool) -> list[Statement]:
    """The statements of a text, taken apart if ``split``, or of a list of texts; UsageError where there is none."""
    texts = [sql] if isinstance(sql, str) else list(sql)
    if not all(isinstance(text, str) for text in texts):
        raise UsageError(f"sql must be a text or a list of texts, not {sql!r}")
    if split:
        texts = [part for text in texts for part in _split(text)]
    texts = [text.strip() for text in texts if text.strip()]
    if not texts:
        raise UsageError("sql is empty; write at least one statement")
    return [Statement(text, number, len(texts)) for number, text in enumerate(texts, 1)]


def given_parameters(parameters: Any) -> tuple[Any, ...] | dict[str, Any] | None:
    """Parameters as drivers take them: by place or by name; None where there are none."""
    if isinstance(parameters, Mapping):
        return dict(parameters) or None
    if parameters is None or (isinstance(parameters, Iterable) and not isinstance(parameters, str | bytes)):
        return tuple(parameters or ()) or None
    raise UsageError(f"parameters of a statement are a list or a dict, not {parameters!r}")


def _split(text: str) -> list[str]:
    if sqlparse is None:
        raise ConfigError(
            "split_statements needs the package sqlparse; install it with `pip install 'orchestrator[sql]'`, or give "
            "sql as a list of statements"
        )
    parts = (sqlparse.format(part, strip_comments=True).strip() for part in sqlparse.split(text))
    return [part.removesuffix(";").rstrip() if part.count(";") == 1 else part for part in parts]


def _said(error: Any) -> str:
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    return str(primary or error).strip().rstrip(".")


def _tuple(row: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
