"""The server as a process: where it listens, when it is there, and how it ends."""

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from orchestrator.assembly.port import listen
from orchestrator.config import load_config
from orchestrator.exceptions import ConfigError, ConflictError
from orchestrator.testing.home import LiveHome


@pytest.fixture
def home(tmp_path: Path) -> Iterator[LiveHome]:
    with LiveHome(tmp_path, settings={"api.port": 0, "api.idle_seconds": 1}) as home:
        yield home


def _port(home: LiveHome) -> int:
    found = home.wait_for(
        "the pages' address is told", lambda: re.search(r"pages are at http://127\.0\.0\.1:(\d+)", home.log.read_text())
    )
    return int(found[1])


def _get(port: int, path: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status


def _servers(home: LiveHome) -> list[int]:
    return [process.pid for process in home.processes() if "api_server" in " ".join(process.cmdline())]


@pytest.mark.slow
def test_standalone_has_a_server_only_while_somebody_asks(home: LiveHome) -> None:
    leader = home.start()
    port = _port(home)
    assert _servers(home) == []
    assert _get(port, "/api/v2/version") == 200
    assert len(_servers(home)) == 1
    home.wait_for("the server is gone", lambda: not _servers(home))
    assert _get(port, "/api/v2/monitor/health") == 200
    leader.send_signal(signal.SIGTERM)
    assert leader.wait(30) == 0
    assert _servers(home) == []
    assert "sign in as admin with the password" in home.log.read_text()


@pytest.mark.slow
def test_a_port_that_is_taken_does_not_keep_runs_from_being_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with LiveHome(tmp_path, settings={"api.port": port}) as home:
            home.start()
            home.wait_for("standalone is ready", lambda: "ready after" in home.log.read_text())
            assert f"port {port} of 127.0.0.1 is taken" in home.log.read_text()
            other.close()
            assert _port(home) == port
            assert _get(port, "/api/v2/version") == 200


@pytest.mark.slow
def test_the_server_alone_ends_when_it_is_told_to(home: LiveHome) -> None:
    assert "db migrate" in home.run("api-server").stderr
    home.run("db", "migrate")
    server = home.start("api-server")
    assert _get(_port(home), "/api/v2/version") == 200
    server.send_signal(signal.SIGTERM)
    assert server.wait(20) == 0


def test_a_port_that_is_taken_is_told_of_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = load_config({"ORCHESTRATOR__API__PORT": str(port)}, tmp_path)
        with pytest.raises(
            ConflictError, match=rf"port {port} of 127.0.0.1 is taken by another program; .*\[api\] port"
        ):
            listen(config)


def test_an_address_of_another_machine_is_told_of_in_one_sentence(tmp_path: Path) -> None:
    config = load_config({"ORCHESTRATOR__API__HOST": "192.0.2.1", "ORCHESTRATOR__API__PORT": "0"}, tmp_path)
    with pytest.raises(ConfigError, match=r"\[api\] host: .*192\.0\.2\.1 cannot be listened on"):
        listen(config)


def test_a_port_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="0 to 65535"):
        load_config({"ORCHESTRATOR__API__PORT": "70000"}, tmp_path)
