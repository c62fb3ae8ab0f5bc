"""Where everything of a DAG stands in its picture: in layers from left to right, a group's own inside of its box."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import NamedTuple

from orchestrator.core.picture.columns import Column, Slot, settle, stack
from orchestrator.core.spec import DagSpec

COLUMN_GAP, ROW_GAP = 64.0, 16.0
PADDING, TITLE = 16.0, 26.0  # of a group
_LANE = 10.0  # the height that an edge takes which passes by a column


class Point(NamedTuple):
    x: float
    y: float


class Rect(NamedTuple):
    """In pixels, from the upper left corner."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, x: float, y: float) -> "Rect":
        return Rect(self.x + x, self.y + y, self.width, self.height)

    @property
    def left(self) -> Point:
        return Point(self.x, self.y + self.height / 2)

    @property
    def right(self) -> Point:
        return Point(self.x + self.width, self.y + self.height / 2)


@dataclass
class Plane:
    """``rects`` by the id of a task or group; ``lanes`` are what an edge passes on its way, by both of its ends."""

    width: float = 0.0
    height: float = 0.0
    rects: dict[str, Rect] = field(default_factory=dict)
    lanes: dict[tuple[str, str], list[Point]] = field(default_factory=dict)

    def take(self, other: "Plane", x: float, y: float) -> None:
        """Have what the other one has, moved."""
        self.rects |= {name: rect.moved(x, y) for name, rect in other.rects.items()}
        self.lanes |= {ends: [Point(at.x + x, at.y + y) for at in way] for ends, way in other.lanes.items()}

    def way(self, up: str, down: str) -> list[Point]:
        """The points that an edge goes by, from the one's right side to the other one's left."""
        return [self.rects[up].right, *self.lanes.get((up, down), ()), self.rects[down].left]


def arrange(spec: DagSpec, sizes: Mapping[str, tuple[float, float]], rooms: Mapping[str, float]) -> Plane:
    """The whole DAG; ``sizes`` are the widths and heights of the tasks, and what the titles of groups need at least.

    ``rooms`` are the widths that some want to have free on their left.
    """
    return _Arranging(spec, sizes, rooms).plane("")


class _Arranging:
    def __init__(self, spec: DagSpec, sizes: Mapping[str, tuple[float, float]], rooms: Mapping[str, float]) -> None:
        self._sizes = sizes
        self._rooms = rooms
        self._tasks = {task.task_id: task for task in spec.tasks}
        parents = {group.group_id: group.parent for group in spec.groups}
        self._ways = {task.task_id: _way(task.task_id, task.group, parents) for task in spec.tasks}
        self._groups = set(parents)

    def plane(self, level: str) -> Plane:
        """What stands in a group, or, of the DAG itself, at the top."""
        items = self._items(level)
        inner = {name: self.plane(name) for name in items if name in self._groups}
        sizes = {name: self._size(name, inner.get(name)) for name in items}
        edges = self._edges(level, items)
        columns = _columns(items, edges, sizes) if edges else _grid(items, sizes)
        found = Plane()
        _place(columns, found, self._rooms)
        for name, plane in inner.items():
            found.take(plane, found.rects[name].x + PADDING, found.rects[name].y + TITLE)
        for ends in [ends for ends in edges if ends in found.lanes]:
            self._spread(ends, edges[ends], found)
        return found

    def _items(self, level: str) -> list[str]:
        """The tasks and groups that stand right there, in topological order."""
        return list(dict.fromkeys(way[way.index(level) + 1] for way in self._ways.values() if level in way[:-1]))

    def _size(self, name: str, plane: Plane | None) -> tuple[float, float]:
        if plane is None:
            return self._sizes[name]
        return max(plane.width + 2 * PADDING, self._sizes[name][0]), plane.height + TITLE + PADDING

    def _edges(self, level: str, items: Sequence[str]) -> dict[tuple[str, str], list[tuple[str, str]]]:
        """Between two items, forwards only: the edges of their tasks."""
        order = {name: place for place, name in enumerate(items)}
        found = defaultdict[tuple[str, str], list[tuple[str, str]]](list)
        for task in self._tasks.values():
            for up in task.upstream:
                ends = self._on(level, up), self._on(level, task.task_id)
                if ends[0] in order and ends[1] in order and order[ends[0]] < order[ends[1]]:
                    found[ends].append((up, task.task_id))
        return dict(found)

    def _on(self, level: str, task_id: str) -> str:
        way = self._ways[task_id]
        return way[way.index(level) + 1] if level in way[:-1] else ""

    def _spread(self, ends: tuple[str, str], edges: Sequence[tuple[str, str]], plane: Plane) -> None:
        """All edges between two items go the same way."""
        lane = plane.lanes.pop(ends)
        plane.lanes |= dict.fromkeys(edges, lane)


def _way(task_id: str, group: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    """From the DAG, which is "", to the task."""
    around = [task_id]
    while group:
        around.append(group)
        group = parents[group]
    return ("", *around[::-1])


def _columns(
    items: Sequence[str], edges: Mapping[tuple[str, str], object], sizes: Mapping[str, tuple[float, float]]
) -> list[Column]:
    """Each item one behind the last of those before it; an edge that skips columns has a lane in each of them."""
    before = defaultdict[str, list[str]](list)
    for up, down in edges:
        before[down].append(up)
    depth: dict[str, int] = {}
    for name in items:
        depth[name] = max((depth[up] + 1 for up in before[name]), default=0)
    columns: list[Column] = [[] for _ in range(max(depth.values()) + 1)]
    for name in items:
        columns[depth[name]].append(Slot(name=name, width=sizes[name][0], height=sizes[name][1]))
    slots = {slot.name: slot for column in columns for slot in column}
    for up, down in edges:
        last = slots[up]
        for column in columns[depth[up] + 1 : depth[down]]:
            lane = Slot(height=_LANE, ends=(up, down))
            last.join(lane)
            column.append(lane)
            last = lane
        last.join(slots[down])
    settle(columns, ROW_GAP)
    return columns


def _grid(items: Sequence[str], sizes: Mapping[str, tuple[float, float]]) -> list[Column]:
    """What has no order, in about as many columns as rows."""
    rows = max(1, ceil(sqrt(len(items) * 2)))
    slots = [Slot(name=name, width=sizes[name][0], height=sizes[name][1]) for name in items]
    columns: list[Column] = [slots[place : place + rows] for place in range(0, len(slots), rows)]
    for column in columns:
        stack(column, ROW_GAP, top=0.0)
    return columns


def _place(columns: Sequence[Column], plane: Plane, rooms: Mapping[str, float]) -> None:
    """Give each item its rectangle, and each lane its two points."""
    top = min((slot.top for column in columns for slot in column), default=0.0)
    x, width = 0.0, 0.0
    for number, column in enumerate(columns):
        if number:
            x += width + max(COLUMN_GAP, *(rooms.get(slot.name, 0.0) for slot in column))
        width = max((slot.width for slot in column), default=0.0)
        for slot in column:
            if slot.ends is None:
                plane.rects[slot.name] = Rect(x, slot.top - top, slot.width, slot.height)
            else:
                plane.lanes.setdefault(slot.ends, []).extend(_across(x, width, slot.middle - top))
    plane.width = x + width
    plane.height = max((slot.bottom - top for column in columns for slot in column), default=0.0)


def _across(x: float, width: float, y: float) -> Iterator[Point]:
    yield Point(x, y)
    yield Point(x + width, y)
