"""Guard: the one place where it is decided who may ask what.

Every public question declares here what it is about; what its principal may not see is as if it were not there.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, Select, select

from orchestrator.clock import SystemClock
from orchestrator.core.rights import LOCAL, Principal, Right
from orchestrator.exceptions import ForbiddenError, NotFoundError
from orchestrator.storage.audit import AuditLog
from orchestrator.storage.database import reading
from orchestrator.storage.reach import within
from orchestrator.storage.tables import audit, dag_versions, requests, runs
from orchestrator.storage.views import RunRow

P = ParamSpec("P")
R = TypeVar("R")
G = TypeVar("G", bound="Guarded")

_VERBS = {Right.VIEW: "see", Right.TRIGGER: "run", Right.EDIT: "change", Right.ADMIN: "administer"}


class Guarded:
    """Asks in the name of ``who``: the questions of its subclasses answer with what that principal may see."""

    def __init__(self, engine: Engine, who: Principal = LOCAL) -> None:
        self._engine = engine
        self._who = who

    def _visible(self, dag_id: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a row's DAG may be seen, for the query of a list."""
        return within(dag_id, self._who.dags(Right.VIEW))

    def _in_the_name_of(self, by: str) -> str:
        """Who is recorded to have asked: the principal, unless it is local and says who sits there."""
        return by if self._who.via == LOCAL.via else f"{self._who.via}:{self._who.name}"

    def _require(self, right: Right, dag_id: str, what: str, action: str) -> None:
        """``what`` was asked for by name: what may not be seen is answered for as what is not there."""
        if not self._who.may(Right.VIEW, dag_id):
            raise NotFoundError(f"there is no {what}")
        if not self._who.may(right, dag_id):
            refusal = f"{self._who.name} may see the DAG {dag_id!r}, but not {_VERBS[right]} it"
            self._refuse(right, action, refusal, dag_id)

    def _require_all(self, right: Right, action: str) -> None:
        if not self._who.may(right):
            self._refuse(right, action, f"{self._who.name} may not {_VERBS[right]} what belongs to all DAGs")

    def _refuse(self, right: Right, action: str, refusal: str, dag_id: str | None = None) -> NoReturn:
        """ForbiddenError; where something was to be changed, the audit tells of it."""
        if right > Right.VIEW:
            AuditLog(self._engine, SystemClock()).note(self._who.by, action, dag_id=dag_id, refusal=refusal)
        raise ForbiddenError(refusal)


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """Declares of a public question what its first argument is, which DAGs that is ``about``, and what it takes.

    Where the first argument is None all DAGs are meant: that takes ``of_all``, or else the question itself leaves out
    what may not be seen.
    """

    about: Callable[[Engine, Any, str], Iterable[str]] | None = None
    named: Callable[[Any], str] = str
    right: Right = Right.VIEW
    of_all: Right | None = None

    def taking(self, right: Right, *, of_all: Right | None = None) -> "Guard":
        return msgspec.structs.replace(self, right=right, of_all=of_all)

    def __call__(self, question: Callable[Concatenate[G, P], R]) -> Callable[Concatenate[G, P], R]:
        first = next(iter([*inspect.signature(question).parameters][1:]), "")
        whatever = max(self.right, self.of_all or self.right)

        @functools.wraps(question)
        def asked(guarded: G, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not guarded._who.may(whatever):  # noqa: SLF001 - this is what it is there for
                self._check(guarded, args[0] if args else kwargs.get(first), question.__name__)
            return question(guarded, *args, **kwargs)

        asked.guard = self  # type: ignore[attr-defined]
        return asked

    def _check(self, guarded: Guarded, first: Any, action: str) -> None:
        if self.about is None:
            guarded._require_all(self.right, action)  # noqa: SLF001
        elif guarded._who.dags(Right.VIEW).nothing:  # noqa: SLF001
            raise ForbiddenError(f"{guarded._who.name} has no right to anything here")  # noqa: SLF001
        elif first is not None:
            what = self.named(first)
            for dag_id in self.about(guarded._engine, first, what):  # noqa: SLF001
                guarded._require(self.right, dag_id, what, action)  # noqa: SLF001
        elif self.of_all is not None:
            guarded._require_all(self.of_all, action)  # noqa: SLF001


def guard_of(question: Callable[..., Any]) -> Guard | None:
    """What a method declares; None where it may not be asked from outside."""
    found = getattr(question, "guard", None)
    return found if isinstance(found, Guard) else None


def _that_dag(_engine: Engine, dag_id: str, _what: str) -> Iterable[str]:
    return (dag_id,)


def _dags_of_run(engine: Engine, run: RunRow | int, what: str) -> Iterable[str]:
    """A row may come from outside: each of its keys counts."""
    with reading(engine) as connection:
        if isinstance(run, int):
            return (_the_one(connection, _with_key(run), what),)
        found = {run.dag_id}
        if run.run_key:
            found.add(_the_one(connection, _with_key(run.run_key), what))
        if run.request_id:
            found.add(_dag_asked_for(connection, run.request_id, what))
    return found


def _dag_of_version(engine: Engine, version_id: int, what: str) -> Iterable[str]:
    with reading(engine) as connection:
        query = select(dag_versions.c.dag_id).where(dag_versions.c.version_id == version_id)
        return (_the_one(connection, query, what),)


def _dag_of_request(engine: Engine, request_id: int, what: str) -> Iterable[str]:
    with reading(engine) as connection:
        return (_dag_asked_for(connection, request_id, what),)


def _nothing(_engine: Engine, _argument: object, _what: str) -> Iterable[str]:
    return ()


def _with_key(run_key: int) -> Select[Any]:
    return select(runs.c.dag_id).where(runs.c.run_key == run_key)


def _dag_asked_for(connection: Connection, request_id: int, what: str) -> str:
    waiting = connection.execute(select(requests.c.dag_id).where(requests.c.id == request_id)).scalar()
    if waiting is not None:
        return str(waiting)
    return _the_one(connection, select(audit.c.dag_id).where(audit.c.request_id == request_id), what)


def _the_one(connection: Connection, query: Select[Any], what: str) -> str:
    found = connection.execute(query).scalar()
    if found is None:
        raise NotFoundError(f"there is no {what}")
    return str(found)


def _named_run(run: RunRow | int) -> str:
    return f"run with key {run}" if isinstance(run, int) else f"run {run.run_id!r}"


of_dag = Guard(about=_that_dag, named=lambda dag_id: f"DAG {dag_id!r}")
of_run = Guard(about=_dags_of_run, named=_named_run)
"""By its key, or by its row."""
of_version = Guard(about=_dag_of_version, named=lambda number: f"version {number}")
of_request = Guard(about=_dag_of_request, named=lambda number: f"request {number}")
of_home = Guard()
"""What belongs to no DAG, such as pools and variables."""
visible = Guard(about=_nothing)
"""Whoever has signed in may ask; the question itself leaves out what may not be seen."""
