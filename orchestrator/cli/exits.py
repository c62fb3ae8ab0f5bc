"""How a command ends: the exit status of every kind of error, and its one line on stderr."""

import errno
import os
import sys

import click

from orchestrator import exceptions
from orchestrator.cli.printable import one_line

FAILED = 1
USAGE = 2
INTERRUPTED = 130
_TRACEBACK_VARIABLE = "ORCHESTRATOR_TRACEBACK"


def end(error: BaseException) -> int:
    """Tell of the error and give its exit status; what is not one of ours is a defect and says so."""
    match error:
        case click.Abort() | KeyboardInterrupt():
            return _tell("interrupted", INTERRUPTED)
        case click.exceptions.NoArgsIsHelpError():
            error.show()
            return USAGE
        case click.UsageError():
            return _tell(_usage(error), USAGE)
        case click.ClickException():
            return _tell(error.format_message(), FAILED)
        case exceptions.UsageError():
            return _tell(str(error), USAGE)
        case exceptions.OrchestratorError():
            return _tell(str(error), FAILED)
        case BrokenPipeError():
            return _hush()
        case OSError(filename=str() as path, strerror=str() as reason):
            return _tell(f"{path}: {reason}", FAILED)
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG | errno.EIO, strerror=reason):
            _hush()
            return _tell(f"the output cannot be written: {reason}", FAILED)
        case _:
            return _defect(error)


def colors() -> bool | None:
    """False where NO_COLOR asks for none; None leaves it to whether there is a terminal."""
    return False if os.environ.get("NO_COLOR") else None


def _tell(sentence: str, status: int) -> int:
    line = one_line(" ".join(sentence.split()))
    click.echo(click.style("Error: ", fg="red", bold=True) + line, err=True, color=colors())
    return status


def _usage(error: click.UsageError) -> str:
    sentence = error.format_message().rstrip(".")
    return sentence if error.ctx is None else f"{sentence}; see '{error.ctx.command_path} --help'"


def _hush() -> int:
    """Our output can go nowhere; so that nothing more is said of that at exit, it is thrown away."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return FAILED


def _defect(error: BaseException) -> int:
    if os.environ.get(_TRACEBACK_VARIABLE):
        raise error
    name = type(error).__name__
    return _tell(
        f"this is a defect of the program: {name}: {error}; set {_TRACEBACK_VARIABLE}=1 to see where, and report it",
        FAILED,
    )
