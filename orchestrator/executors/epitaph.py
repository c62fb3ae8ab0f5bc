"""Epitaph: how a worker process ended, in words, and in the log of the attempt that it held."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from orchestrator.core.orders import Failed, Lost, Order, TakenBack
from orchestrator.executors.link import WorkerLink
from orchestrator.worker.log import append_lines
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.wire import BUG_STATUS

_MOST_OUTPUT = 256 * 1024
_PATIENCE = 3.0  # the scheduler waits for it
_LAST_WORDS = "import sys; sys.path[:] = sys.argv[1:]; from orchestrator.worker.last_words import main; main()"
_NOT_SHOWN = "what the worker printed last is not shown, since secrets could not be taken out of it: {}"


def epitaph(pid: int, status: int | None) -> str:
    """One clause; ``status`` is as from ``os.wait``, None where nobody knows it."""
    worker = f"worker process {pid}" if pid else "a worker process"
    if status is None:
        return f"{worker} is gone"
    code = os.waitstatus_to_exitcode(status)
    if code == BUG_STATUS:
        return (
            f"{worker} ended with exit status {code} in the middle of it, as after a defect of this program; then the "
            f"traceback is in the log of this attempt and in what the scheduler writes to stderr"
        )
    if code >= 0:
        return f"{worker} ended with exit status {code} in the middle of it"
    if -code == signal.SIGKILL:
        return f"{worker} was killed by SIGKILL: by a person or program, or because memory ran out"
    return f"{worker} was ended by {_name(-code)}"


def _name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def write_epitaph(settings: WorkerSettings, order: Order, link: WorkerLink, report: Failed | Lost | TakenBack) -> None:
    """Put the dead worker's last output, such as where it crashed, and what was reported into the attempt's log.

    Which secrets the worker had read, nobody knows any more: all those of the home are masked, by a process of its own,
    since a scheduler reads none.
    """
    if not order.log or isinstance(report, TakenBack):
        return
    last = _without_secrets(settings, link.last_output(_MOST_OUTPUT).decode("utf-8", "backslashreplace"))
    said = f"lost: {report.reason}" if isinstance(report, Lost) else f"failed ({report.kind}): {report.failure.message}"
    # The disk may be full: the report says the same, and it is what counts.
    with contextlib.suppress(OSError):
        append_lines(
            Path(settings.log_folder) / order.log, [*(("output", line) for line in last.splitlines()), ("ERROR", said)]
        )


def _without_secrets(settings: WorkerSettings, text: str) -> str:
    if not text:
        return text
    if settings.backing:
        return _NOT_SHOWN.format("a secrets backend may have given it any")
    remains = {
        "text": text,
        "database": settings.home_database,
        "fernet_key": settings.fernet_key,
        "fernet_file": settings.fernet_file,
    }
    command = [sys.executable, "-P", "-c", _LAST_WORDS, *sys.path]
    try:
        done = subprocess.run(
            command, input=msgspec.json.encode(remains), capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _NOT_SHOWN.format(error)
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "replace")
    last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
    return _NOT_SHOWN.format(last[0] if last else f"exit status {done.returncode}")
