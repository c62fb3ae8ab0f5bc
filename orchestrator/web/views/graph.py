"""The graph of a DAG: where its tasks stand, and the states that they have in a run."""

from collections.abc import Collection
from functools import lru_cache

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.picture.cards import group_title, marks, rooms, short, sizes, task_title
from orchestrator.core.picture.folding import folded
from orchestrator.core.picture.layout import Plane, arrange
from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec, decode_spec, encode_spec
from orchestrator.exceptions import NotFoundError
from orchestrator.storage.views import RunRow, VersionRow
from orchestrator.web.views.grid import GRAVITY
from orchestrator.web.wording import segment

FOLD_FROM = 200
"""A DAG of more tasks is shown first with its groups folded."""
EVERY = "*"


class Card(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task, or a folded group of ``tasks``. Places and sizes are pixels from the upper left corner; ``before`` are
    the places of the cards before it in the list.
    """

    id: str
    title: str
    x: int
    y: int
    width: int
    height: int
    operator: str = ""
    marks: list[str] = []
    tasks: list[str] = []
    is_mapped: bool = False
    before: list[int] = []
    about: str = ""


class Box(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group that is not folded; ``depth`` counts the groups around it."""

    id: str
    title: str
    x: int
    y: int
    width: int
    height: int
    depth: int = 0
    about: str = ""


class Edge(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From a card to another, by their places in the list; ``way`` holds x and y of what it passes, by turns."""

    before: int
    after: int
    way: list[int]
    label: str = ""


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """``groups`` are all that can be folded; cards stand in topological order, boxes with the outer ones first."""

    width: int
    height: int
    cards: list[Card]
    boxes: list[Box]
    edges: list[Edge]
    groups: list[str]


class GraphStates(msgspec.Struct, frozen=True, kw_only=True):
    """How many activities of a task are in which state in a run, the gravest first; no run: nothing has run yet."""

    run_id: str
    state: str
    path: str
    tasks: dict[str, dict[str, int]]


class GraphPage(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page has its graph from; ``versions`` are those to choose from, the newest first."""

    version: VersionRow
    versions: list[VersionRow]
    source: str
    states: str
    fold: bool


def dag_graph_page(home: Home, dag_id: str, path: str, number: int | None) -> GraphPage:
    """Of the version of that number, or the newest; with the states of the newest run."""
    versions = home.reads.versions(dag_id)
    version = versions[0] if number is None else _numbered(versions, dag_id, number)
    return _page(version, versions, path, f"{path}/graph/states.json")


def run_graph_page(home: Home, run: RunRow, dag_path: str, path: str) -> GraphPage | None:
    """Of the version that the run has; None while it has none, because it is only asked for."""
    found = [version for version in home.reads.versions(run.dag_id) if version.version_id == run.version_id]
    return _page(found[0], [], dag_path, f"{path}/graph/states.json") if found else None


def graph(home: Home, dag_id: str, number: int, fold: Collection[str], unfold: Collection[str]) -> bytes:
    """A Graph of a version as JSON, with those groups folded; ``*`` are all groups, without those of ``unfold``."""
    spec = home.reads.spec(_numbered(home.reads.versions(dag_id), dag_id, number).version_id)
    every = [group.group_id for group in spec.groups]
    return _drawn(encode_spec(spec), frozenset(every if EVERY in fold else fold).intersection(every).difference(unfold))


@lru_cache(maxsize=16)
def _drawn(spec: bytes, fold: frozenset[str]) -> bytes:
    """Where thousands of tasks stand takes a tenth of a second to find, and is asked for again and again."""
    return msgspec.json.encode(draw(decode_spec(spec), fold))


def draw(spec: DagSpec, fold: Collection[str]) -> Graph:
    """Each card, box and edge of the DAG with those groups folded."""
    shown, inside = folded(spec, fold)
    plane = arrange(shown, sizes(shown), rooms(shown))
    place = {task.task_id: number for number, task in enumerate(shown.tasks)}
    tooltips = {group.group_id: group.tooltip or "" for group in spec.groups}
    return Graph(
        width=round(plane.width),
        height=round(plane.height),
        cards=[_card(task, plane, place, inside.get(task.task_id, []), tooltips) for task in shown.tasks],
        boxes=sorted(
            (_box(group, plane, shown) for group in shown.groups if group.group_id in plane.rects),
            key=lambda box: box.depth,
        ),
        edges=[_edge(up, task, plane, place) for task in shown.tasks for up in task.upstream],
        groups=[group.group_id for group in spec.groups],
    )


def newest_states(home: Home, dag_id: str) -> GraphStates:
    """Of the newest run that has begun; without ``run_id`` where there is none."""
    home.reads.dag(dag_id)
    run = next((run for run in home.reads.runs(dag_id, limit=10) if not run.is_pending), None)
    return GraphStates(run_id="", state="", path="", tasks={}) if run is None else run_states(home, run)


def run_states(home: Home, run: RunRow) -> GraphStates:
    """One narrow question, whatever the number of tasks."""
    keys = [run.run_key] if run.run_key else []
    cells = sorted(home.reads.cells(run.dag_id, keys, with_times=False), key=lambda cell: GRAVITY[cell.state])
    tasks: dict[str, dict[str, int]] = {}
    for cell in cells:
        tasks.setdefault(cell.task_id, {})[cell.state] = cell.number
    path = f"/dags/{segment(run.dag_id)}/runs/{segment(run.run_id)}"
    return GraphStates(run_id=run.run_id, state=run.state.value, path=path, tasks=tasks)


def _page(version: VersionRow, versions: list[VersionRow], dag_path: str, states: str) -> GraphPage:
    source = f"{dag_path}/graph.json?version={version.number}"
    return GraphPage(
        version=version, versions=versions, source=source, states=states, fold=version.task_count > FOLD_FROM
    )


def _numbered(versions: list[VersionRow], dag_id: str, number: int) -> VersionRow:
    found = next((version for version in versions if version.number == number), None)
    if found is None:
        raise NotFoundError(f"DAG {dag_id!r} has no version {number}")
    return found


def _card(task: TaskSpec, plane: Plane, place: dict[str, int], tasks: list[str], tooltips: dict[str, str]) -> Card:
    rect = plane.rects[task.task_id]
    return Card(
        id=task.task_id,
        title=task_title(task),
        x=round(rect.x),
        y=round(rect.y),
        width=round(rect.width),
        height=round(rect.height),
        operator=short(task.operator) or f"{len(tasks)} tasks",
        marks=list(marks(task)),
        tasks=tasks,
        is_mapped=task.is_mapped or task.mapping is not None,
        before=[place[up] for up in task.upstream],
        about=task.doc or tooltips.get(task.task_id, ""),
    )


def _box(group: GroupSpec, plane: Plane, spec: DagSpec) -> Box:
    rect = plane.rects[group.group_id]
    parents = {one.group_id: one.parent for one in spec.groups}
    depth, parent = 0, group.parent
    while parent in parents:
        depth, parent = depth + 1, parents[parent]
    return Box(
        id=group.group_id,
        title=group_title(group),
        x=round(rect.x),
        y=round(rect.y),
        width=round(rect.width),
        height=round(rect.height),
        depth=depth,
        about=group.tooltip or "",
    )


def _edge(up: str, task: TaskSpec, plane: Plane, place: dict[str, int]) -> Edge:
    points = plane.way(up, task.task_id)
    return Edge(
        before=place[up],
        after=place[task.task_id],
        way=[round(number) for point in points for number in point],
        label=short(task.labels.get(up, "")),
    )
