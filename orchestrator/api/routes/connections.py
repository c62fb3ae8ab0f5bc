"""``/connections``: what is secret in them goes in, and never comes out."""

import json
from dataclasses import replace
from typing import Any

from fastapi import APIRouter

from orchestrator.api.asked import Asked
from orchestrator.api.bulk import Things, do_all
from orchestrator.api.cutting import Keys, cut
from orchestrator.api.models import admin
from orchestrator.api.models.admin import ConnectionBody, ConnectionCollection, ConnectionPatch
from orchestrator.api.models.bulk import BulkBody, BulkResponse
from orchestrator.api.paging import Paged, Pattern
from orchestrator.assembly.home import Home
from orchestrator.assembly.vault import vault_of
from orchestrator.authoring.connection import Connection
from orchestrator.config import censor
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.connections import ConnectionStore
from orchestrator.storage.listing import fits

router = APIRouter(tags=["Connection"])

_KEYS: Keys[Connection] = {
    "connection_id": lambda one: one.conn_id,
    "conn_id": lambda one: one.conn_id,
    "conn_type": lambda one: one.conn_type,
    "host": lambda one: one.host,
    "port": lambda one: one.port,
}


@router.get("/connections")
def get_connections(home: Asked, paging: Paged, connection_id_pattern: Pattern = None) -> ConnectionCollection:
    """List the connections."""
    found = [one for one in _store(home).all() if fits(connection_id_pattern, one.conn_id)]
    page = [_told(one) for one in cut(found, paging, _KEYS)]
    return ConnectionCollection(connections=page, total_entries=len(found))


@router.get("/connections/{connection_id}")
def get_connection(home: Asked, connection_id: str) -> admin.Connection:
    """A connection."""
    return _told(_find(_store(home), connection_id))


@router.post("/connections", status_code=201)
def post_connection(home: Asked, body: ConnectionBody) -> admin.Connection:
    """Make a connection."""
    store = _store(home)
    store.add(Connection(conn_id=body.connection_id, **_given(body)), by="")
    return _told(_find(store, body.connection_id))


@router.patch("/connections")
def bulk_connections(home: Asked, body: BulkBody[ConnectionBody]) -> BulkResponse:
    """Make, change and delete several connections; of one that is changed, what is not sent stays."""
    store = _store(home)

    def put(one: ConnectionBody) -> None:
        kept = store.get(one.connection_id) or Connection(conn_id=one.connection_id)
        store.add(replace(kept, **_given(one)), overwrite=True, by="")

    things = Things[ConnectionBody](
        what="connections",
        name_of=lambda one: one.connection_id,
        known=store.ids,
        put=put,
        delete=lambda conn_id: store.delete(conn_id, by=""),
    )
    return do_all(body, things)


@router.patch("/connections/{connection_id}")
def patch_connection(home: Asked, connection_id: str, body: ConnectionPatch) -> admin.Connection:
    """Change a connection."""
    store = _store(home)
    store.add(replace(_find(store, connection_id), **_given(body)), overwrite=True, by="")
    return _told(_find(store, connection_id))


@router.delete("/connections/{connection_id}", status_code=204)
def delete_connection(home: Asked, connection_id: str) -> None:
    """Delete a connection."""
    store = _store(home)
    _find(store, connection_id)
    store.delete(connection_id, by="")


def _given(body: ConnectionPatch) -> dict[str, Any]:
    sent = body.model_dump(exclude_unset=True, exclude={"connection_id"})
    _require_object(sent.get("extra") or "{}")
    return {name.rstrip("_"): value for name, value in sent.items()}


def _require_object(extra: str) -> None:
    try:
        is_object = isinstance(json.loads(extra), dict)
    except (ValueError, RecursionError):
        is_object = False
    if not is_object:
        raise UsageError('extra is no JSON object; write one such as {"key": "value"}')


def _store(home: Home) -> ConnectionStore:
    return vault_of(home).connections


def _find(store: ConnectionStore, conn_id: str) -> Connection:
    found = store.get(conn_id)
    if found is None:
        raise NotFoundError(f"there is no connection {conn_id!r}{did_you_mean(conn_id, store.ids())}")
    return found


def _told(one: Connection) -> admin.Connection:
    return admin.Connection(
        connection_id=one.conn_id,
        conn_type=one.conn_type,
        description=one.description,
        host=None if one.host is None else censor(one.host),
        login=one.login,
        schema_=one.schema,
        port=one.port,
        has_password=bool(one.password),
        has_extra=bool(one.extra),
    )
