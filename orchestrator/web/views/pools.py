"""Pools: how full each is, who has its slots, and the form of one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.rights import Right
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.storage.schema import DEFAULT_POOL
from orchestrator.storage.views import OpenCount, PoolRow
from orchestrator.web.page import last

_HOLDERS = 100
_MOST_SLOTS = 2**31 - 1


class Segment(msgspec.Struct, frozen=True):
    """A part of a bar, in hundredths of it."""

    state: str
    start: float
    width: float


class PoolLine(msgspec.Struct, frozen=True, kw_only=True):
    """``holders`` are the tasks that have its slots, the greediest first."""

    pool: PoolRow
    bar: list[Segment]
    holders: list[OpenCount]
    may_delete: bool


class PoolPage(msgspec.Struct, frozen=True, kw_only=True):
    """All pools, with the tasks that have their slots."""

    lines: list[PoolLine]
    holders: list[OpenCount]
    may_edit: bool


class PoolForm(msgspec.Struct, frozen=True, kw_only=True):
    """``is_new``: the name may be chosen."""

    is_new: bool
    name: str = ""
    slots: str = ""
    description: str = ""
    errors: Mapping[str, str] = {}


def pool_page(home: Home) -> PoolPage:
    may_edit = home.who.may(Right.EDIT)
    held: dict[str, list[OpenCount]] = defaultdict(list)
    holders = sorted(home.reads.open_attempts(), key=lambda one: -one.slots)
    for one in holders:
        held[one.pool].append(one)
    lines = [
        PoolLine(
            pool=pool,
            bar=_bar(pool),
            holders=held[pool.name][:3],
            may_delete=may_edit and pool.name != DEFAULT_POOL,
        )
        for pool in home.reads.pools()
    ]
    return PoolPage(lines=lines, holders=holders[:_HOLDERS], may_edit=may_edit)


def _bar(pool: PoolRow) -> list[Segment]:
    """A pool without a limit is drawn as full as it is used: there is nothing else to compare with."""
    taken = pool.running + pool.queued
    whole = max(taken if pool.slots < 0 else pool.slots, taken, 1)
    running = 100 * pool.running / whole
    found = [Segment("running", 0, running), Segment("queued", running, 100 * pool.queued / whole)]
    return [one for one in found if one.width]


def pool_form(home: Home, name: str) -> PoolForm:
    """The form of a pool that is there, or of a new one where no name is given."""
    if not name:
        return PoolForm(is_new=True, slots="16")
    found = next((pool for pool in home.reads.pools() if pool.name == name), None)
    if found is None:
        raise NotFoundError(f"there is no pool {name[:100]!r}")
    return PoolForm(is_new=False, name=found.name, slots=str(found.slots), description=found.description)


def save_pool(home: Home, fields: Mapping[str, Sequence[str]]) -> PoolForm | None:
    """Make or change a pool; the form again, with what is wrong, where that cannot be."""
    form = PoolForm(
        is_new=last(fields, "is_new") == "true",
        name=last(fields, "name"),
        slots=last(fields, "slots").strip(),
        description=last(fields, "description").strip(),
    )
    errors = {}
    if form.is_new and any(pool.name == form.name for pool in home.reads.pools()):
        errors["name"] = "There is a pool of that name already."
    slots = _slots(form.slots)
    if slots is None:
        errors["slots"] = "Write a whole number of slots; -1 means no limit."
    if slots is not None and not errors:
        try:
            home.records.set_pool(form.name, slots, form.description, by="")
        except UsageError as error:
            errors["name"] = str(error)
    return msgspec.structs.replace(form, errors=errors) if errors else None


def _slots(text: str) -> int | None:
    try:
        number = int(text) if text.isascii() and len(text) < len(str(_MOST_SLOTS)) + 1 else _MOST_SLOTS + 1
    except ValueError:
        return None
    return number if -1 <= number <= _MOST_SLOTS else None
