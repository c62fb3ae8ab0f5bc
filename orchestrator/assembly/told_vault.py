"""The variables and connections of a home, for whoever asks: elsewhere than on its machine, no secret is told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.secrecy import has_stars, shown_value, value_with_secrets
from orchestrator.assembly.vault import vault_of
from orchestrator.authoring.connection import Connection
from orchestrator.authoring.masking import STARS
from orchestrator.config import censor
from orchestrator.core.rights import LOCAL, Right
from orchestrator.exceptions import UsageError
from orchestrator.storage.connections import ConnectionStore
from orchestrator.storage.guard import Guarded, of_home
from orchestrator.storage.variables import StoredVariable, VariableStore
from orchestrator.storage.vault import HomeVault


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A connection: its fields as JSON."""

    conn_id: str
    fields: str

    def read(self) -> Connection:
        return Connection.from_json(self.fields, self.conn_id)


class _Told(Guarded):
    def __init__(self, home: Home) -> None:
        super().__init__(home.engine, home.who)
        self._home = home

    @cached_property
    def _vault(self) -> HomeVault:
        return vault_of(self._home)

    @property
    def _is_here(self) -> bool:
        return self._who.via == LOCAL.via


class ToldVariables(_Told):
    """Of a value that holds secrets, whoever asks from elsewhere is told the rest."""

    @of_home.taking(Right.EDIT)
    def keys(self) -> list[str]:
        return self._store.keys()

    @of_home.taking(Right.EDIT)
    def all(self) -> list[StoredVariable]:
        """By key."""
        return [self._told(one) for one in self._store.all()]

    @of_home.taking(Right.EDIT)
    def get(self, key: str) -> StoredVariable | None:
        found = self._store.get(key)
        return None if found is None else self._told(found)

    @of_home.taking(Right.EDIT)
    def lookup(self, key: str) -> str | None:
        """What a task finds: also in the secrets backends and in the environment, of which stars are told elsewhere."""
        found = self._vault.variable(key)
        if found is None or self._is_here:
            return found
        stored = self._store.get(key)
        return self._told(stored).value if stored is not None and stored.value == found else STARS

    @of_home.taking(Right.EDIT)
    def set_all(self, changes: Mapping[str, tuple[str, str | None]], *, by: str) -> None:
        """See VariableStore; stars stand for the secrets that are kept, UsageError where there are none."""
        kept = {key: found.value for key in changes if (found := self._store.get(key)) is not None}
        whole = {key: (value_with_secrets(key, value, kept.get(key)), about) for key, (value, about) in changes.items()}
        self._store.set_all(whole, by=by)

    @of_home.taking(Right.EDIT)
    def delete(self, key: str, *, by: str) -> bool:
        """Whether there was one."""
        return self._store.delete(key, by=by)

    @property
    def _store(self) -> VariableStore:
        return self._vault.variables

    def _told(self, one: StoredVariable) -> StoredVariable:
        shown = shown_value(one.key, one.value)
        if self._is_here or shown.is_whole:
            return one
        text = json.dumps(json.loads(shown.text)) if shown.is_json else shown.text
        return msgspec.structs.replace(one, value=text)


class ToldConnections(_Told):
    """Whoever asks from elsewhere sees stars for passwords and for extra fields."""

    @of_home.taking(Right.EDIT)
    def ids(self) -> list[str]:
        return self._store.ids()

    @of_home.taking(Right.EDIT)
    def all(self) -> list[Kept]:
        """By id."""
        return [self._told(one) for one in self._store.all()]

    @of_home.taking(Right.EDIT)
    def get(self, conn_id: str) -> Kept | None:
        found = self._store.get(conn_id)
        return None if found is None else self._told(found)

    @of_home.taking(Right.EDIT)
    def lookup(self, conn_id: str) -> Kept | None:
        """What a task finds: also in the secrets backends and in the environment."""
        found = self._vault.connection(conn_id)
        return None if found is None else self._told(Connection.from_text(found, conn_id))

    @of_home.taking(Right.EDIT)
    def add(self, new: Kept, *, overwrite: bool = False, by: str) -> None:
        """Make one, or change it where that may be; ConflictError, or UsageError where stars stand for a secret."""
        made = new.read()
        if any(map(has_stars, (made.password, made.host, *made.extra_dejson.values()))):
            raise UsageError(f"the connection {new.conn_id!r} has stars where a secret was left out; write it in")
        self._store.add(made, overwrite=overwrite, by=by)

    @of_home.taking(Right.EDIT)
    def delete(self, conn_id: str, *, by: str) -> bool:
        """Whether there was one."""
        return self._store.delete(conn_id, by=by)

    @property
    def _store(self) -> ConnectionStore:
        return self._vault.connections

    def _told(self, one: Connection) -> Kept:
        if self._is_here:
            return Kept(conn_id=one.conn_id, fields=one.as_json())
        safe = replace(
            one,
            password=STARS if one.password else one.password,
            extra=json.dumps(dict.fromkeys(one.extra_dejson or [""], STARS)) if one.extra else one.extra,
            host=None if one.host is None else censor(one.host),
        )
        return Kept(conn_id=one.conn_id, fields=safe.as_json())
