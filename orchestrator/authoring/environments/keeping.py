"""Where this process keeps the environments that its tasks ask for."""

from pathlib import Path
from typing import ClassVar, NamedTuple

from orchestrator.authoring.environments.builders import Method
from orchestrator.exceptions import UsageError


class Keeping(NamedTuple):
    """The folder of the cache, and what builds for it."""

    folder: Path
    method: Method = "auto"


class _Kept:
    """The same in all threads of this process."""

    keeping: ClassVar[Keeping | None] = None


def keep_environments(keeping: Keeping | None) -> Keeping | None:
    """Let all code of this process keep them there from now on; where it kept them before."""
    before, _Kept.keeping = _Kept.keeping, keeping
    return before


def kept_environments() -> Keeping:
    """UsageError where no home is."""
    if _Kept.keeping is None:
        raise UsageError(
            "there is no home here that environments are kept in; run the task by `orchestrator tasks test`"
        )
    return _Kept.keeping
