"""chain, chain_linear and cross_downstream: many edges in one call."""

from collections.abc import Sequence
from itertools import pairwise

from orchestrator.authoring.place import author
from orchestrator.authoring.task import Linkable, Links, linkables


def chain(*tasks: Links) -> None:
    """Each argument comes before the next: ``chain(a, [b, c], [d, e], f)``.

    Two lists side by side are joined in pairs (b >> d, c >> e) and must have the same length.
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
    for before, after in pairwise(elements):
        cross_downstream(before, after)


def cross_downstream(from_tasks: Links, to_tasks: Links) -> None:
    """Every one of ``from_tasks`` comes before every one of ``to_tasks``."""
    after = linkables(to_tasks)
    for before in linkables(from_tasks):
        before.set_downstream(after)
