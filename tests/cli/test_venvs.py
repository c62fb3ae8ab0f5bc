"""``orchestrator venvs``: what tasks have had built, and its removal."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from orchestrator.authoring.environments.cache import EnvironmentCache, Made
from orchestrator.testing.home import LiveHome


def build(key: str, folder: Path) -> Made:
    (folder / "bin").mkdir()
    (folder / "bin" / "python").touch()
    return Made(
        key=key,
        folder=folder.name,
        builder="uv",
        python="3.12.1",
        requirements=("shelf==1.0",),
        packages=("shelf==1.0",),
        made_at=datetime.now(UTC),
        seconds=1.5,
    )


@pytest.fixture
def cache(tmp_path: Path) -> EnvironmentCache:
    """Of a home that has two; the first was used last a hundred days ago."""
    cache = EnvironmentCache(tmp_path / "venvs")
    for key in ("aa", "bb"):
        with cache.held(key, build, lambda: None):
            pass
    long_ago = time.time() - 100 * 86_400
    os.utime(cache.folder / "aa.json", (long_ago, long_ago))
    return cache


def test_environments_are_listed_the_latest_used_first(tmp_path: Path, cache: EnvironmentCache) -> None:
    with LiveHome(tmp_path) as home:
        rows = home.ask("venvs", "list")
    assert [row["key"] for row in rows] == ["bb", "aa"]
    assert rows[0]["packages"] == ["shelf==1.0"]
    assert rows[0]["python"] == "3.12.1"


def test_what_was_not_used_for_long_is_removed_and_what_is_in_use_stays(
    tmp_path: Path, cache: EnvironmentCache
) -> None:
    (cache.folder / "cc-half").mkdir()
    with LiveHome(tmp_path) as home:
        done = home.run("venvs", "clean", "--unused-days", "30", "--yes")
        assert (done.returncode, done.stdout.strip()) == (0, "Removed 2 environments.")
        with cache.held("bb", build, lambda: None):
            done = home.run("venvs", "clean", "--yes")
        assert done.stdout.strip() == "Removed 0; 1 in use."
        assert [row["key"] for row in msgspec.json.decode(home.run("venvs", "list", "-o", "json").stdout)] == ["bb"]
        assert "cc-half" not in {path.name for path in cache.folder.iterdir()}


def test_nothing_to_show_or_remove_is_said(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        assert "no environments" in home.run("venvs", "list").stderr
        assert "nothing to remove" in home.run("venvs", "clean").stderr
