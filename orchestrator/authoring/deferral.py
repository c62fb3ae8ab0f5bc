"""Deferral: a body's answer that it is not done, and what its end waits for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Deferral:
    """Returned by ``execute``: the task ends when ``trigger`` does, and no worker is held meanwhile.

    ``{"run": {"dag_id": …, "conf": …}}`` is a new run; its result, or its failure, is the task's.
    """

    trigger: Mapping[str, Any]
