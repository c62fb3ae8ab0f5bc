"""Variables: a table of record; every value is encrypted."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Engine, delete, func, insert, or_, select, update

from orchestrator.core.rights import LOCAL, Principal, Right
from orchestrator.exceptions import UsageError
from orchestrator.ports import Clock
from orchestrator.storage.audit import note
from orchestrator.storage.database import AnyRow, advance, reading, writing
from orchestrator.storage.guard import Guarded, of_home
from orchestrator.storage.keyring import Keyring
from orchestrator.storage.tables import variables

VAULT = "vault"
"""The counter that rises with each change of a variable or connection."""

_LONGEST_KEY = 250


class StoredVariable(msgspec.Struct, frozen=True, kw_only=True):
    """One variable, decrypted."""

    key: str
    value: str
    description: str | None = None


class FoundVariables(msgspec.Struct, frozen=True, kw_only=True):
    """A page of those that were found: ``total`` in all, of so many that are ``known``."""

    page: list[StoredVariable]
    total: int
    known: int


class VariableStore(Guarded):
    """Reads and changes variables. ``by`` is who asked; the audit tells that a variable was set, never to what."""

    def __init__(self, engine: Engine, keyring: Keyring, clock: Clock, who: Principal = LOCAL) -> None:
        super().__init__(engine, who)
        self._keyring = keyring
        self._clock = clock

    @of_home.taking(Right.EDIT)
    def keys(self) -> list[str]:
        with reading(self._engine) as connection:
            return list(connection.execute(select(variables.c.key).order_by(variables.c.key)).scalars())

    @of_home.taking(Right.EDIT)
    def all(self) -> list[StoredVariable]:
        """Every variable, by key."""
        with reading(self._engine) as connection:
            return [self._opened(row) for row in connection.execute(select(variables).order_by(variables.c.key))]

    @of_home.taking(Right.EDIT)
    def found(self, words: str = "", *, limit: int = 100, offset: int = 0) -> FoundVariables:
        """Those with these words in their key or description, by key; only what is on the page is decrypted."""
        is_like = or_(
            variables.c.key.icontains(words, autoescape=True), variables.c.description.icontains(words, autoescape=True)
        )
        page = select(variables).where(is_like).order_by(variables.c.key).limit(limit).offset(offset)
        count = select(func.count()).select_from(variables)
        with reading(self._engine) as connection:
            return FoundVariables(
                page=[self._opened(row) for row in connection.execute(page)],
                total=connection.execute(count.where(is_like)).scalar_one(),
                known=connection.execute(count).scalar_one(),
            )

    @of_home.taking(Right.EDIT)
    def get(self, key: str) -> StoredVariable | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(variables).where(variables.c.key == key)).first()
        return None if row is None else self._opened(row)

    @of_home.taking(Right.EDIT)
    def set(self, key: str, value: str, description: str | None = None, *, by: str) -> None:
        """Make or change a variable; without a ``description`` it has none."""
        self.set_all({key: (value, description)}, by=by)

    @of_home.taking(Right.EDIT)
    def set_all(self, changes: Mapping[str, tuple[str, str | None]], *, by: str) -> None:
        """Make or change several, (value, description) by key, or none of them; UsageError for a key that is none."""
        for key in changes:
            _require_key(key)
        tokens = {key: self._keyring.encrypt(value) for key, (value, _) in changes.items()}
        with writing(self._engine) as connection:
            advance(connection, VAULT)
            for key, (_, description) in changes.items():
                values = {"value": tokens[key], "description": description}
                if not connection.execute(update(variables).where(variables.c.key == key).values(**values)).rowcount:
                    connection.execute(insert(variables).values(key=key, **values))
                note(connection, self._clock.now(), self._in_the_name_of(by), "set_variable", key=key)

    @of_home.taking(Right.EDIT)
    def delete(self, key: str, *, by: str) -> bool:
        """Whether there was one."""
        with writing(self._engine) as connection:
            advance(connection, VAULT)
            if not connection.execute(delete(variables).where(variables.c.key == key)).rowcount:
                return False
            note(connection, self._clock.now(), self._in_the_name_of(by), "delete_variable", key=key)
            return True

    @of_home.taking(Right.ADMIN)
    def rotate(self) -> int:
        """Encrypt every value with the first key; how many there are."""
        with writing(self._engine) as connection:
            rows = connection.execute(select(variables)).all()
            for row in rows:
                token = self._keyring.rotate(row.value, _name(row.key))
                connection.execute(update(variables).where(variables.c.key == row.key).values(value=token))
            return len(rows)

    def _opened(self, row: AnyRow) -> StoredVariable:
        value = self._keyring.decrypt(row.value, _name(row.key))
        return StoredVariable(key=row.key, value=value, description=row.description)


def _name(key: str) -> str:
    return f"the variable {key!r}"


def _require_key(key: str) -> None:
    if not key.strip() or len(key) > _LONGEST_KEY or "\x00" in key:
        raise UsageError(f"a variable's key has 1 to {_LONGEST_KEY} characters; {key[:40]!r} is none")
