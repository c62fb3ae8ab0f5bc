"""Named values: what a file of variables or connections holds, and variables as such files have them."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import msgspec

from orchestrator.authoring.masking import STARS
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.storage.variables import StoredVariable

ON_EXISTING = ("overwrite", "fail", "skip")
"""What may be done with a variable that is there already."""


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """How many were set, and how many stayed as they were."""

    taken: int
    skipped: int


class Variables(Protocol):
    """Those of a home."""

    def keys(self) -> list[str]: ...

    def set_all(self, changes: Mapping[str, tuple[str, str | None]], *, by: str) -> None: ...


def named_values(text: str, what: str) -> dict[str, Any]:
    """A JSON object, in which no name stands twice; UsageError says what is wrong with ``what``."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise UsageError(f"{what}: {twice!r} stands in it twice")
        return found

    try:
        found = json.loads(text, object_pairs_hook=once)
    except RecursionError:
        raise UsageError(f"{what} is nested too deeply to be read") from None
    except ValueError as error:
        raise UsageError(f"{what} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{what} is no JSON object with a name for each value")
    return found


def import_variables(store: Variables, found: Mapping[str, Any], on_existing: str, *, by: str) -> Imported:
    """Set all of them or, where one is there already and ``on_existing`` is ``fail``, none; ConflictError says which.

    A value of nothing but stars is that of a secret which was left out: it stays as it is.
    """
    known = sorted(set(store.keys()) & set(found))
    if on_existing == "fail" and known:
        raise ConflictError(f"nothing was imported: {', '.join(known)} are there already")
    taken = {key: described(value) for key, value in found.items() if on_existing != "skip" or key not in known}
    taken = {key: (value, about) for key, (value, about) in taken.items() if value != STARS}
    store.set_all(taken, by=by)
    return Imported(taken=len(taken), skipped=len(found) - len(taken))


def described(value: Any) -> tuple[str, str | None]:
    """What a file holds for a key: the value, or an object of value and description."""
    description = None
    if isinstance(value, dict) and "value" in value:
        value, description = value["value"], value.get("description")
    return value if isinstance(value, str) else json.dumps(value), description


def exported(found: Collection[StoredVariable]) -> str:
    """The text of a file from which an import makes the same variables."""
    return json.dumps({one.key: _written(one) for one in found}, indent=4, sort_keys=True) + "\n"


def _written(one: StoredVariable) -> Any:
    try:
        plain = json.loads(one.value)
    except (ValueError, RecursionError):
        plain = one.value
    if isinstance(plain, str) or json.dumps(plain) != one.value:
        plain = one.value
    if one.description or (isinstance(plain, dict) and "value" in plain):
        return {"value": plain, "description": one.description}
    return plain
