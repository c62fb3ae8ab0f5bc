"""Callbacks: which callbacks of a run are called for, handed out or over, as a fold of its facts."""

from collections.abc import Iterator

from orchestrator.core.callback_events import CallbackEnded, CallbackLost, CallbackScheduled
from orchestrator.names import AttemptKey


class Called:
    """Callbacks that a fact called for. ``cause`` is its seq; ``scheduled_seq`` the place of their last
    CallbackScheduled (0: they wait to be handed out), and ``losses`` count those that were not free.
    """

    __slots__ = ("cause", "losses", "scheduled_seq")

    def __init__(self, cause: int) -> None:
        self.cause = cause
        self.losses = 0
        self.scheduled_seq = 0


class Callbacks:
    """Those of one run that have not ended. ``fresh`` waits to be taken, once each, by who hands them out; ``closed``
    gave their slots back. ``failed`` counts those that raised.
    """

    __slots__ = ("_called", "closed", "failed", "fresh")

    def __init__(self) -> None:
        self._called: dict[AttemptKey, Called] = {}
        self.fresh: list[AttemptKey] = []
        self.closed: list[AttemptKey] = []
        self.failed = 0

    def __len__(self) -> int:
        return len(self._called)

    def __iter__(self) -> Iterator[AttemptKey]:
        """All that have not ended."""
        return iter(self._called)

    def get(self, key: AttemptKey) -> Called | None:
        """What is known of them, unless they have ended or were never called for."""
        return self._called.get(key)

    def handed_out(self) -> list[AttemptKey]:
        """Those that an executor answers for."""
        return [key for key, called in self._called.items() if called.scheduled_seq]

    def waits(self, key: AttemptKey) -> bool:
        """Whether they are to be handed out."""
        called = self._called.get(key)
        return called is not None and not called.scheduled_seq

    def take_fresh(self) -> list[AttemptKey]:
        """Those to be handed out that nobody has been told of."""
        fresh, self.fresh = self.fresh, []
        return [key for key in dict.fromkeys(fresh) if self.waits(key)]

    def take_closed(self) -> list[AttemptKey]:
        closed, self.closed = self.closed, []
        return closed

    # ── the fold ─────────────────────────────────────────────────────────────────────────────────────────

    def call(self, key: AttemptKey, cause: int) -> None:
        """A fact, that of the seq ``cause``, calls for them."""
        if key not in self._called:
            self._called[key] = Called(cause)
            self.fresh.append(key)

    def take(self, run_key: int, event: CallbackScheduled | CallbackLost | CallbackEnded, seq: int) -> None:
        """Take in what is recorded of callbacks; what is not open any more is only evidence."""
        count = event.count if isinstance(event, CallbackScheduled) else 1
        for map_index in range(event.map_index, event.map_index + count):
            key = AttemptKey(run_key, event.task_id, map_index, event.attempt, event.kind)
            called = self._called.get(key)
            if called is not None:
                self._take(key, called, event, seq)

    def _take(
        self, key: AttemptKey, called: Called, event: CallbackScheduled | CallbackLost | CallbackEnded, seq: int
    ) -> None:
        match event:
            case CallbackScheduled():
                called.scheduled_seq = seq
            case CallbackLost():
                called.scheduled_seq = 0
                called.losses += not event.free
                self.closed.append(key)
                self.fresh.append(key)
            case CallbackEnded():
                del self._called[key]
                self.failed += event.failure is not None
                self.closed.append(key)
