"""Cards: what is written on a task or a group in a picture, and the room that it needs."""

from collections.abc import Iterator
from unicodedata import east_asian_width

from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec
from orchestrator.names import TriggerRule

HEIGHT = 48.0
_LEAST_WIDTH = 120.0
_LONGEST = 36  # letters
_NAME, _BELOW, _TITLE = 8.0, 6.2, 7.4  # about the width of a letter there


def sizes(spec: DagSpec) -> dict[str, tuple[float, float]]:
    """The width and height of each task, and of each group what its title needs at least, in pixels."""
    found = {task.task_id: (_width(task), HEIGHT) for task in spec.tasks}
    return found | {group.group_id: (measure(group_title(group), _TITLE) + 32, 0.0) for group in spec.groups}


def rooms(spec: DagSpec) -> dict[str, float]:
    """What the labels of a task's edges need on its left."""
    found = {task.task_id: max(map(_room, task.labels.values()), default=0.0) for task in spec.tasks}
    return {task_id: room for task_id, room in found.items() if room}


def task_title(task: TaskSpec) -> str:
    """Without the id of its group, which stands at the group's box."""
    return short(task.display_name or task.task_id.removeprefix(f"{task.group}."))


def group_title(group: GroupSpec) -> str:
    title = short(group.display_name or group.group_id)
    return f"{title} · mapped" if group.mapping else title


def marks(task: TaskSpec) -> Iterator[str]:
    """What is said of a task beside its operator: ``mapped``, ``setup``, ``teardown`` or its trigger rule."""
    if task.depth:
        yield "mapped"
    if task.is_setup:
        yield "setup"
    elif task.is_teardown:
        yield "teardown"
    elif task.trigger_rule is not TriggerRule.ALL_SUCCESS:
        yield str(task.trigger_rule)


def short(name: str) -> str:
    """Without its middle where it is long."""
    if len(name) <= _LONGEST:
        return name
    half = (_LONGEST - 1) // 2
    return f"{name[:half]}…{name[-half:]}"


def measure(text: str, letter: float) -> float:
    """About how wide it is, a letter being so wide."""
    return sum(letter * (1.7 if east_asian_width(one) in "WF" else 1.0) for one in text)


def _width(task: TaskSpec) -> float:
    below = measure(short(task.operator), _BELOW) + sum(measure(mark, _BELOW) + 7 for mark in marks(task))
    return max(_LEAST_WIDTH, max(measure(task_title(task), _NAME), below) + 36)


def _room(label: str) -> float:
    return measure(short(label), _BELOW) + 44
