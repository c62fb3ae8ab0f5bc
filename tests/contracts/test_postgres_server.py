"""The tests' own PostgreSQL server: where none can be started its tests are skipped, or fail where one is required."""

import pytest

from tests import postgres_server


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(postgres_server, "_PLACES", ())
    monkeypatch.delenv("REQUIRE_POSTGRES", raising=False)


def start() -> None:
    with postgres_server.running_server():
        raise AssertionError("a server was started")


def test_without_a_server_the_tests_that_need_it_are_skipped_and_say_why() -> None:
    with pytest.raises(pytest.skip.Exception, match="no PostgreSQL server is installed"):
        start()


def test_without_a_server_the_tests_that_need_it_fail_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_POSTGRES", "1")
    with pytest.raises(pytest.fail.Exception, match="no PostgreSQL server is installed"):
        start()
