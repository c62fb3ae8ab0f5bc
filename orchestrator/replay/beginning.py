"""Beginning: where the code of a run begins, or begins anew, and what it brings along from before."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from orchestrator.authoring.blue import Given
from orchestrator.core import values
from orchestrator.core.events import (
    Recorded,
    RunCancelRequested,
    RunContinued,
    SignalReceived,
    UpdateReceived,
)
from orchestrator.core.particulars import PayloadRef


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """``seq`` and ``at`` are of the fact that the code begins with; ``round`` counts how often it has begun anew.

    ``root`` is the run_uid that random numbers come from; ``signals`` are those that nobody had taken before, ``late``
    is what else came when the code had ended its round already.
    """

    seq: int
    at: datetime
    given: Given
    root: str
    round: int = 0
    signals: tuple[tuple[str, Any], ...] = ()
    late: tuple[UpdateReceived | RunCancelRequested, ...] = ()

    @property
    def seed(self) -> str:
        """Where random numbers come from."""
        return f"{self.root}/{self.round}"

    @property
    def prefix(self) -> str:
        """What tells ids of this round from those of the others, of which the code does not know any more."""
        return f"{self.round}." if self.round else ""

    def anew(self, args: Sequence[Any], kwargs: Mapping[str, Any], signals: Iterable[tuple[str, Any]]) -> "Renewal":
        """What the next round begins with; ValueEncodingError names the argument that cannot be recorded."""
        for number, value in enumerate(args, 1):
            values.encode(value, f"argument {number} of continue_as_new")
        for name, value in kwargs.items():
            values.encode(value, f"argument {name!r} of continue_as_new")
        return Renewal(
            args=msgspec.Raw(values.encode(list(args))),
            kwargs=msgspec.Raw(values.encode(dict(kwargs))),
            carried=_Carried(
                root=self.root,
                round=self.round + 1,
                signals=[(name, msgspec.Raw(values.encode(payload))) for name, payload in signals],
            ),
        )


class _Carried(msgspec.Struct, kw_only=True, omit_defaults=True):
    root: str
    round: int
    signals: list[tuple[str, msgspec.Raw]]
    updates: list[tuple[str, str, msgspec.Raw]] = []
    cancelled: str | None = None


class Renewal(msgspec.Struct, kw_only=True):
    """What the next round begins with, as JSON."""

    args: msgspec.Raw
    kwargs: msgspec.Raw
    carried: _Carried

    def take(self, event: SignalReceived | UpdateReceived | RunCancelRequested) -> None:
        """It came when the code had asked to begin anew already: the next round hears it."""
        if isinstance(event, SignalReceived):
            self.carried.signals.append((event.name, event.payload))
        elif isinstance(event, RunCancelRequested):
            self.carried.cancelled = self.carried.cancelled or event.reason
        else:
            self.carried.updates.append((event.update_id, event.name, event.payload))

    def encoded(self) -> bytes:
        """All of it, as a RunContinued has it."""
        return msgspec.json.encode(self)


def begun_anew(fact: Recorded, root: str, load: Callable[[PayloadRef], bytes]) -> Beginning:
    """What a RunContinued says."""
    event = fact.event
    assert isinstance(event, RunContinued)
    said = values.decode(event.input if event.payload is None else load(event.payload)) or {}
    carried = said.get("carried", {})
    return Beginning(
        seq=fact.seq,
        at=fact.at,
        given=Given(args=tuple(said.get("args", ())), kwargs=said.get("kwargs", {})),
        root=carried.get("root", root),
        round=carried.get("round", 1),
        signals=tuple((name, payload) for name, payload in carried.get("signals", ())),
        late=tuple(_late(carried)),
    )


def _late(carried: Mapping[str, Any]) -> Iterator[UpdateReceived | RunCancelRequested]:
    for update_id, name, payload in carried.get("updates", ()):
        yield UpdateReceived(update_id=update_id, name=name, payload=msgspec.Raw(values.encode(payload)))
    reason = carried.get("cancelled")
    if reason is not None:
        yield RunCancelRequested(reason=reason)
