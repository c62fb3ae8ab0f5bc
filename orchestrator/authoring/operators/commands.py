"""Command: a program that runs in a process group of its own, its output passed on as it comes."""

import codecs
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Container, Mapping, Sequence

from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import CommandError

GRACE = 5.0  # seconds between SIGTERM and SIGKILL
LONGEST_LINE = 1024**2

_CHUNK = 65_536
_SILENCE = 1000  # milliseconds


class Command:
    """One program. ``run`` waits for it; ``kill`` may be called meanwhile, from a signal or another thread."""

    def __init__(self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> None:
        self._argv = argv
        self._cwd = cwd
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    def run(
        self,
        encoding: str = "utf-8",
        *,
        listener: Callable[[str], object] | None = None,
        in_silence: Callable[[], object] | None = None,
    ) -> tuple[int, str]:
        """Its exit code and the last line that it printed; CommandError if it cannot be started.

        Standard output and standard error both go to ours, and to ``listener``; ``in_silence`` is called every second
        in which there is none. An exit code below 0 is a signal. A line of more than 1 MiB is not kept.
        """
        try:
            process = self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env=self._env,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandError(f"{self._argv[0]!r} cannot be started: {error.strerror}", 127) from None
        with process:
            try:
                assert process.stdout is not None
                last = pass_on(process.stdout.fileno(), encoding, listener, in_silence)
                return process.wait(), last
            finally:
                self.kill()

    def kill(self) -> None:
        """End the program and all that it has started: SIGTERM, and SIGKILL to what is left after 5 seconds."""
        process = self._process
        if process is None or process.returncode is not None or not _signal(process.pid, signal.SIGTERM):
            return
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline and not _has_ended(process.pid):
            time.sleep(0.02)
        _signal(process.pid, signal.SIGKILL)


def pass_on(
    source: int,
    encoding: str,
    listener: Callable[[str], object] | None = None,
    in_silence: Callable[[], object] | None = None,
) -> str:
    """Write what the file descriptor gives to stdout, as it comes; its last line."""
    decoder = codecs.getincrementaldecoder(encoding)("backslashreplace")
    line = LastLine()
    while True:
        while in_silence is not None and not _speaks(source):
            in_silence()
        chunk = os.read(source, _CHUNK)
        text = decoder.decode(chunk, final=not chunk)
        sys.stdout.write(text)
        sys.stdout.flush()
        line.feed(text)
        if listener is not None and text:
            listener(text)
        if not chunk:
            return line.text


def _speaks(source: int) -> bool:
    """Whether there is something to read, or its end, within a second."""
    ready = select.poll()
    ready.register(source, select.POLLIN)
    return bool(ready.poll(_SILENCE))


class LastLine:
    """The last line of a text that comes in pieces; an empty one counts if a newline ends it."""

    def __init__(self) -> None:
        self._ended = ""
        self._begun: list[str] = []
        self._size = 0

    def feed(self, text: str) -> None:
        before, newline, rest = text.rpartition("\n")
        if newline:
            _, several, last = before.rpartition("\n")
            if not several:
                self._extend(before)
                last = "".join(self._begun)
            self._ended, self._begun, self._size = last[:LONGEST_LINE], [], 0
        self._extend(rest)

    def _extend(self, text: str) -> None:
        """Go on with the line; past its limit nothing more is kept."""
        self._begun.append(text[: max(0, LONGEST_LINE - self._size)])
        self._size += len(text)

    @property
    def text(self) -> str:
        return ("".join(self._begun) or self._ended).rstrip()


def _signal(group: int, number: signal.Signals) -> bool:
    """Send it to all of the process group; False if that is gone."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _has_ended(pid: int) -> bool:
    """Whether the process has ended; its exit code is left for its Popen to collect."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def exit_codes(value: int | Container[int] | None) -> Container[int]:
    """Those of ``skip_on_exit_code``: one, several, or None."""
    if value is None:
        return ()
    return (value,) if isinstance(value, int) else value


def names_of_attempt(context: Context) -> dict[str, str]:
    """What the attempt is called, as variables in Airflow's words."""
    instance, date = context["ti"], context.get("logical_date")
    names = {
        "AIRFLOW_CTX_DAG_OWNER": context["task"].owner,
        "AIRFLOW_CTX_DAG_ID": instance.dag_id,
        "AIRFLOW_CTX_TASK_ID": instance.task_id,
        "AIRFLOW_CTX_TRY_NUMBER": str(instance.try_number),
        "AIRFLOW_CTX_DAG_RUN_ID": instance.run_id,
        "ORCHESTRATOR_IDEMPOTENCY_KEY": context["idempotency_key"],
    }
    return names if date is None else {**names, "AIRFLOW_CTX_LOGICAL_DATE": date.isoformat()}
