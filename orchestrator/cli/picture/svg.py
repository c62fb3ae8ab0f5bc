"""A DAG as SVG."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from orchestrator.cli.picture.kinds import Kind, kind_of
from orchestrator.core.picture.cards import group_title, marks, measure, rooms, short, sizes, task_title
from orchestrator.core.picture.layout import Plane, Point, Rect, arrange
from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec

_FONT = "'Inter','Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif"
_MARGIN, _HEADER = 28.0, 54.0
_STACK = 4.0  # how far the cards of a mapped task stand out
_INK, _FAINT, _LINE, _PAPER = "#1f2937", "#6b7280", "#9ca3af", "#ffffff"
_TINTS = ("#f8fafc", "#f1f5f9")  # of groups, by turns
_STYLE = (
    f"text{{font-family:{_FONT};fill:{_INK}}}"
    f".id{{font-size:13px;font-weight:600}}.kind,.mark,.label{{font-size:10.5px;fill:{_FAINT}}}"
    f".group{{font-size:12px;font-weight:600;fill:{_FAINT}}}.title{{font-size:18px;font-weight:700}}"
    f".edge{{fill:none;stroke:{_LINE};stroke-width:1.4}}"
    f".label{{font-style:italic;paint-order:stroke;stroke:{_PAPER};stroke-width:5px;stroke-linejoin:round}}"
)


_MARKS = {"mapped": "#0891b2", "setup": "#2563eb", "teardown": "#2563eb"}
_RULE = "#a21caf"


def svg(spec: DagSpec) -> str:
    """The picture of a DAG on white; it stands by itself and loads nothing."""
    groups = {group.group_id: group for group in spec.groups}
    plane = arrange(spec, sizes(spec), rooms(spec))
    ways = _ways(spec, plane)
    kinds = list(dict.fromkeys(kind_of(task) for task in spec.tasks))
    title = short(spec.display_name or spec.dag_id)
    legend = sum(measure(kind.label, 6.2) + 34 for kind in kinds)
    width = max(plane.width, legend, measure(title, 11.5)) + 2 * _MARGIN
    height = plane.height + _HEADER + 2 * _MARGIN + 24
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">'
        ),
        f"<title>{_text(title)}</title><style>{_STYLE}</style>",
        (
            f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            f'orient="auto">'
            f'<path d="M0 0.6 7.4 4 0 7.4z" fill="{_LINE}"/></marker></defs>'
        ),
        f'<rect width="100%" height="100%" fill="{_PAPER}"/>',
        f'<text class="title" x="{_MARGIN:.0f}" y="40">{_text(title)}</text>',
        f'<text class="kind" x="{_MARGIN:.0f}" y="58">{_count(spec)}</text>',
        f'<g transform="translate({_MARGIN:.0f} {_HEADER + _MARGIN:.0f})">',
        *(_group(group, plane.rects[group.group_id], groups) for group in spec.groups if group.group_id in plane.rects),
        *(f'<path class="edge" d="{_curve(way)}" marker-end="url(#tip)"/>' for way in ways.values()),
        *(_task(task, plane.rects[task.task_id]) for task in spec.tasks),
        *_labels(spec, ways),
        "</g>",
        *_legend(kinds, height - 20),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _count(spec: DagSpec) -> str:
    return f"{len(spec.tasks)} task{'' if len(spec.tasks) == 1 else 's'}"


# ── tasks and groups ─────────────────────────────────────────────────────────────────────────────────────


def _task(task: TaskSpec, rect: Rect) -> str:
    kind = kind_of(task)
    x, y = rect.x, rect.y
    dash = ' stroke-dasharray="5 3"' if task.is_setup or task.is_teardown else ""
    card = f'rx="8" fill="{_PAPER}" stroke="{kind.color}" stroke-width="1.3"{dash}'
    behind = "".join(
        f'<rect x="{x + shift:.1f}" y="{y + shift:.1f}" width="{rect.width:.1f}" height="{rect.height:.1f}" {card}/>'
        for shift in ((2 * _STACK, _STACK) if task.depth else ())
    )
    said = "".join(f'<tspan fill="{_MARKS.get(mark, _RULE)}" dx="7">{_text(mark)}</tspan>' for mark in marks(task))
    return (
        f"<g><title>{_text(task.task_id)}</title>{behind}"
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{rect.width:.1f}" height="{rect.height:.1f}" {card}/>'
        f'<rect x="{x + 7:.1f}" y="{y + 9:.1f}" width="4" height="{rect.height - 18:.1f}" rx="2" fill="{kind.color}"/>'
        f'<text class="id" x="{x + 20:.1f}" y="{y + 21:.1f}">{_text(task_title(task))}</text>'
        f'<text class="kind" x="{x + 20:.1f}" y="{y + 37:.1f}">{_text(short(task.operator))}{said}</text></g>'
    )


def _group(group: GroupSpec, rect: Rect, groups: dict[str, GroupSpec]) -> str:
    depth, parent = 0, group.parent
    while parent:
        depth, parent = depth + 1, groups[parent].parent
    dash = ' stroke-dasharray="2 3"' if group.mapping else ""
    return (
        f"<g><title>{_text(group.tooltip or group.group_id)}</title>"
        f'<rect x="{rect.x:.1f}" y="{rect.y:.1f}" width="{rect.width:.1f}" height="{rect.height:.1f}" rx="12" '
        f'fill="{_TINTS[depth % 2]}" stroke="#cbd5e1"{dash}/>'
        f'<text class="group" x="{rect.x + 16:.1f}" y="{rect.y + 18:.1f}">{_text(group_title(group))}</text></g>'
    )


# ── edges ────────────────────────────────────────────────────────────────────────────────────────────────


def _ways(spec: DagSpec, plane: Plane) -> dict[tuple[str, str], list[Point]]:
    """The points that each edge goes by."""
    return {(up, task.task_id): plane.way(up, task.task_id) for task in spec.tasks for up in task.upstream}


def _labels(spec: DagSpec, ways: Mapping[tuple[str, str], Sequence[Point]]) -> Iterator[str]:
    """Near the end of their edges."""
    for task in spec.tasks:
        for up, label in task.labels.items():
            if (way := ways.get((up, task.task_id))) is not None:
                first, second = way[-2:]
                x, y = (first.x + second.x) / 2, (first.y + second.y) / 2 - 3
                yield f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{_text(short(label))}</text>'


def _curve(way: Sequence[Point]) -> str:
    """From one point to the next, leaving and arriving level."""
    parts = [f"M{way[0].x:.1f} {way[0].y:.1f}"]
    for at, to in itertools.pairwise(way):
        bend = max(24.0, abs(to.x - at.x) / 2) if at.y != to.y or to.x < at.x else 0.0
        parts.append(
            f"C{at.x + bend:.1f} {at.y:.1f} {to.x - bend:.1f} {to.y:.1f} {to.x:.1f} {to.y:.1f}"
            if bend
            else f"L{to.x:.1f} {to.y:.1f}"
        )
    return " ".join(parts)


def _legend(kinds: Sequence[Kind], y: float) -> Iterator[str]:
    x = _MARGIN
    for kind in kinds:
        yield f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="10" height="10" rx="3" fill="{kind.color}"/>'
        yield f'<text class="kind" x="{x + 15:.1f}" y="{y:.1f}">{_text(kind.label)}</text>'
        x += measure(kind.label, 6.2) + 34


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────


def _text(text: str) -> str:
    """For XML, which has no control characters at all."""
    return escape("".join(letter if letter.isprintable() else " " for letter in text))
