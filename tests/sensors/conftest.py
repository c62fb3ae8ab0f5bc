"""Sensors and operators are run as the tests of authoring run tasks."""

from tests.authoring.conftest import order, run

__all__ = ["order", "run"]
