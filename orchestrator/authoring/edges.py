"""Edges: many of them in one call, and labels that say what one means."""

from collections.abc import Sequence
from itertools import pairwise

from orchestrator.authoring.place import author
from orchestrator.authoring.task import Linkable, Links, Task, linkables


class EdgeModifier(Linkable):
    """Stands between two sides of an arrow and labels the edges that the arrow draws: ``a >> Label("ok") >> b``.

    The sides may come in either order, and more may be added to each.
    """

    def __init__(self, label: str | None = None) -> None:
        self.place = author()
        if label is not None and not isinstance(label, str):
            raise self.place.refuse(f"a label is a text, not {label!r}")
        self.label = label
        self._before: list[Linkable] = []
        self._after: list[Linkable] = []

    def __repr__(self) -> str:
        return f"Label({self.label!r})"

    @property
    def roots(self) -> Sequence[Task]:
        return [task for after in self._after for task in after.roots]

    @property
    def leaves(self) -> Sequence[Task]:
        return [task for before in self._before for task in before.leaves]

    def set_downstream(self, other: Links) -> None:
        for after in _labelled(linkables(other)):
            self._after.append(after)
            for before in self._before:
                after.follow(before, self.label or "")

    def follow(self, before: Linkable, _label: str = "") -> None:
        _labelled([before])
        self._before.append(before)
        for after in self._after:
            after.follow(before, self.label or "")


def _labelled(sides: list[Linkable]) -> list[Linkable]:
    for side in sides:
        if isinstance(side, EdgeModifier):
            raise author().refuse(f"{side!r} stands beside another label; put each between tasks or groups")
    return sides


def Label(label: str) -> EdgeModifier:  # noqa: N802 - Airflow's name
    """A label for the edges of an arrow; ``dags show`` draws it."""
    return EdgeModifier(label)


def chain(*tasks: Links) -> None:
    """Each argument comes before the next: ``chain(a, [b, c], [d, e], f)``.

    Two lists side by side are joined in pairs (b >> d, c >> e) and must have the same length. A label may stand
    between two tasks, and a list of labels between two lists.
    """
    for before, after in pairwise(tasks):
        if isinstance(before, Linkable) or isinstance(after, Linkable):
            cross_downstream(before, after)
        else:
            _join_pairs(linkables(before), linkables(after))


def _join_pairs(before: Sequence[Linkable], after: Sequence[Linkable]) -> None:
    if len(before) != len(after):
        raise author().refuse(
            f"chain() joins two lists in pairs, and these have {len(before)} and {len(after)} items; "
            f"use chain_linear() to join each with each"
        )
    for one, other in zip(before, after, strict=True):
        one.set_downstream(other)


def chain_linear(*elements: Links) -> None:
    """Each argument comes before the next; two lists side by side are joined each with each."""
    several = [linkables(element) for element in elements]
    if any(isinstance(item, EdgeModifier) for items in several for item in items):
        raise author().refuse("chain_linear() takes no labels; join what is labelled with >> or chain()")
    if len([items for items in several if items]) < 2:
        raise author().refuse(
            "chain_linear() joins nothing here; give it two arguments at least, a list of them with *"
        )
    for before, after in pairwise(several):
        cross_downstream(before, after)


def cross_downstream(from_tasks: Links, to_tasks: Links) -> None:
    """Every one of ``from_tasks`` comes before every one of ``to_tasks``."""
    after = linkables(to_tasks)
    for before in linkables(from_tasks):
        before.set_downstream(after)
