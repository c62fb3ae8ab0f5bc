"""Bulk: actions on several things of a kind, of which each is done wholly or named among the errors."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Generic, TypeAlias, TypeVar

import msgspec

from orchestrator.api.models.base import Sent
from orchestrator.api.models.bulk import (
    BulkActionResponse,
    BulkBody,
    BulkCreate,
    BulkDelete,
    BulkError,
    BulkResponse,
    BulkUpdate,
)
from orchestrator.exceptions import OrchestratorError

B = TypeVar("B", bound=Sent)

Action: TypeAlias = "BulkCreate[B] | BulkUpdate[B] | BulkDelete"
_CONFLICT, _MISSING, _WRONG = 409, 404, 400


class Things(msgspec.Struct, Generic[B], frozen=True, kw_only=True):
    """A kind of thing, by what may be done with it. ``put`` makes one or changes the one that is there."""

    what: str
    name_of: Callable[[B], str]
    known: Callable[[], Collection[str]]
    put: Callable[[B], object]
    delete: Callable[[str], object]


def do_all(body: BulkBody[B], things: Things[B]) -> BulkResponse:
    """One action after the other; what cannot be done keeps nothing else from being done."""
    found: dict[str, BulkActionResponse] = {}
    for action in body.actions:
        told = found.setdefault(action.action, BulkActionResponse())
        _do(action, things, told)
    return BulkResponse(**found)


def _do(action: "Action[B]", things: Things[B], told: BulkActionResponse) -> None:
    names = _names(action, things)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        sentence = f"{things.what} {', '.join(twice[:20])}: named twice, so nothing of this was done"
        told.errors.append(BulkError(error=sentence, status_code=_WRONG))
        return
    known = set(things.known())
    if isinstance(action, BulkCreate):
        odd, policy, said = [name for name in names if name in known], action.action_on_existence, "there already"
    else:
        odd, policy, said = [name for name in names if name not in known], action.action_on_non_existence, "not there"
    if odd and policy == "fail":
        sentence = f"{things.what} {', '.join(odd[:20])}: {said}, so nothing of this was done"
        told.errors.append(BulkError(error=sentence, status_code=_CONFLICT if said != "not there" else _MISSING))
        return
    left_out = set(odd) if policy == "skip" else set()
    for place, name in enumerate(names):
        if name not in left_out:
            _do_one(action, things, place, name, told)


def _do_one(
    action: "Action[B]",
    things: Things[B],
    place: int,
    name: str,
    told: BulkActionResponse,
) -> None:
    try:
        if isinstance(action, BulkDelete):
            things.delete(name)
        else:
            things.put(action.entities[place])
    except OrchestratorError as error:
        told.errors.append(BulkError(error=str(error), status_code=_WRONG))
    else:
        told.success.append(name)


def _names(action: "Action[B]", things: Things[B]) -> Sequence[str]:
    if isinstance(action, BulkDelete):
        return action.entities
    return [things.name_of(one) for one in action.entities]
