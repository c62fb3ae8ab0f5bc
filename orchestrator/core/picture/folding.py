"""Folding: a DAG with some of its groups drawn as one card each."""

from collections.abc import Collection, Mapping

import msgspec

from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec


def folded(spec: DagSpec, groups: Collection[str]) -> tuple[DagSpec, dict[str, list[str]]]:
    """The DAG in which a group of those is a task of its id, and the tasks that are in each such one.

    A group inside of a folded one is gone with it. What comes before any of its tasks comes before the card.
    """
    known = {group.group_id: group for group in spec.groups}
    cards = {group_id: _outermost(group_id, groups, known) for group_id in known}
    place = {task.task_id: cards.get(task.group) or task.task_id for task in spec.tasks}
    inside: dict[str, list[str]] = {}
    upstream: dict[str, dict[str, None]] = {}
    labels: dict[str, dict[str, str]] = {}
    for task in spec.tasks:
        name = place[task.task_id]
        if name != task.task_id:
            inside.setdefault(name, []).append(task.task_id)
        before = [up for up in task.upstream if place.get(up) and place[up] != name]
        upstream.setdefault(name, {}).update(dict.fromkeys(place[up] for up in before))
        labels.setdefault(name, {}).update({place[up]: task.labels[up] for up in before if up in task.labels})
    tasks = {task.task_id: task for task in spec.tasks}
    drawn = tuple(
        msgspec.structs.replace(
            tasks[name] if name in tasks else _card(known[name]),
            upstream=tuple(upstream[name]),
            labels=labels[name],
        )
        for name in upstream
    )
    left = tuple(group for group in spec.groups if not cards[group.group_id])
    return msgspec.structs.replace(spec, tasks=drawn, groups=left), inside


def _outermost(group_id: str, groups: Collection[str], known: Mapping[str, GroupSpec]) -> str:
    """The folded group that hides this one, or is it; empty where none does."""
    found = ""
    while group_id in known:
        if group_id in groups:
            found = group_id
        group_id = known[group_id].parent
    return found


def _card(group: GroupSpec) -> TaskSpec:
    name = group.display_name or group.group_id.removeprefix(f"{group.parent}.")
    return TaskSpec(task_id=group.group_id, operator="", group=group.parent, display_name=name, mapping=group.mapping)
