"""Which side effects there are, and which of them each kind of blue code must not have."""

from enum import StrEnum


class Kind(StrEnum):
    """What a side effect is one of."""

    NETWORK = "network"
    PROCESS = "process"
    THREAD = "thread"
    FILE = "file"
    LIBRARY = "library"
    CLOCK = "clock"
    RANDOMNESS = "randomness"
    ENVIRONMENT = "environment"


class Scene(StrEnum):
    """What the author's code is being run for."""

    PARSE = "parse"  # a DAG file is parsed
    WORKFLOW = "workflow"  # the code of a workflow is replayed


_OUTSIDE = frozenset({Kind.NETWORK, Kind.PROCESS, Kind.THREAD, Kind.FILE, Kind.LIBRARY})

REFUSED: dict[Scene, frozenset[Kind]] = {
    Scene.PARSE: _OUTSIDE,
    Scene.WORKFLOW: _OUTSIDE | {Kind.CLOCK, Kind.RANDOMNESS, Kind.ENVIRONMENT},
}
"""A DAG file may look at the clock as it is parsed; a workflow has to do the same each time that it is replayed."""

_WHERE = {Scene.PARSE: "while the DAG file is parsed", Scene.WORKFLOW: "in a workflow"}
_INSTEAD = {Scene.PARSE: "move it into a task", Scene.WORKFLOW: "move it into an activity"}


def sentence(scene: Scene, what: str, through: str = "", instead: str = "") -> str:
    """What was done, where, and what to do about it: ``connects to db:5432 while the DAG file is parsed; move …``.

    ``instead`` is what to do, where that is better than to move it.
    """
    by = f" (through {through})" if through else ""
    return f"{what} {_WHERE[scene]}{by}; {instead or _INSTEAD[scene]}"
