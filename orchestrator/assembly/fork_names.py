"""The name of a fork that nobody has named."""

import itertools
import re

from orchestrator.assembly.home import Home
from orchestrator.exceptions import NotFoundError
from orchestrator.storage.views import RunRow

_FORK = re.compile(r"~\d+$")
_LONGEST = 240


def free_name(home: Home, run: RunRow) -> str:
    """The run's id with the next number behind it."""
    base = _FORK.sub("", run.run_id)[:_LONGEST]
    return next(name for name in (f"{base}~{number}" for number in itertools.count(1)) if _is_free(home, run, name))


def _is_free(home: Home, run: RunRow, name: str) -> bool:
    try:
        home.reads.run(run.dag_id, name)
    except NotFoundError:
        return True
    return False
