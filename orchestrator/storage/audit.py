"""The audit: one line for each thing that somebody did, chained, so that no line can be changed or taken out unseen.

Each line holds the hash of the one before it, and a hash of itself with that. Appending takes the seal of the last line
for itself until the caller's transaction ends; so lines are chained in the order of their commits, whoever writes.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, func, insert, select, update

from orchestrator.authoring.masking import SENSITIVE_WORDS, masked_value
from orchestrator.ports import Clock
from orchestrator.storage.database import AnyRow, writing
from orchestrator.storage.projected import plain
from orchestrator.storage.schema import HEAD
from orchestrator.storage.tables import audit, audit_seals, micros

_LONGEST_ID = 250
_LONGEST_BY = 400


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What one line says; ``body`` is JSON."""

    at: datetime
    by: str
    action: str
    dag_id: str | None = None
    run_id: str | None = None
    body: str = "{}"
    request_id: int | None = None
    client_key: str | None = None
    refusal: str | None = None


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """The hash of a line, and so of all lines before it."""

    id: int
    hash: str

    def __str__(self) -> str:
        return f"{self.id}:{self.hash}"


class AuditLog:
    """Takes down what changes no table of record, such as what was refused."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def note(
        self,
        by: str,
        action: str,
        *,
        dag_id: str | None = None,
        run_id: str | None = None,
        refusal: str | None = None,
        **body: object,
    ) -> None:
        """Add a line, durably. ``refusal`` says why it was not done; ``body`` holds no secrets."""
        now = self._clock.now()
        with writing(self._engine) as connection:
            note(connection, now, by, action, dag_id=dag_id, run_id=run_id, refusal=refusal, **body)


def note(
    connection: Connection,
    at: datetime,
    by: str,
    action: str,
    *,
    dag_id: str | None = None,
    run_id: str | None = None,
    refusal: str | None = None,
    **body: object,
) -> None:
    """Add a line in the caller's transaction, as late in it as can be, since others wait; ``body`` holds no secrets."""
    line = Line(
        at=at,
        by=plain(by)[:_LONGEST_BY],
        action=action,
        dag_id=None if dag_id is None else plain(dag_id)[:_LONGEST_ID],
        run_id=None if run_id is None else plain(run_id)[:_LONGEST_ID],
        body=plain(msgspec.json.encode(_sendable(body)).decode()),
        refusal=None if refusal is None else plain(refusal),
    )
    append(connection, [line])


def append(connection: Connection, lines: Sequence[Line]) -> None:
    """Add lines in the caller's transaction."""
    last = lock_head(connection)
    rows = []
    for line in lines:
        safe = msgspec.structs.replace(line, body=_without_secrets(line.body))
        sealed = Seal(id=last.id + 1, hash=digest(last.hash, safe))
        rows.append(msgspec.structs.asdict(safe) | {"id": sealed.id, "prev": last.hash, "hash": sealed.hash})
        last = sealed
    connection.execute(insert(audit), rows)
    set_seal(connection, HEAD, last)


def lock_head(connection: Connection) -> Seal:
    """The seal of the last line; nobody else appends until the transaction ends.

    Where somebody took the seal away, a new chain is begun: what was done is written down all the same, and the
    verification names the line.
    """
    found = seal(connection, HEAD, lock=True)
    if found is not None:
        return found
    last = connection.execute(select(func.max(audit.c.id))).scalar() or 0
    connection.execute(insert(audit_seals).values(name=HEAD, id=last, hash=""))
    return Seal(id=last, hash="")


def seal(connection: Connection, name: str, *, lock: bool = False) -> Seal | None:
    query = select(audit_seals.c.id, audit_seals.c.hash).where(audit_seals.c.name == name)
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else Seal(id=row.id, hash=row.hash)


def set_seal(connection: Connection, name: str, to: Seal) -> None:
    connection.execute(update(audit_seals).where(audit_seals.c.name == name).values(id=to.id, hash=to.hash))


def digest(prev: str, line: Line) -> str:
    """The hash of a line that follows the one of hash ``prev``."""
    fields = [prev, micros(line.at), line.by, line.action, line.dag_id, line.run_id, line.body]
    fields += [line.request_id, line.client_key, line.refusal]
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()


def line_of(row: AnyRow) -> Line:
    """The line that a row of the audit holds."""
    return Line(**{name: getattr(row, name) for name in Line.__struct_fields__})


def _without_secrets(body: str) -> str:
    """The JSON with stars for what has a secret's name, as in a run's conf."""
    words = body.casefold()
    if not any(word in words for word in SENSITIVE_WORDS):
        return body
    try:
        return msgspec.json.encode(masked_value(msgspec.json.decode(body))).decode()
    except (RecursionError, ValueError):  # nested by the hundred, or half a character: whoever asked for that
        return msgspec.json.encode({"left_out": "it may hold secrets, and cannot be taken apart"}).decode()


def _sendable(value: Any) -> Any:
    """The value with text that can be encoded."""
    match value:
        case str():
            return plain(value)
        case dict():
            return {plain(str(key)): _sendable(item) for key, item in value.items()}
        case list() | tuple():
            return [_sendable(item) for item in value]
        case _:
            return value
