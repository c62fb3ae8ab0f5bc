"""Beginning: where the code of a run begins, or begins anew, and what it brings along from before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from orchestrator.authoring.blue import Given
from orchestrator.core import values
from orchestrator.core.events import PayloadRef, Recorded, RunContinued


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """``seq`` and ``at`` are of the fact that the code begins with; ``round`` counts how often it has begun anew.

    ``root`` is the run_uid that random numbers come from; ``signals`` are those that nobody had taken before.
    """

    seq: int
    at: datetime
    given: Given
    root: str
    round: int = 0
    signals: tuple[tuple[str, Any], ...] = ()

    @property
    def seed(self) -> str:
        """Where random numbers come from."""
        return f"{self.root}/{self.round}"

    @property
    def prefix(self) -> str:
        """What tells ids of this round from those of the others, of which the code does not know any more."""
        return f"{self.round}." if self.round else ""

    def anew(self, args: Sequence[Any], kwargs: Mapping[str, Any], signals: Iterable[tuple[str, Any]]) -> bytes:
        """The input of the next round, as JSON; ValueEncodingError names the argument that cannot be recorded."""
        for number, value in enumerate(args, 1):
            values.encode(value, f"argument {number} of continue_as_new")
        for name, value in kwargs.items():
            values.encode(value, f"argument {name!r} of continue_as_new")
        carried = {"root": self.root, "round": self.round + 1, "signals": [list(signal) for signal in signals]}
        return values.encode({"args": list(args), "kwargs": dict(kwargs), "carried": carried})


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
    )
