"""The one place where a driver's error becomes one of ours: what happened, where, and what to do."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import ExceptionContext

from orchestrator.exceptions import (
    SchemaVersionError,
    StorageCorruptError,
    StorageError,
    StorageFullError,
    StorageUnavailableError,
)

MIGRATE = "run `orchestrator db migrate`"


class Translator:
    """Hears of every error of one database; constraint violations are left to who caused them."""

    def __init__(self, url: URL) -> None:
        self._place = url.database or "memory" if url.get_backend_name() == "sqlite" else url.render_as_string()

    def __call__(self, context: ExceptionContext) -> StorageError | None:
        error = context.original_exception
        if isinstance(error, sqlite3.Error):
            return None if isinstance(error, sqlite3.IntegrityError) else self._sqlite(error)
        sqlstate = getattr(error, "sqlstate", None)
        if isinstance(sqlstate, str):
            return self._sqlstate(sqlstate, error)
        if type(error).__name__ in ("OperationalError", "InterfaceError"):
            return StorageUnavailableError(f"{self._place} cannot be reached ({_brief(error)}); see that it runs there")
        return None

    def _sqlite(self, error: sqlite3.Error) -> StorageError | None:
        name = getattr(error, "sqlite_errorname", "")
        kind = "_".join(name.split("_")[:2])
        match kind:
            case "SQLITE_BUSY" | "SQLITE_LOCKED" | "SQLITE_PROTOCOL":
                return StorageUnavailableError(
                    f"the database {self._place} is locked by another process; end what holds it, or try again"
                )
            case "SQLITE_FULL":
                return StorageFullError(
                    f"the disk that holds the database {self._place} is full; nothing was written: make room, "
                    f"then try again"
                )
            case "SQLITE_READONLY" | "SQLITE_PERM" | "SQLITE_AUTH":
                return self._read_only()
            case "SQLITE_CANTOPEN":
                return self._cannot_open()
            case "SQLITE_IOERR":
                return StorageUnavailableError(
                    f"the disk refused to read or write the database {self._place} ({error}); check the disk and "
                    f"the room on it"
                )
            case "SQLITE_CORRUPT" | "SQLITE_NOTADB":
                return self._corrupt(error)
            case _ if "no such table" in str(error) or "no such column" in str(error):
                return self._other_schema(error)
        return None

    def _read_only(self) -> StorageError:
        return StorageUnavailableError(
            f"the database {self._place} cannot be written: it, its folder or its disk is read-only for this user; "
            f"give write permission or set [database] sql_alchemy_conn to another place"
        )

    def _cannot_open(self) -> StorageError:
        path = Path(self._place)
        if not path.parent.is_dir():
            return StorageUnavailableError(f"the folder {path.parent} of the database does not exist; {MIGRATE}")
        if not os.access(path.parent, os.X_OK | os.R_OK) or (path.exists() and not os.access(path, os.R_OK)):
            return StorageUnavailableError(
                f"the database {self._place} may not be read by this user; give permission or set [database] "
                f"sql_alchemy_conn to another place"
            )
        if not path.exists() and os.access(path.parent, os.W_OK):
            return SchemaVersionError(f"there is no database {self._place} yet; {MIGRATE}")
        return self._read_only()

    def _corrupt(self, error: BaseException) -> StorageError:
        return StorageCorruptError(
            f"{self._place} is damaged or no database ({_brief(error)}); restore it from a backup, or move it away "
            f"and {MIGRATE}"
        )

    def _other_schema(self, error: BaseException) -> StorageError:
        return SchemaVersionError(
            f"the schema of {self._place} is not the one that this program reads ({_brief(error)}); {MIGRATE}"
        )

    def _sqlstate(self, sqlstate: str, error: BaseException) -> StorageError | None:
        match sqlstate[:2], sqlstate:
            case "23", _:
                return None
            case _, "42P01" | "42703":
                return self._other_schema(error)
            case "XX", "XX001" | "XX002":
                return self._corrupt(error)
            case _, "25006" | "42501":
                return self._read_only()
            case _, "53100":
                return StorageFullError(
                    f"the disk of the database {self._place} is full; nothing was written: make room, then try again"
                )
            case "40" | "55", _:
                return StorageUnavailableError(
                    f"the database {self._place} is locked by another process ({_brief(error)}); try again"
                )
            case "08" | "28" | "3D" | "53" | "57" | "58", _:
                return StorageUnavailableError(
                    f"{self._place} cannot be used just now ({_brief(error)}); see that it runs there and lets us in"
                )
            case _:
                return None


def _brief(error: BaseException) -> str:
    """The driver's words on one line."""
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
