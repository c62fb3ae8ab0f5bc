"""Who may come in while others do, and by which names a server may be asked for."""

import contextlib

import pytest
from fastapi.testclient import TestClient

from orchestrator.api.hosts import Hosts, names_of
from orchestrator.api.turnstile import CrowdedError, Turnstile
from orchestrator.config import load_config
from orchestrator.exceptions import ConfigError


def _let_in(turnstile: Turnstile, *keys: str) -> int:
    """How many of twenty who come at once, each under all keys."""
    with contextlib.ExitStack() as crowd:
        for number in range(20):
            try:
                crowd.enter_context(turnstile.passed(*keys))
            except CrowdedError:
                return number
    return 20


def test_one_address_leaves_room_for_others() -> None:
    turnstile = Turnstile(at_once=6, of_one=3)
    assert _let_in(turnstile, "address:a") == 3
    assert _let_in(turnstile, "address:a") == 3
    assert _let_in(turnstile) == 6


def served(environ: dict[str, str], tmp_path) -> TestClient:
    async def yes(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = load_config({"ORCHESTRATOR_HOME": str(tmp_path)} | environ, tmp_path)
    return TestClient(Hosts(yes, names_of(config)))


@pytest.mark.parametrize(
    ("settings", "host", "status"),
    [
        ({}, "localhost:8080", 200),
        ({}, "127.0.0.1:8080", 200),
        ({}, "[::1]:8080", 200),
        ({}, "flows.localhost", 200),
        ({}, "evil.example:8080", 421),
        ({}, "localhost.evil.example", 421),
        ({}, "evil.example.", 421),
        ({}, "[", 421),
        ({"BASE_URL": "https://flows.example.com"}, "FLOWS.example.com", 200),
        ({"BASE_URL": "https://flows.example.com"}, "evil.example", 421),
        ({"HOST": "0.0.0.0"}, "any.example", 200),
        ({"HOST": "0.0.0.0", "BASE_URL": "https://flows.example.com"}, "evil.example", 421),
        ({"HOST": "0.0.0.0", "BASE_URL": "https://flows.example.com"}, "10.0.0.7:8080", 200),
    ],
)
def test_only_names_that_are_ours_are_answered(settings: dict[str, str], host: str, status: int, tmp_path) -> None:
    client = served({f"ORCHESTRATOR__API__{name}": text for name, text in settings.items()}, tmp_path)
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == status
    if status == 421:
        assert "[api] base_url" in answer.json()["detail"]
        assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("text", ["flows.example.com", "ftp://x", "https://", "https://x/y", "https://[x"])
def test_a_base_url_that_is_none_is_told(text: str, tmp_path) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        served({"ORCHESTRATOR__API__BASE_URL": text}, tmp_path)
