"""The ids that authors give: which are allowed, and how a repeated one is made unique."""

import re
from collections.abc import Container

from orchestrator.authoring.place import Place

LONGEST = 250
LONGEST_OF_GROUP = 200

_allowed = re.compile(r"[\w.-]+", re.ASCII).fullmatch
_allowed_in_groups = re.compile(r"[\w-]+", re.ASCII).fullmatch
_numbered = re.compile(r"(.+)__(\d+)").fullmatch


def checked_id(kind: str, value: object, place: Place) -> str:
    """``value``, if it may be a dag_id or task_id (``kind``); DagError says what is wrong with it."""
    if not isinstance(value, str) or not value:
        raise place.refuse(f"{kind} must be a text of 1 to {LONGEST} characters, not {value!r}")
    if len(value) > LONGEST:
        raise place.refuse(f"{kind} {value[:40]!r}… has {len(value)} characters; at most {LONGEST} are allowed")
    if not _allowed(value):
        raise place.refuse(
            f"{kind} {value!r} holds a character that is not allowed; use letters, digits, dots, dashes and underscores"
        )
    return value


def checked_group_id(value: object, place: Place) -> str:
    """``value``, if it may be the own part of a group_id; a dot is what joins it with the ids of what is in it."""
    group_id = checked_id("group_id", value, place)
    if len(group_id) > LONGEST_OF_GROUP:
        raise place.refuse(
            f"group_id {group_id[:40]!r}… has {len(group_id)} characters; at most {LONGEST_OF_GROUP} are allowed"
        )
    if not _allowed_in_groups(group_id):
        raise place.refuse(f"group_id {group_id!r} holds a dot; use letters, digits, dashes and underscores")
    return group_id


class Numbering:
    """Airflow's way to tell repeated ids apart: ``load``, ``load__1``, ``load__2``."""

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}

    def saw(self, task_id: str) -> None:
        """That id is taken from now on."""
        if "__" in task_id and (found := _numbered(task_id)):
            base, number = found[1], int(found[2])
            self._highest[base] = max(number, self._highest.get(base, 0))

    def unused(self, task_id: str, taken: Container[str]) -> str:
        """``task_id`` itself, or the next number of it if it is ``taken``."""
        if task_id not in taken:
            return task_id
        found = _numbered(task_id)
        base = found[1] if found else task_id
        return f"{base}__{self._highest.get(base, 0) + 1}"
