"""Secrecy: variables and connections as they may be shown: what is secret in them goes in, and never comes out."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from orchestrator.authoring.connection import Connection
from orchestrator.authoring.environment import PROGRAMS, of_environment
from orchestrator.authoring.masking import STARS, is_sensitive, masked, masked_value
from orchestrator.config import censor
from orchestrator.exceptions import UsageError


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """``text`` without its secrets; ``is_whole``: it had none, and what is shown may be changed and sent back."""

    text: str
    is_whole: bool
    is_json: bool = False


def shown_value(key: str, value: str) -> Shown:
    """A variable's value; JSON on several lines. What has a secret's name is one as a whole."""
    if is_sensitive(key):
        return Shown(text=STARS, is_whole=False)
    found = _structure(value)
    if found is None:
        text = censor(masked(value))
        return Shown(text=text, is_whole=text == value)
    safe = _safe(found)
    return Shown(text=_lines(safe), is_whole=safe == found, is_json=True)


def shown_extra(one: Connection) -> str:
    """A connection's extra fields, on several lines; "" where there are none."""
    found = _structure(one.extra or "")
    if found is None:
        return STARS if one.extra else ""
    return _lines(_safe(found)) if found else ""


def value_with_secrets(key: str, sent: str, kept: str | None) -> str:
    """A variable's value as it was sent, in which stars stand for what was kept; UsageError where nothing was.

    What was kept stays as it is where it comes back as it was shown.
    """
    if kept is not None and shown_value(key, kept).text == sent:
        return kept
    found = _structure(sent)
    try:
        if found is None:
            return str(with_secrets(sent, None))
        whole = with_secrets(found, _structure(kept or ""))
    except RecursionError:
        raise UsageError(f"the variable {key!r} is nested too deeply; make it flatter") from None
    except UsageError as error:
        raise UsageError(f"the variable {key!r}: {error}") from None
    return sent if whole == found else json.dumps(whole)


def with_secrets(sent: Any, kept: Any) -> Any:
    """JSON as it was sent, in which stars stand for what was kept in that place; UsageError where nothing was."""
    if sent == STARS and kept is not None:
        return kept
    if isinstance(sent, dict):
        before = kept if isinstance(kept, dict) else {}
        return {name: with_secrets(value, before.get(name)) for name, value in sent.items()}
    if isinstance(sent, list):
        of_old = kept if isinstance(kept, list) else []
        return [with_secrets(value, of_old[at] if at < len(of_old) else None) for at, value in enumerate(sent)]
    if isinstance(sent, str) and isinstance(kept, str) and sent == _censored(masked(kept)):
        return kept
    if has_stars(sent):
        raise UsageError("it has stars where a secret was left out; write that in")
    return sent


def has_stars(value: Any) -> bool:
    """Whether it is what is shown instead of a secret, or a URL in which the password was left out."""
    return isinstance(value, str) and (value == STARS or f":{STARS}@" in value)


def place_in(environment: Mapping[str, str], kind: str, name: str) -> bool:
    """Whether the environment has one of that name, which goes before the database; ``kind`` is VAR or CONN."""
    return of_environment(environment, kind, name) is not None


def names_in(environment: Mapping[str, str], kind: str) -> list[str]:
    """The environment's variables that hold one."""
    starts = tuple(f"{program}_{kind}_" for program in PROGRAMS)
    return sorted(name for name in environment if name.startswith(starts))


def _structure(text: str) -> dict[str, Any] | list[Any] | None:
    try:
        found = json.loads(text) if text.lstrip()[:1] in ("{", "[") else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _safe(found: Any) -> Any:
    """Without secrets; stars for what is nested too deeply to be gone through."""
    try:
        return _censored(masked_value(found))
    except RecursionError:
        return STARS


def _lines(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _censored(value: Any) -> Any:
    """The passwords of URLs are secrets under any name."""
    if isinstance(value, dict):
        return {name: _censored(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_censored(item) for item in value]
    return censor(value) if isinstance(value, str) else value
