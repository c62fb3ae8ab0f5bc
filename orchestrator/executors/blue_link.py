"""BlueLink: the replayer's side of one blue process."""

import contextlib
import os
import selectors
import signal
from pathlib import Path
from typing import Final

import msgspec

from orchestrator.core.activations import Activation
from orchestrator.executors.channel import Channel
from orchestrator.worker.blue.pulse import Pulse, Sign, open_pulse
from orchestrator.worker.blue.wire import FromBlue, ToBlue, frame, from_blue
from orchestrator.worker.rawoutput import open_raw

_STARTING = 30.0  # seconds in which a process is up, and takes up what it is sent
_LOOK = 0.5  # seconds between two looks at a process that has something to answer
_LAST_WORDS = 0.5  # seconds between asking a process where it stands and killing it
_MOST_OUTPUT = 256 * 1024


class Errand(msgspec.Struct, frozen=True):
    """An activation on its way through a blue process."""

    ticket: int
    activation: Activation


class BlueLink:
    """A blue process, the runs that it replays, and the errands that it has not answered, in order, by ticket.

    ``stuck_in`` is what it was at when it was found that nothing reaches it any more; it is killed for that.
    """

    def __init__(self, number: int, selector: selectors.BaseSelector, log_folder: Path, now: float) -> None:
        self.number: Final = number
        self.pid = 0
        self.is_spent = False
        self.runs: set[int] = set()
        self.errands: dict[int, Errand] = {}
        self.busy_since = now
        self.stuck_in: Sign | None = None
        self._kill_at = 0.0
        self._seen = Sign(0, 0, 0.0, False)
        self._seen_at = self._looked_at = now
        self._words = from_blue()
        self._channel = Channel(selector, self)
        self._pulse_file = open_pulse()
        self._pulse = Pulse(self._pulse_file)
        self._raw_writer, self._raw_reader = open_raw(log_folder)

    @property
    def has_ended(self) -> bool:
        """Whether it has hung up."""
        return self._channel.has_ended

    @property
    def far_ends(self) -> tuple[int, int, int, int]:
        """The descriptors that the process is to have."""
        return self._pulse_file, self._channel.far.fileno(), self._raw_writer, self._raw_reader

    def let_go(self) -> None:
        """Close what is the process's alone, once it is on its way there."""
        self._channel.far.close()
        os.close(self._raw_writer)
        os.close(self._pulse_file)

    def close(self) -> None:
        """Hang up; a process that lives still ends itself at once."""
        self._channel.hang_up()
        self._pulse.close()
        os.close(self._raw_reader)

    def kill(self) -> None:
        """End the process and all that it has started."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    # ── what is said ─────────────────────────────────────────────────────────────────────────────────────

    def tell(self, word: ToBlue, now: float) -> None:
        """Say something; it goes out as fast as the process listens."""
        if not self.errands:
            self.busy_since = self._looked_at = self._seen_at = now
        self._channel.send(frame(word))

    def hear(self, now: float) -> list[FromBlue]:
        """What it has said."""
        data = self._channel.receive()
        if data:
            self.busy_since = self._seen_at = now
        return list(self._words.feed(data))

    # ── where it stands ──────────────────────────────────────────────────────────────────────────────────

    def sign(self) -> Sign:
        """What it is at, or was when it ended."""
        return self.stuck_in or self._pulse.sign()

    def next_look(self) -> float:
        """When to look whether it has given a sign of life, or to kill it since it gives none any more."""
        return self._looked_at + _LOOK if self.stuck_in is None else self._kill_at

    def enforce(self, now: float) -> None:
        """Once nothing reaches it any more, have it say where it stands; then kill it."""
        if now < self.next_look():
            return
        if self.stuck_in is not None:
            self.kill()
            self._kill_at = now + _STARTING
            return
        self._look(now)
        if now - self._seen_at >= (self._seen.patience if self._seen.run_key else _STARTING):
            self.stuck_in, self._kill_at = self._seen, now + _LAST_WORDS
            self._signal(signal.SIGUSR1)

    def _look(self, now: float) -> None:
        sign = self._pulse.sign()
        if sign != self._seen:
            self._seen, self._seen_at = sign, now
        self._looked_at = now

    def last_output(self) -> str:
        """The beginning of what it had written past sys.stdout, and nobody had taken in when it died."""
        return os.read(self._raw_reader, _MOST_OUTPUT).decode("utf-8", "backslashreplace")
