"""What ``macros`` offers inside a template."""

import json
import time
import uuid
from datetime import datetime, timedelta
from random import random
from typing import Any

import dateutil

from orchestrator.authoring.extensions import current_extensions

__all__ = ["datetime", "dateutil", "ds_add", "ds_format", "json", "random", "time", "timedelta", "uuid"]


def ds_add(ds: str, days: int) -> str:
    """The date ``days`` after ``ds``, both as YYYY-MM-DD; ``days`` may be negative.

    >>> ds_add("2015-01-06", -5)
    '2015-01-01'
    """
    return ds_format(str(datetime.fromisoformat(str(ds)) + timedelta(days=days)), "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


def ds_format(ds: str, input_format: str, output_format: str) -> str:
    """A date written another way.

    >>> ds_format("1/5/2015", "%m/%d/%Y", "%Y-%m-%d")
    '2015-01-05'
    """
    return datetime.strptime(str(ds), input_format).strftime(output_format)  # noqa: DTZ007 - a date has no zone


def __getattr__(name: str) -> Any:
    """The macros of the plugin of that name."""
    found = None if name.startswith("_") else current_extensions().macros(name)
    if found is None:
        raise AttributeError(f"there is no macro and no plugin {name!r}; see `orchestrator plugins list`")
    return found
