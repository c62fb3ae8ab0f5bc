"""The program ``orchestrator``: the tree of commands and the one place where errors end."""

import sys
from collections.abc import Sequence

from orchestrator.cli.exits import colors, end
from orchestrator.cli.lazy import LazyGroup
from orchestrator.cli.tree import COMMANDS

NAME = "orchestrator"

_HELP = """Schedule, run and watch DAGs of Python tasks. What is recorded never runs twice.

Start with `orchestrator standalone`, put a DAG file into the folder that it names, and run it with
`orchestrator dags trigger DAG --wait`.
"""

orchestrator = LazyGroup(NAME, COMMANDS, _HELP)


def main(args: Sequence[str] | None = None) -> int:
    """Run a command line, this process's own by default; the exit status."""
    try:
        status = orchestrator.main(args, NAME, standalone_mode=False, color=colors())
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # whatever happens, a user is told in one line
        return end(error)
    return status if isinstance(status, int) else 0
