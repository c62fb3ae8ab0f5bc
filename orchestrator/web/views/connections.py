"""Connections: what there is, without passwords and secret extras, and the form of one."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.secrecy import names_in, place_in, shown_extra, with_secrets
from orchestrator.assembly.typed_json import read_json
from orchestrator.assembly.vault import vault_of
from orchestrator.authoring.connection import Connection
from orchestrator.config import censor
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.connections import ConnectionStore
from orchestrator.web.page import last
from orchestrator.web.views.connection_types import ConnectionType, type_named
from orchestrator.web.views.variables import backend_of

_TEXTS = ("conn_type", "description", "host", "schema", "login")
_LONGEST = 5_000


class ConnectionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A connection in the list; ``place`` is its host, port and schema in one."""

    conn_id: str
    conn_type: str
    description: str
    place: str
    login: str
    has_password: bool
    extra: str
    is_overridden: bool


class ConnectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """``environment`` are the names of the environment's own connections; ``backend`` what is asked before all else."""

    q: str
    lines: list[ConnectionLine]
    known: int
    environment: list[str]
    backend: str


class ConnectionForm(msgspec.Struct, frozen=True, kw_only=True):
    """``texts`` are the fields that are no secrets, and the extra ones with stars for those that are."""

    is_new: bool
    conn_id: str
    texts: Mapping[str, str]
    has_password: bool = False
    errors: Mapping[str, str] = {}

    @property
    def kind(self) -> ConnectionType:
        return type_named(self.texts["conn_type"])


def connection_page(home: Home, q: str) -> ConnectionPage:
    stored, words = vault_of(home).connections.all(), q.casefold()
    lines = [_line(one) for one in stored]
    found = [one for one in lines if any(words in text.casefold() for text in _searched(one))]
    return ConnectionPage(
        q=q, lines=found, known=len(stored), environment=names_in(os.environ, "CONN"), backend=backend_of(home)
    )


def _searched(one: ConnectionLine) -> tuple[str, ...]:
    return one.conn_id, one.conn_type, one.description, one.place


def _line(one: Connection) -> ConnectionLine:
    port = "" if one.port is None else f":{one.port}"
    return ConnectionLine(
        conn_id=one.conn_id,
        conn_type=one.conn_type or "",
        description=one.description or "",
        place=f"{censor(one.host or '')}{port}{'/' if one.schema else ''}{one.schema or ''}",
        login=one.login or "",
        has_password=bool(one.password),
        extra=shown_extra(one),
        is_overridden=place_in(os.environ, "CONN", one.conn_id),
    )


def connection_form(home: Home, conn_id: str) -> ConnectionForm:
    """The form of a connection that is there, or of a new one where no id is given."""
    if not conn_id:
        texts = dict.fromkeys((*_TEXTS, "port", "extra", "uri"), "") | {"conn_type": "generic"}
        return ConnectionForm(is_new=True, conn_id="", texts=texts)
    return _form(_stored(vault_of(home).connections, conn_id))


def _form(one: Connection) -> ConnectionForm:
    texts = {name: censor(getattr(one, name) or "") for name in _TEXTS}
    texts |= {"port": "" if one.port is None else str(one.port), "extra": shown_extra(one), "uri": ""}
    return ConnectionForm(is_new=False, conn_id=one.conn_id, texts=texts, has_password=bool(one.password))


def _stored(store: ConnectionStore, conn_id: str) -> Connection:
    found = store.get(conn_id)
    if found is None:
        raise NotFoundError(f"there is no connection {conn_id[:200]!r}{did_you_mean(conn_id[:200], store.ids())}")
    return found


def save_connection(home: Home, fields: Mapping[str, Sequence[str]]) -> ConnectionForm | None:
    """Make or change a connection; the form again, with what is wrong and without its secrets, where that cannot be."""
    store, conn_id, is_new = vault_of(home).connections, last(fields, "conn_id"), last(fields, "is_new") == "true"
    before = Connection(conn_id) if is_new else _stored(store, conn_id)
    texts = {name: last(fields, name).strip() for name in (*_TEXTS, "port", "extra")} | {"uri": ""}
    form = ConnectionForm(is_new=is_new, conn_id=conn_id, texts=texts, has_password=bool(before.password))
    wrong = "extra"
    try:
        extra = _extra(texts["extra"], before)
        wrong = "uri"
        made = _of_uri(last(fields, "uri").strip(), conn_id, texts["description"])
        wrong = "port"
        made = made or replace(before, **_given(texts, before), password=_password(fields, before), extra=extra)
        wrong = "conn_type"
        _require_short(made)
        wrong = "conn_id"
        store.add(made, overwrite=not is_new, by="")
    except (ConflictError, UsageError) as error:
        return msgspec.structs.replace(form, errors={wrong: str(error)})
    return None


def _of_uri(uri: str, conn_id: str, description: str) -> Connection | None:
    if not uri:
        return None
    made = Connection.from_uri(uri, conn_id)
    made.description = description or None
    return made


def _given(texts: Mapping[str, str], before: Connection) -> dict[str, Any]:
    port = texts["port"]
    if port and not (port.isascii() and port.isdigit() and len(port) < 6):
        raise UsageError("write a number from 0 to 65535")
    given: dict[str, Any] = {name: texts[name] or None for name in _TEXTS} | {"port": int(port) if port else None}
    if before.host and given["host"] == censor(before.host):
        given["host"] = before.host
    return given


def _require_short(made: Connection) -> None:
    if not made.conn_type:
        raise UsageError("say what it leads to, such as http or postgres")
    if any(len(getattr(made, name) or "") > _LONGEST for name in (*_TEXTS, "password")):
        raise UsageError(f"a field has {_LONGEST} characters at most")


def _password(fields: Mapping[str, Sequence[str]], before: Connection) -> str | None:
    """As it was, where none is written; a password may begin and end with blanks."""
    if last(fields, "no_password"):
        return None
    return last(fields, "password") or before.password


def _extra(text: str, before: Connection) -> str | None:
    """What was sent, with what was kept in the place of stars."""
    if not text:
        return None
    if text == shown_extra(before):
        return str(before.extra)
    sent = read_json(text, "this")
    if not isinstance(sent, dict):
        raise UsageError('write a JSON object, such as {"timeout": 10}')
    try:
        return json.dumps(with_secrets(sent, before.extra_dejson))
    except RecursionError:
        raise UsageError("this is nested too deeply; make it flatter") from None


def delete_connection(home: Home, conn_id: str) -> None:
    store = vault_of(home).connections
    _stored(store, conn_id)
    store.delete(conn_id, by="")
