"""Navigation: the links at the head of each page."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from orchestrator.core.rights import Principal, Right


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """``is_here``: the page is this one, or one below it. ``key`` goes there after the key ``g``. ``counts``: it says
    how many wait there, of which there are ``count``. ``icon`` takes the place of the title where there is no room.
    """

    path: str
    title: str
    key: str
    is_here: bool = False
    counts: bool = False
    count: int = 0
    icon: str = ""
    right: Right = Right.VIEW


REQUIRED = "/required-actions"
LINKS = (
    Link(path="/", title="Home", key="h"),
    Link(path="/dags", title="DAGs", key="d"),
    Link(path=REQUIRED, title="Required actions", key="a", counts=True, icon="hand"),
)
"""Those that everybody sees stand first; nothing links to a page that is not there."""

ADMIN = (
    Link(path="/pools", title="Pools", key="p"),
    Link(path="/variables", title="Variables", key="v", right=Right.EDIT),
    Link(path="/connections", title="Connections", key="c", right=Right.EDIT),
    Link(path="/users", title="Users", key="u", right=Right.ADMIN),
    Link(path="/tokens", title="API tokens", key="t", right=Right.ADMIN),
    Link(path="/audit", title="Audit log", key="e"),
    Link(path="/config", title="Config", key="o", right=Right.ADMIN),
    Link(path="/plugins", title="Plugins", key="l", right=Right.ADMIN),
    Link(path="/health", title="Health", key="s"),
    Link(path="/import-errors", title="Import errors", key="i"),
)
"""Those of the menu."""


def links_for(who: Principal, path: str, counts: Mapping[str, int]) -> list[Link]:
    """Those that somebody may follow, with the one that they are at, and how many wait at some, by path."""
    return [
        msgspec.structs.replace(link, is_here=_is_at(path, link.path), count=counts.get(link.path, 0))
        for link in _may_follow(who, LINKS)
    ]


def admin_links_for(who: Principal, path: str) -> list[Link]:
    """Those of the menu that somebody may follow."""
    return [msgspec.structs.replace(link, is_here=_is_at(path, link.path)) for link in _may_follow(who, ADMIN)]


def _may_follow(who: Principal, links: Iterable[Link]) -> Iterator[Link]:
    return (link for link in links if link.right is Right.VIEW or who.may(link.right))


def _is_at(path: str, link: str) -> bool:
    return path == link or (link != "/" and path.startswith(f"{link}/"))
