"""Kinds of operators, each with a colour."""

from typing import NamedTuple

from orchestrator.core.spec import TaskSpec


class Kind(NamedTuple):
    """``words`` are what the name of such an operator holds, in small letters."""

    label: str
    color: str
    words: tuple[str, ...] = ()


_KINDS = (
    Kind("workflow", "#7c3aed", ("workflow", "trigger", "externaltask")),
    Kind("sensor", "#0d9488", ("sensor",)),
    Kind("branch", "#d97706", ("branch", "shortcircuit", "latestonly")),
    Kind("shell", "#475569", ("bash", "ssh", "docker", "kubernetes")),
    Kind("person", "#be185d", ("hitl", "approval")),
    Kind("data", "#4d7c0f", ("sql", "http", "transfer", "file")),
    Kind("python", "#dc2626", ("python", "task", "virtualenv")),
    Kind("activity", "#dc2626", ("activity",)),
    Kind("empty", "#94a3b8", ("empty", "dummy")),
)
_OTHER = Kind("other", "#a16207")


def kind_of(task: TaskSpec) -> Kind:
    """By the name of its operator."""
    name = task.operator.lower()
    return next((kind for kind in _KINDS if any(word in name for word in kind.words)), _OTHER)
