"""The program ``orchestrator``: the tree of commands and the one place where errors end."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from orchestrator.cli.exits import colors, end
from orchestrator.cli.plugged import PluggedGroup
from orchestrator.cli.tree import COMMANDS
from orchestrator.exceptions import UsageError

NAME = "orchestrator"

_HELP = """Schedule, run and watch DAGs of Python tasks. What is recorded never runs twice.

Start with `orchestrator standalone`, put a DAG file into the folder that it names, and run it with
`orchestrator dags trigger DAG --wait`.
"""

orchestrator = PluggedGroup(NAME, COMMANDS, _HELP)


def _say_version(context: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    if is_asked and not context.resilient_parsing:
        version = orchestrator.get_command(context, "version")
        assert version is not None
        version.main([], standalone_mode=False)
        context.exit()


orchestrator.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_say_version,
        help="Print the version and exit.",
    )
)

orchestrator.params.append(
    click.Option(
        ["--url"],
        metavar="URL",
        help="Work with the home of the server there, or of the login of that name; a token lets you in, from "
        "ORCHESTRATOR_TOKEN or `orchestrator login`. [env: ORCHESTRATOR_URL]",
    )
)

orchestrator.params.append(
    click.Option(
        ["--ca"],
        metavar="FILE",
        help="With --url: trust servers whose certificates are signed by those in this file. [env: ORCHESTRATOR_CA]",
    )
)


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line, this process's own by default; the exit status."""
    words = sys.argv[1:] if args is None else args
    try:
        _have_streams()
        _require_text(words)
        status = orchestrator.main(words, NAME, standalone_mode=False, color=colors())
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # whatever happens, a user is told in one line
        return end(error)
    return status if isinstance(status, int) else 0


def _have_streams() -> None:
    """A program may be started with its output closed; what it says then goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open until the end


def _require_text(words: Sequence[str]) -> None:
    """Bytes that are no UTF-8 arrive as halves of surrogate pairs, and no database takes those."""
    for word in words:
        if any("\ud800" <= letter <= "\udfff" for letter in word):
            raise UsageError(f"{word!r} is no valid text; write it in UTF-8")
