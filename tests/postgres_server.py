"""A PostgreSQL server of the tests' own: in a temporary folder, on a unix socket, ended with them."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

ROLE = "orchestrator"
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "50",
    "autovacuum": "off",
}


def find_program(name: str) -> Path | None:
    """The server's own program: on PATH, or where distributions put it."""
    on_path = shutil.which(name)
    if on_path is not None:
        return Path(on_path)
    found = [path / name for place in _PLACES for path in Path("/").glob(place.lstrip("/")) if (path / name).exists()]
    return max(found, default=None)


class PostgresServer:
    """A running server; ``database`` makes an empty database in it."""

    def __init__(self, folder: Path, program: Path, account: pwd.struct_passwd | None) -> None:
        self._folder = folder
        self._program = program
        self._account = account
        self._count = 0
        self._process = self._start()

    def url(self, name: str) -> str:
        return f"postgresql://{ROLE}@/{name}?host={self._folder}"

    def database(self) -> str:
        """The URL of a new database."""
        self._count += 1
        name = f"test_{self._count}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return self.url(name)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Gone from one moment to the next, with every connection to it, for as long as the block lasts."""
        self.stop()
        yield
        self._process = self._start()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)  # as a crash would: what is committed is in its log all the same
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [self._program, "-D", self._folder / "data", "-k", self._folder, *settings]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log, **_identity(self._account))
        _wait_until_ready(process, self._folder)
        return process


@contextlib.contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Start a server for as long as the block lasts. Skips where there is none; with REQUIRE_POSTGRES it fails."""
    initdb, postgres = find_program("initdb"), find_program("postgres")
    if initdb is None or postgres is None:
        _give_up(
            "no PostgreSQL server is installed (initdb and postgres are neither on PATH nor in /usr/lib/postgresql)"
        )
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data = folder / "data"
        _initialise(initdb, data, account)
        server = PostgresServer(folder, postgres, account)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give_up(reason: str) -> None:
    if os.environ.get("REQUIRE_POSTGRES"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _account() -> pwd.struct_passwd | None:
    """Whom to run as: the server refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    _give_up("the tests run as root and there is no other account to run a PostgreSQL server as")
    return None


def _identity(account: pwd.struct_passwd | None) -> dict[str, object]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _initialise(initdb: Path, data: Path, account: pwd.struct_passwd | None) -> None:
    command = [initdb, "-D", data, "-U", ROLE, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run(command, cwd=data.parent, capture_output=True, text=True, check=False, **_identity(account))
    assert done.returncode == 0, done.stderr


def _wait_until_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"postgresql://{ROLE}@/postgres?host={folder}").close()
            return
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the PostgreSQL server does not start: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.02)
