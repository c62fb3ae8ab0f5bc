"""Clients written in C that raise no audit event: what is known of them, by module."""

from functools import partial
from types import ModuleType
from typing import Any

from orchestrator.dagbag.quarantine.effects import Kind
from orchestrator.dagbag.quarantine.guards import Watched, guard, guard_method
from orchestrator.dagbag.quarantine.late import Amend


def _connects(what: str) -> Watched:
    """``connects to PostgreSQL at db:5432``, as far as the call names it; never a password."""

    def describe(*_: Any, **named: Any) -> str:
        host = named.get("host") or named.get("hostname") or named.get("server") or named.get("hostaddr")
        if host is None:
            return f"connects to {what}"
        port = named.get("port")
        return f"connects to {what} at {host}:{port}" if port else f"connects to {what} at {host}"

    return Watched(Kind.NETWORK, describe)


def _writes(what: str) -> Watched:
    return Watched(Kind.FILE, lambda *_, **__: f"writes {what}")


def _duckdb(database: Any = ":memory:", *_: Any, **named: Any) -> str | None:
    is_file = str(database) not in ("", ":memory:", ":default:") and not named.get("read_only")
    return f"opens the DuckDB database {database}" if is_file else None


def _h5(name: Any = "", mode: str = "r", *_: Any, **__: Any) -> str | None:
    return None if mode == "r" else f"writes the file {name}"


def _netcdf(filename: Any = "", mode: str = "r", *_: Any, **__: Any) -> str | None:
    return None if mode == "r" else f"writes the file {filename}"


FUNCTIONS: dict[str, dict[str, Watched]] = {
    "psycopg2": {"connect": _connects("PostgreSQL")},
    "psycopg": {"connect": _connects("PostgreSQL")},
    "MySQLdb": dict.fromkeys(("connect", "Connect", "Connection"), _connects("MySQL")),
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
        ("Connection", "connect"): _connects("PostgreSQL"),
        ("AsyncConnection", "connect"): _connects("PostgreSQL"),
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
