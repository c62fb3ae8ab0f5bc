"""What raises no audit event, clients written in C above all: what is known of them, by module."""

import contextlib
import os
import re
from collections.abc import Callable
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


def _writes(at: int, *names: str) -> Watched:
    """Writes the file that is the argument number ``at``, or one of these by name."""

    def path(*arguments: Any, **named: Any) -> Any:
        by_name = next((named[name] for name in names if name in named), "")
        return arguments[at] if len(arguments) > at else by_name

    return _writes_file(lambda *arguments, **named: f"writes the file {path(*arguments, **named)}", path)


def _opens(name: str, default: str = "r") -> Watched:
    """Opens the file that is the first argument, or called ``name``, in a mode that is the second."""

    def path(*arguments: Any, **named: Any) -> Any:
        return arguments[0] if arguments else named.get(name, "")

    def describe(*arguments: Any, **named: Any) -> str | None:
        mode = arguments[1] if len(arguments) > 1 else named.get("mode", default)
        return (
            None
            if str(mode).startswith("r") and "+" not in str(mode)
            else f"writes the file {path(*arguments, **named)}"
        )

    return _writes_file(describe, path)


def _writes_file(describe: Callable[..., str | None], path: Callable[..., Any]) -> Watched:
    """What is no name of a file, such as one that is open, counts as one that may be written."""

    def its_path(*arguments: Any, **named: Any) -> Any:
        found = path(*arguments, **named)
        return found if isinstance(found, str | bytes | os.PathLike) else 0

    return Watched(Kind.FILE, describe, path=its_path)


def _duckdb(database: Any = ":memory:", *_: Any, **named: Any) -> str | None:
    is_file = str(database) not in ("", ":memory:", ":default:") and not named.get("read_only")
    return f"opens the DuckDB database {database}" if is_file else None


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
    "duckdb": {"connect": _writes_file(_duckdb, lambda database="", *_, **__: database)},
    "netCDF4": {"Dataset": _opens("filename")},
    "_gdbm": {"open": _opens("filename")},
    "_dbm": {"open": _opens("filename")},
    "multiprocessing.util": {"spawnv_passfds": Watched(Kind.PROCESS, lambda *_, **__: "starts a process")},
    "confluent_kafka": dict.fromkeys(("Producer", "Consumer"), _connects("Kafka")),
    "confluent_kafka.admin": {"AdminClient": _connects("Kafka")},
    "grpc": dict.fromkeys(("insecure_channel", "secure_channel"), _connects("a gRPC server")),
    "grpc.aio": dict.fromkeys(("insecure_channel", "secure_channel"), _connects("a gRPC server")),
    "pyarrow.parquet": {"write_table": _writes(1, "where"), "write_to_dataset": _writes(1, "root_path")},
    "pyarrow.feather": {"write_feather": _writes(1, "dest")},
    "pyarrow.csv": {"write_csv": _writes(1, "output_file")},
}

METHODS: dict[str, dict[tuple[str, str], Watched]] = {
    "psycopg": {
        ("Connection", "connect"): _connects("PostgreSQL", 5432),
        ("AsyncConnection", "connect"): _connects("PostgreSQL", 5432),
    },
    "asyncio.base_events": {
        ("BaseEventLoop", "getaddrinfo"): Watched(Kind.NETWORK, _asyncio),  # before it starts a thread for that
    },
    "h5py._hl.files": {("File", "__init__"): _opens("name")},
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
