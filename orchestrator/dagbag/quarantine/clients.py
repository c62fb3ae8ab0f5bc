"""Clients written in C that raise no audit event: what is known of them, by module."""

import contextlib
import re
from functools import partial
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from orchestrator.dagbag.quarantine.effects import Kind
from orchestrator.dagbag.quarantine.guards import Watched, guard, guard_method
from orchestrator.dagbag.quarantine.late import Amend

_HOSTS = ("host", "hostname", "server", "hostaddr")
_STRINGS = ("dsn", "conninfo", "connection_string", "target")
_HOST = re.compile(r"(?:host|server)\s*=\s*([^\s;,]+)", re.IGNORECASE)
_PORT = re.compile(r"port\s*=\s*(\d+)", re.IGNORECASE)


def _connects(what: str, port: int | None = None) -> Watched:
    """``connects to db:5432``, as far as the call says where; the rest of what it says may be secret."""

    def describe(*arguments: Any, **named: Any) -> str:
        host, its_port = _host_of(arguments, named)
        return (
            f"connects to {host}:{its_port or port}" if host and (its_port or port) else f"connects to {host or what}"
        )

    return Watched(Kind.NETWORK, describe)


def _host_of(arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[str, str]:
    """The host and port in the arguments by name, or in a connection string or URL; empty where they are not said."""
    for name in _HOSTS:
        if named.get(name):
            return str(named[name]), str(named.get("port") or "")
    text = str(next((value for value in (*arguments, *map(named.get, _STRINGS)) if isinstance(value, str)), ""))
    with contextlib.suppress(ValueError):
        if "://" in text:
            url = urlsplit(text)
            return url.hostname or "", str(url.port or "")
    host, port = _HOST.search(text), _PORT.search(text)
    return host[1] if host else "", port[1] if port else ""


def _writes(what: str) -> Watched:
    return Watched(Kind.FILE, lambda *_, **__: f"writes {what}")


def _duckdb(database: Any = ":memory:", *_: Any, **named: Any) -> str | None:
    is_file = str(database) not in ("", ":memory:", ":default:") and not named.get("read_only")
    return f"opens the DuckDB database {database}" if is_file else None


def _h5(name: Any = "", mode: str = "r", *_: Any, **__: Any) -> str | None:
    return None if mode == "r" else f"writes the file {name}"


def _netcdf(filename: Any = "", mode: str = "r", *_: Any, **__: Any) -> str | None:
    return None if mode == "r" else f"writes the file {filename}"


def _asyncio(host: Any = None, port: Any = None, *_: Any, **__: Any) -> str | None:
    return f"connects to {host}:{port}" if host else None


FUNCTIONS: dict[str, dict[str, Watched]] = {
    "psycopg2": {"connect": _connects("PostgreSQL", 5432)},
    "psycopg": {"connect": _connects("PostgreSQL", 5432)},
    "MySQLdb": dict.fromkeys(("connect", "Connect", "Connection"), _connects("MySQL", 3306)),
    "cx_Oracle": dict.fromkeys(("connect", "Connection", "SessionPool"), _connects("Oracle")),
    "oracledb": dict.fromkeys(("connect", "connect_async", "create_pool"), _connects("Oracle")),
    "pyodbc": {"connect": _connects("a database")},
    "pymssql": {"connect": _connects("SQL Server")},
    "ibm_db": dict.fromkeys(("connect", "pconnect"), _connects("Db2")),
    "duckdb": {"connect": Watched(Kind.FILE, _duckdb)},
    "h5py": {"File": Watched(Kind.FILE, _h5)},
    "netCDF4": {"Dataset": Watched(Kind.FILE, _netcdf)},
    "confluent_kafka": dict.fromkeys(("Producer", "Consumer"), _connects("Kafka")),
    "confluent_kafka.admin": {"AdminClient": _connects("Kafka")},
    "grpc": dict.fromkeys(("insecure_channel", "secure_channel"), _connects("a gRPC server")),
    "grpc.aio": dict.fromkeys(("insecure_channel", "secure_channel"), _connects("a gRPC server")),
    "pyarrow.parquet": dict.fromkeys(("write_table", "write_to_dataset"), _writes("a Parquet file")),
    "pyarrow.feather": {"write_feather": _writes("a Feather file")},
    "pyarrow.csv": {"write_csv": _writes("a CSV file")},
}

METHODS: dict[str, dict[tuple[str, str], Watched]] = {
    "psycopg": {
        ("Connection", "connect"): _connects("PostgreSQL", 5432),
        ("AsyncConnection", "connect"): _connects("PostgreSQL", 5432),
    },
    "asyncio.base_events": {
        ("BaseEventLoop", "getaddrinfo"): Watched(Kind.NETWORK, _asyncio),  # before it starts a thread for that
    },
    "pymongo.mongo_client": {("MongoClient", "__init__"): _connects("MongoDB")},
}


def amendments() -> dict[str, Amend]:
    """What is done to each module once it is imported."""
    return {name: partial(_amend, name) for name in FUNCTIONS.keys() | METHODS.keys()}


def _amend(name: str, module: ModuleType) -> None:
    for (cls, method), watched in METHODS.get(name, {}).items():
        found = getattr(module, cls, None)
        if isinstance(found, type):
            guard_method(found, method, watched)
    for function, watched in FUNCTIONS.get(name, {}).items():
        guard(module, function, watched)
