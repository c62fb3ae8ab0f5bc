"""Connections: a table of record; passwords and extras are encrypted."""

import re

from sqlalchemy import Engine, delete, insert, select, update

from orchestrator.authoring.connection import Connection
from orchestrator.core.rights import LOCAL, Principal, Right
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.ports import Clock
from orchestrator.storage.audit import note
from orchestrator.storage.database import AnyRow, advance, reading, writing
from orchestrator.storage.guard import Guarded, of_home
from orchestrator.storage.keyring import Keyring
from orchestrator.storage.tables import connections
from orchestrator.storage.variables import VAULT

_ID = re.compile(r"[\w.-]{1,200}")
_SECRETS = ("password", "extra")


class ConnectionStore(Guarded):
    """Reads and changes connections. ``by`` is who asked; the audit never tells of what is in them."""

    def __init__(self, engine: Engine, keyring: Keyring, clock: Clock, who: Principal = LOCAL) -> None:
        super().__init__(engine, who)
        self._keyring = keyring
        self._clock = clock

    @of_home.taking(Right.EDIT)
    def ids(self) -> list[str]:
        with reading(self._engine) as connection:
            return list(connection.execute(select(connections.c.conn_id).order_by(connections.c.conn_id)).scalars())

    @of_home.taking(Right.EDIT)
    def all(self) -> list[Connection]:
        """Every connection, by id."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(connections).order_by(connections.c.conn_id)).all()
        return [self._opened(row) for row in rows]

    @of_home.taking(Right.EDIT)
    def get(self, conn_id: str) -> Connection | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(connections).where(connections.c.conn_id == conn_id)).first()
        return None if row is None else self._opened(row)

    @of_home.taking(Right.EDIT)
    def add(self, new: Connection, *, overwrite: bool = False, by: str) -> None:
        """ConflictError where there is one of that id already, unless it may be overwritten."""
        if not _ID.fullmatch(new.conn_id):
            raise UsageError(
                f"a connection's id has 1 to 200 letters, digits, dots, dashes and underscores; {new.conn_id!r} has not"
            )
        values = self._closed(new)
        with writing(self._engine) as connection:
            advance(connection, VAULT)
            known = select(connections.c.conn_id).where(connections.c.conn_id == new.conn_id)
            if connection.execute(known).first() is None:
                connection.execute(insert(connections).values(conn_id=new.conn_id, **values))
            elif not overwrite:
                raise ConflictError(f"there is a connection {new.conn_id!r} already; delete it first")
            else:
                connection.execute(update(connections).where(connections.c.conn_id == new.conn_id).values(**values))
            note(connection, self._clock.now(), self._in_the_name_of(by), "set_connection", conn_id=new.conn_id)

    @of_home.taking(Right.EDIT)
    def delete(self, conn_id: str, *, by: str) -> bool:
        """Whether there was one."""
        with writing(self._engine) as connection:
            advance(connection, VAULT)
            if not connection.execute(delete(connections).where(connections.c.conn_id == conn_id)).rowcount:
                return False
            note(connection, self._clock.now(), self._in_the_name_of(by), "delete_connection", conn_id=conn_id)
            return True

    @of_home.taking(Right.ADMIN)
    def rotate(self) -> int:
        """Encrypt every secret with the first key; how many connections there are."""
        with writing(self._engine) as connection:
            rows = connection.execute(select(connections)).all()
            for row in rows:
                fresh = self._closed(self._opened(row))
                connection.execute(update(connections).where(connections.c.conn_id == row.conn_id).values(**fresh))
            return len(rows)

    def _opened(self, row: AnyRow) -> Connection:
        fields = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
        for name in _SECRETS:
            if fields[name] is not None:
                fields[name] = self._keyring.decrypt(fields[name], f"the connection {row.conn_id!r}")
        return Connection(**fields)

    def _closed(self, one: Connection) -> dict[str, object]:
        fields = {name: getattr(one, name) for name in connections.c.keys() if name != "conn_id"}  # noqa: SIM118
        for name in _SECRETS:
            if fields[name] is not None:
                fields[name] = self._keyring.encrypt(fields[name])
        return fields
