"""Telling a person what would happen again, before it is asked whether it is meant."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.markup import escape

from orchestrator.cli.output import plain_data
from orchestrator.cli.printable import one_line
from orchestrator.cli.render.console import err, remark
from orchestrator.core.compatibility import Finding
from orchestrator.core.effects import Effect, What
from orchestrator.names import UNMAPPED

_SHOWN = 20
_SHORT = 60


def tell_effects(effects: Sequence[Effect]) -> None:
    """On stderr, one line each; of very many the first ones."""
    if not effects:
        remark("Nothing that has happened outside would happen again.")
        return
    err().print("These have happened, and would happen again:", style="bold yellow", soft_wrap=True)
    width = max(len(name_of(effect)) for effect in effects[:_SHOWN])
    for effect in effects[:_SHOWN]:
        err().print(escape(one_line(f"  {name_of(effect):<{width}}  {_said(effect)}")), soft_wrap=True)
    if len(effects) > _SHOWN:
        remark(f"  and {len(effects) - _SHOWN} more")


def tell_findings(findings: Iterable[Finding]) -> None:
    """On stderr, one line each."""
    for finding in findings:
        remark(f"{finding.meaning.words}: {said_of(finding)}")


def said_of(finding: Finding) -> str:
    """What a finding says, with its task where it is about one."""
    return f"{finding.task_id}: {finding.message}" if finding.task_id else finding.message


def effect_row(effect: Effect) -> dict[str, Any]:
    """An effect as it is published."""
    return {
        "what": effect.what,
        "name": effect.name,
        "map_index": effect.map_index,
        "delivery": effect.delivery if effect.what is What.ACTIVITY else None,
        "attempts": effect.attempts,
        "outcome": effect.outcome,
        "result": plain_data(effect.result) if effect.payload is None else None,
    }


def question(effects: Sequence[Effect], intention: str) -> str:
    """What is asked before it is done."""
    names = list(dict.fromkeys(effect.name for effect in effects))
    listed = ", ".join(names) if len(names) <= 5 else f"{len(names)} tasks"
    return f"{intention}, and let {listed} happen again?" if names else f"{intention} all the same?"


def name_of(effect: Effect) -> str:
    return effect.name if effect.map_index == UNMAPPED else f"{effect.name}[{effect.map_index}]"


def _said(effect: Effect) -> str:
    if effect.what is not What.ACTIVITY:
        return f"{effect.what}: {effect.outcome}"
    tries = "1 attempt" if effect.attempts == 1 else f"{effect.attempts} attempts"
    return f"{effect.delivery}, {tries}, {effect.outcome} {_short(effect)}".rstrip()


def _short(effect: Effect) -> str:
    if effect.payload is not None:
        return f"({effect.payload.size:,} bytes)"
    text = bytes(effect.result).decode("utf-8", "replace")
    return "" if text == "null" else text if len(text) <= _SHORT else f"{text[:_SHORT]}…"
