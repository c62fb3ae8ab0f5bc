"""Connection: how to reach another system, and as whom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from orchestrator.authoring.masking import mask_secret
from orchestrator.authoring.vault import current_vault
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.nearest import did_you_mean

_SPELLINGS = {"postgresql": "postgres"}
_MOST_SCHEMES = 2
_LARGEST_PORT = 65_535


@dataclass(repr=False)
class Connection:
    """A connection under Airflow's names. ``extra`` is a JSON object as text, or a dict that becomes one; ``uri``
    stands for all other fields.
    """

    conn_id: str
    conn_type: str | None = None
    description: str | None = None
    host: str | None = None
    schema: str | None = None
    login: str | None = None
    password: str | None = None
    port: int | None = None
    extra: Any = None
    uri: str | None = None

    EXTRA_KEY: ClassVar[str] = "__extra__"

    def __post_init__(self) -> None:
        if isinstance(self.extra, Mapping):
            self.extra = json.dumps(dict(self.extra))
        if self.port is not None:
            self.port = _port(self.port, self.conn_id)
        if self.uri is not None:
            self._fill(self.uri)
        mask_secret(self.password)
        mask_secret(_object(self.extra))

    def __repr__(self) -> str:
        return f"<Connection: {self.conn_id}>"

    @classmethod
    def get(cls, conn_id: str) -> "Connection":
        """The connection of that id; NotFoundError names the nearest."""
        vault = current_vault()
        found = vault.connection(conn_id)
        if found is None:
            raise NotFoundError(
                f"there is no connection {conn_id!r}{did_you_mean(conn_id, vault.connection_ids())}; "
                f"add it with `orchestrator connections add {conn_id}`"
            )
        return Connection.from_text(found, conn_id)

    @classmethod
    def from_text(cls, text: str, conn_id: str) -> Self:
        """From a URI or a JSON object."""
        return cls.from_json(text, conn_id) if text.lstrip().startswith("{") else cls.from_uri(text, conn_id)

    @classmethod
    def from_uri(cls, uri: str, conn_id: str) -> Self:
        """``type://login:password@host:port/schema?extra=…``; UsageError where it is none."""
        return cls(conn_id=conn_id, uri=uri)

    @classmethod
    def from_json(cls, value: str, conn_id: str = "") -> Self:
        """A JSON object of fields; UsageError for what is none, or a field that there is not."""
        try:
            given = json.loads(value)
        except ValueError:
            given = None
        known = {field.name for field in fields(cls)} - {"conn_id", "uri"}
        if not isinstance(given, dict):
            raise UsageError(f"the connection {conn_id!r} is no JSON object and no URI")
        for name in given.keys() - known - {"conn_id"}:
            raise UsageError(f"the connection {conn_id!r} has no field {name!r}{did_you_mean(name, known)}")
        given.pop("conn_id", None)
        if given.get("conn_type"):
            given["conn_type"] = _type(given["conn_type"])
        given["port"] = given.get("port") or None
        return cls(conn_id=conn_id, **given)

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """``extra`` as a dict, empty where it is no JSON object."""
        return _object(self.extra)

    def get_uri(self) -> str:
        """All of it in one URI, from which ``from_uri`` makes the same connection; the description is not in it."""
        scheme = f"{self.conn_type.lower().replace('_', '-')}://" if self.conn_type else "//"
        host = self.host or ""
        if "://" in host:
            protocol, host = host.split("://", 1)
            scheme += "" if protocol == self.conn_type else f"{protocol}://"
        user = "" if self.login is None else quote(self.login, safe="")
        user += "" if self.password is None else f":{quote(self.password, safe='')}"
        place = quote(host, safe="")
        if self.port is not None:
            place += f":{self.port}" if place or user else f"@:{self.port}"
        path = f"/{quote(self.schema, safe='')}" if self.schema else ""
        return f"{scheme}{user}{'@' if user else ''}{place}{path}{self._query(path)}"

    def to_dict(self, *, prune_empty: bool = False) -> dict[str, Any]:
        """The fields as JSON values; ``extra`` as a dict."""
        found = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "uri"}
        found["extra"] = self.extra_dejson
        return {name: value for name, value in found.items() if value not in (None, {})} if prune_empty else found

    def as_json(self) -> str:
        """The fields that say something, as a JSON object; ``extra`` as it is."""
        names = (field.name for field in fields(self) if field.name not in ("uri", "conn_id"))
        return json.dumps({name: getattr(self, name) for name in names if getattr(self, name) is not None})

    def _query(self, path: str) -> str:
        if not self.extra:
            return ""
        extra = self.extra_dejson
        query = urlencode(extra) if extra else ""
        if not query or dict(parse_qsl(query, keep_blank_values=True)) != extra:
            query = urlencode({self.EXTRA_KEY: self.extra})
        return f"{'?' if path else '/?'}{query}"

    def _fill(self, uri: str) -> None:
        """The fields that a URI gives. A host may have a scheme of its own: ``http://https://host``."""
        try:
            kind, _, rest = uri.partition("://")
            inner, _, address = rest.rpartition("://")
            parts = urlsplit(f"//{address}")
            self.port = parts.port
        except ValueError:
            raise _bad_uri(self.conn_id) from None
        if not kind or "://" not in uri or uri.count("://") > _MOST_SCHEMES or set("@:") & set(inner):
            raise _bad_uri(self.conn_id)
        self.conn_type = _type(kind)
        host = _host(parts.netloc)
        self.host = f"{inner}://{host}" if inner else host
        self.schema = unquote(parts.path[1:])
        self.login = None if parts.username is None else unquote(parts.username)
        self.password = None if parts.password is None else unquote(parts.password)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.extra = query.get(self.EXTRA_KEY, json.dumps(query)) if query else self.extra
        self.uri = None


def _host(netloc: str) -> str:
    """As it is written: urlsplit puts it in small letters, and a socket's path among them is no name."""
    host = netloc.rpartition("@")[2]
    if host.startswith("["):
        return host[1 : host.find("]")]
    return unquote(host.partition(":")[0])


def _bad_uri(conn_id: str) -> UsageError:
    return UsageError(
        f"the connection {conn_id!r} is no URI such as type://login:password@host:port/schema?extra=1; "
        f"write %40 and the like for special characters in its parts"
    )


def _type(name: str) -> str:
    return _SPELLINGS.get(name, name).replace("-", "_")


def _port(value: Any, conn_id: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = -1
    if not 0 <= number <= _LARGEST_PORT:
        raise UsageError(f"the port of connection {conn_id!r} is a number from 0 to {_LARGEST_PORT}, not {value!r}")
    return number


def _object(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
