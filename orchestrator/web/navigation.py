"""Navigation: the links at the head of each page."""

import msgspec

from orchestrator.core.rights import Principal, Right


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """``is_here``: the page is this one, or one below it. ``key`` goes there after the key ``g``."""

    path: str
    title: str
    key: str
    is_here: bool = False
    right: Right = Right.VIEW


LINKS = (
    Link(path="/", title="Home", key="h"),
    Link(path="/dags", title="DAGs", key="d"),
)
"""Those that everybody sees stand first; nothing links to a page that is not there."""


def links_for(who: Principal, path: str) -> list[Link]:
    """Those that somebody may follow, with the one that they are at."""
    return [
        msgspec.structs.replace(link, is_here=_is_at(path, link.path))
        for link in LINKS
        if link.right is Right.VIEW or who.may(link.right)
    ]


def _is_at(path: str, link: str) -> bool:
    return path == link or (link != "/" and path.startswith(f"{link}/"))
