"""Activations and advances: what a workflow's code is told, and what it asks for in return.

The code runs elsewhere, as a body does. It is told the facts of its run in order of seq; each time it has taken in all
that there are and can go no further, it answers with one Advance. Told the same facts, it asks for the same.
"""

from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from orchestrator.core.events import Recorded
from orchestrator.core.particulars import NULL, Failure, PayloadRef
from orchestrator.names import BlockKind, ParentClose, RunType


class Activation(msgspec.Struct, frozen=True, kw_only=True):
    """There is news for a workflow: ``facts`` follow ``after``, which it has been told before.

    ``code`` is the folder of the version's snapshot and ``file`` the DAG file in it. ``params`` bind the parameters of
    the workflow by name. ``asked_until`` is the seq of the last fact that its code asked for: up to there it replays.
    Whoever is not at ``after`` any more, as after a crash, asks for the facts before by FactsWanted.

    What people call a version is its number in its DAG: ``number`` is that of the code, 0 where it is not recorded,
    and ``versions`` those that the run has had, each with the seq of the fact from which on it had it.
    """

    run_key: int
    dag_id: str
    run_id: str
    run_uid: str
    run_type: RunType
    version_id: int
    number: int = 0
    versions: tuple[tuple[int, int], ...] = ()
    code: str
    file: str
    params: dict[str, Any] = {}
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    after: int = 0
    asked_until: int = 0
    facts: tuple[Recorded, ...] = ()


# ── what the code asks for ───────────────────────────────────────────────────────────────────────────────


class Call(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Run an activity; becomes ActivityRequested, as its next occurrence.

    ``shielded``, here and of timers and children: asked for where the code is shielded from the cancellation of its
    run. Of all others, that are open then, the cancellation is the end.
    """

    task_id: str
    digest: str
    input: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    shielded: bool = False


class CancelCall(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Becomes ActivityCancelRequested, unless the call has ended."""

    task_id: str
    map_index: int


class SetTimer(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    timer_id: str
    fire_at: datetime
    shielded: bool = False


class CancelTimer(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    timer_id: str


class StartChild(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Start a run of a DAG or a workflow; ``run_id`` is made from the parent's and ``child_id`` where it is None, and
    ``logical_date`` is now.
    """

    child_id: str
    dag_id: str
    run_id: str | None = None
    conf: msgspec.Raw = msgspec.Raw(b"{}")
    close: ParentClose = ParentClose.CANCEL
    shielded: bool = False
    logical_date: datetime | None = None


class CancelChild(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    child_id: str


class SignalRun(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Send a signal to another run; recorded there, and here as a ValueRecorded of ``name`` with what came of it."""

    name: str
    dag_id: str
    run_id: str
    signal: str
    payload: msgspec.Raw = NULL


class AnswerUpdate(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    update_id: str
    result: msgspec.Raw = NULL
    failure: Failure | None = None


class RecordValue(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    name: str
    value: msgspec.Raw = NULL


class MarkVersion(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    name: str
    version: int


class Return(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """The workflow has returned: the run ends successfully."""

    result: msgspec.Raw = NULL
    payload: PayloadRef | None = None


class Raise(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The workflow has raised: the run ends failed. ``cancelled``: what it raised is its own cancellation."""

    failure: Failure
    cancelled: bool = False


class Continue(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Begin anew with this input; becomes RunContinued."""

    input: msgspec.Raw = NULL
    payload: PayloadRef | None = None


class Block(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """The code cannot go on; becomes RunBlocked. Always the only command of its Advance."""

    kind: BlockKind
    message: str
    where: str | None = None
    frames: tuple[str, ...] = ()


WorkflowCommand: TypeAlias = (
    Call
    | CancelCall
    | SetTimer
    | CancelTimer
    | StartChild
    | CancelChild
    | SignalRun
    | AnswerUpdate
    | RecordValue
    | MarkVersion
    | Return
    | Raise
    | Continue
    | Block
)


# ── what whoever runs the code says ──────────────────────────────────────────────────────────────────────


class Advance(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """The code has taken in everything up to ``seq`` and asks for ``commands``, in order."""

    run_key: int
    seq: int
    commands: tuple[WorkflowCommand, ...] = ()


class FactsWanted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The code has to be replayed, and wants the facts after ``after``; answered by ``Replayer.supply``."""

    run_key: int
    after: int


class ReplayLost(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An activation is not answered, as the process that ran the code is gone, or could not keep or read a large value
    just now; it is to be said again."""

    run_key: int
    reason: str


Word: TypeAlias = Advance | FactsWanted | ReplayLost


# ── where the code stands ────────────────────────────────────────────────────────────────────────────────


class Wait(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a strand of the code waits for, at the author's file:line ``where``.

    ``what`` are calls, timers, children and strands by name, of which one is enough. ``condition`` is what it looks at
    besides, in words; then ``what`` ends the wait without it. ``signal``: by that name, what it looks for.
    """

    strand: str
    what: tuple[str, ...] = ()
    condition: str | None = None
    signal: str | None = None
    where: str | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the code stands once it can go no further; ``untaken`` counts by name the signals that it has not taken."""

    waits: tuple[Wait, ...] = ()
    untaken: dict[str, int] = {}
