"""Waits: what a triggerer is given to wait for, in the place of attempts that gave their workers up."""

import msgspec

from orchestrator.core.particulars import NULL, Failure
from orchestrator.names import AttemptKey


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A trigger, as its ``serialize()`` named it; ``local``: its class is of the version's own code."""

    classpath: str
    kwargs: msgspec.Raw = msgspec.Raw(b"{}")
    local: bool = False


class _Deferral(msgspec.Struct, frozen=True):
    trigger: Named | None = None


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """One deferral among all: the ActivityDeferred at ``seq`` in the history of a run."""

    run_key: int
    seq: int


class Wait(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that a triggerer needs for one deferred attempt.

    ``code`` is the folder of the version's snapshot and ``file`` the DAG file in it; ``log`` is a path below the log
    folder, of the attempt that is deferred.
    """

    key: AttemptKey
    seq: int
    trigger: Named
    dag_id: str
    run_id: str
    code: str
    file: str
    log: str = ""

    @property
    def ticket(self) -> Ticket:
        return Ticket(self.key.run_key, self.seq)


class Dropped(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The triggerer has lost this one, and says nothing of it unless it is submitted again."""

    ticket: Ticket


class Came(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an ActivityResumed says of a trigger, as JSON: its event; or why it will have none."""

    event: msgspec.Raw = NULL
    failure: Failure | None = None

    def raw(self) -> msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(self))


_decode = msgspec.json.Decoder(_Deferral).decode


def trigger_of(deferral: msgspec.Raw) -> Named | None:
    """The trigger in an ActivityDeferred, unless the engine itself waits for what is in there."""
    if b'"trigger"' not in bytes(deferral):
        return None
    try:
        return _decode(deferral).trigger
    except msgspec.DecodeError:
        return None
