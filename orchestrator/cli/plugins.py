"""``orchestrator plugins``."""

from typing import Any

import click

from orchestrator.assembly.plugins import roll
from orchestrator.cli import edge
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.cli.printable import printable
from orchestrator.cli.render.console import out, remark
from orchestrator.cli.tree import COMMANDS
from orchestrator.plugins.cards import Card

_COLUMNS = ["name", "source", "brings", "error"]


@click.command("list")
@output_option
def list_plugins(output: Format) -> None:
    """List the plugins, and why one is not used.

    \b
    Example:
      orchestrator plugins list
    """
    cards = roll(edge.config()).cards
    rows = [_row(card) if output is Format.TABLE else _object(card) for card in cards]
    show_rows(rows, output, _COLUMNS, empty="There are no plugins.")
    if output is Format.TABLE:
        for card in cards:
            _tell_more(card)


def _tell_more(card: Card) -> None:
    for line in card.trouble.frames if card.trouble else ():
        out().print(f"  {printable(line)}", style="dim", markup=False)
    if card.ignored:
        remark(f"of {card.name} ({card.source}) this is ignored: {', '.join(card.ignored)}")


def _row(card: Card) -> dict[str, Any]:
    brings = [f"{kind}: {', '.join(names)}" for kind, names in _brings(card).items()]
    return {
        "name": card.name,
        "source": card.source,
        "brings": "; ".join(brings),
        "error": _error(card),
    }


def _object(card: Card) -> dict[str, Any]:
    return {
        "name": card.name,
        "source": card.source,
        "brings": _brings(card),
        "error": _error(card),
    } | ({"ignored": list(card.ignored)} if card.ignored else {})


def _brings(card: Card) -> dict[str, list[str]]:
    found = {kind: list(names) for kind, names in card.brings.items()}
    return found | ({"commands": list(card.commands)} if card.commands else {})


def _error(card: Card) -> str | None:
    if card.trouble is not None:
        return str(card.trouble)
    taken = sorted(card.commands.keys() & COMMANDS.keys())
    return f"{card.source}: there is a command {taken[0]!r} already; give this one another name" if taken else None
