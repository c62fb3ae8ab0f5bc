"""Connection types: which fields a form of each has, and what they are called there, in Airflow's words."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

FIELDS: Mapping[str, str] = MappingProxyType(
    {"host": "Host", "schema": "Schema", "login": "Login", "password": "Password", "port": "Port"}
)
"""The fields of a connection that a type may do without, or have another word for."""


class ConnectionType(msgspec.Struct, frozen=True, kw_only=True):
    """``without``: the fields that it has no use for; ``words``: what it calls others; ``port`` is its usual one."""

    name: str
    title: str
    without: tuple[str, ...] = ()
    words: Mapping[str, str] = {}
    port: int | None = None

    def label(self, field: str) -> str:
        return self.words.get(field, FIELDS[field])


_DATABASE = {"schema": "Database"}
_KEYS = ("host", "schema", "port")

TYPES = (
    ConnectionType(name="generic", title="Anything"),
    ConnectionType(name="http", title="HTTP", words={"schema": "Schema (http or https)"}, port=443),
    ConnectionType(name="postgres", title="PostgreSQL", words=_DATABASE, port=5432),
    ConnectionType(name="mysql", title="MySQL", words=_DATABASE, port=3306),
    ConnectionType(name="mssql", title="Microsoft SQL Server", words=_DATABASE, port=1433),
    ConnectionType(name="oracle", title="Oracle", words={"schema": "Service name"}, port=1521),
    ConnectionType(
        name="sqlite", title="SQLite", words={"host": "File"}, without=("schema", "login", "password", "port")
    ),
    ConnectionType(name="snowflake", title="Snowflake", words={"host": "Account"}, without=("port",)),
    ConnectionType(name="redis", title="Redis", words={"schema": "Database number"}, port=6379),
    ConnectionType(name="mongo", title="MongoDB", words=_DATABASE, port=27017),
    ConnectionType(name="smtp", title="Mail (SMTP)", without=("schema",), port=587),
    ConnectionType(name="ssh", title="SSH", without=("schema",), port=22),
    ConnectionType(name="sftp", title="SFTP", without=("schema",), port=22),
    ConnectionType(name="ftp", title="FTP", without=("schema",), port=21),
    ConnectionType(
        name="aws", title="AWS", words={"login": "Access key id", "password": "Secret access key"}, without=_KEYS
    ),
    ConnectionType(name="google_cloud_platform", title="Google Cloud", without=(*_KEYS, "login", "password")),
    ConnectionType(
        name="wasb", title="Azure Blob Storage", words={"login": "Storage account", "password": "Access key"}
    ),
    ConnectionType(name="slack", title="Slack", words={"password": "Token"}, without=(*_KEYS, "login")),
    ConnectionType(name="fs", title="Files", without=tuple(FIELDS)),
)
_BY_NAME = {one.name: one for one in TYPES}


def type_named(name: str) -> ConnectionType:
    """The type of that name; one that nobody has declared has every field."""
    return _BY_NAME.get(name, ConnectionType(name=name, title=name))
