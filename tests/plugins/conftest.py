"""Homes with plugins."""

from pathlib import Path

import pytest

from tests.plugins.homes import PluggedHome


@pytest.fixture
def home(tmp_path: Path) -> PluggedHome:
    return PluggedHome(tmp_path)
