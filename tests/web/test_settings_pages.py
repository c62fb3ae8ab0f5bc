"""The pages of settings and plugins."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from orchestrator.assembly.home import Home
from orchestrator.config import load_config
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
PLANTED = "planted-5ecret"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def configured(site: FastAPI, filled: FilledHome) -> Callable[[str], None]:
    """Gives the home's settings file a text."""

    def configure(text: str) -> None:
        (filled.folder / "airflow_like.cfg").write_text(text)
        environ = {"ORCHESTRATOR_HOME": str(filled.folder), "ORCHESTRATOR__CORE__PARALLELISM": "7"}
        site.state.home = Home(load_config(environ, Path(filled.folder)), filled.engine)

    return configure


def test_each_setting_says_who_set_it_and_no_secret_is_shown(
    browser: Browser, configured: Callable[[str], None]
) -> None:
    configured(
        f"[core]\nfernet_key = {PLANTED}\n[oidc]\nclient_secret = {PLANTED}\nscopes = {HOSTILE}\n"
        f"[payloads]\nurl = s3://me:{PLANTED}@bucket/x\n"
    )
    client = browser("admin")
    text = client.get("/config").text
    assert "ORCHESTRATOR__CORE__PARALLELISM" in text
    assert "airflow_like.cfg:2" in text
    assert "by default <code>32</code>" in text
    assert "<script>alert" not in text
    assert 'Set by somebody <span class="number">5</span>' in text
    answers = [
        text,
        client.get("/config?set=true").text,
        client.get("/api/v2/config").text,
        client.get("/plugins").text,
    ]
    answers += [client.get(f"/api/v2/config/section/{one}").text for one in ("core/option/fernet_key",)]
    assert [PLANTED in answer for answer in answers] == [False] * 5


def test_settings_are_found_by_name_value_and_meaning(browser: Browser) -> None:
    client = browser("admin")
    for words in ("parallelism", "[core] par", "how many activities run at once", "ORCHESTRATOR__CORE__PARALLELISM"):
        text = client.get("/config", params={"q": words}).text
        assert '<tr data-key="parallelism"' in text
        assert '<tr data-key="port"' not in text
    assert "No setting fits" in client.get("/config?q=nothing like it").text


def test_one_setting_is_asked_for_by_its_name(browser: Browser) -> None:
    client = browser("admin")
    found = client.get("/api/v2/config/section/core/option/parallelism").json()
    assert found == {
        "sections": [
            {"name": "core", "options": [{"key": "parallelism", "value": "32", "default": "32", "source": "default"}]}
        ]
    }
    for path in ("core/option/none", "none/option/parallelism", f"core/option/{'x' * 4_000}"):
        assert client.get(f"/api/v2/config/section/{path}").status_code == 404


def test_settings_may_be_shown_to_nobody(browser: Browser, configured: Callable[[str], None]) -> None:
    configured("[api]\nexpose_config = False\n")
    paths = ("/config", "/api/v2/config", "/api/v2/config/section/core/option/parallelism")
    assert {browser("admin").get(path).status_code for path in paths} == {403}


@pytest.mark.parametrize("path", ["/config", "/plugins", "/api/v2/config/section/core/option/parallelism"])
def test_how_the_home_is_set_up_is_for_administrators(browser: Browser, path: str) -> None:
    assert {browser(name).get(path).status_code for name in ("viewer", "operator", "foreigner")} == {403}


def test_a_plugin_that_does_not_work_says_why(browser: Browser, filled: FilledHome) -> None:
    folder = filled.folder / "plugins"
    folder.mkdir()
    (folder / "broken.py").write_text("import nothing_of_that_name\n")
    text = browser("admin").get("/plugins").text
    assert "is not used" in text
    assert "nothing_of_that_name" in text


def test_the_optional_packages_are_told_with_their_versions(browser: Browser) -> None:
    found = browser("viewer").get("/api/v2/providers").json()
    assert found["total_entries"] == len(found["providers"])
    assert {"package_name", "version", "description"} == set(found["providers"][0])
    assert browser("foreigner").get("/api/v2/providers").status_code == 200
