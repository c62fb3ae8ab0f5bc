"""Every interface that the engine is built on, on one page.

Moments are aware UTC datetimes, durations timedeltas. Errors are of the tree in ``exceptions``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from orchestrator.core.activations import Activation, Word
from orchestrator.core.events import Recorded
from orchestrator.core.orders import Fired, Order, Report
from orchestrator.core.particulars import PayloadRef
from orchestrator.core.past import RunBefore
from orchestrator.core.requests import AnyRequest
from orchestrator.core.run import Run
from orchestrator.core.spec import DagSpec, PlannedSlot
from orchestrator.core.waits import Dropped, Ticket, Wait
from orchestrator.names import AttemptKey, RunState, TaskState


class Clock(Protocol):
    """Where time comes from; there is one."""

    def now(self) -> datetime: ...


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One run's share of a group: ``records`` follow ``after``; ``run`` has them applied already.

    ``activities`` are the (task_id, map_index) whose projection rows changed.
    """

    run: Run
    after: int
    records: Sequence[Recorded]
    activities: Sequence[tuple[str, int]]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A request is dealt with and goes; ``refusal`` is one sentence, or None where it was carried out.

    ``run_key``: of the run whose part carries it out; the request stays where that part is refused.
    """

    request_id: int
    refusal: str | None = None
    run_key: int | None = None


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG's schedule is dealt with up to and including ``slot``."""

    dag_id: str
    slot: datetime


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG gets no more runs by its schedule until somebody unpauses it; the audit says why."""

    dag_id: str
    reason: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one turn of the scheduler has to say: one durable commit.

    ``ties``: pairs of run keys, whose parts are written both or not at all.
    """

    at: datetime
    parts: Sequence[Part] = ()
    answers: Sequence[Answer] = ()
    cursors: Sequence[Cursor] = ()
    pauses: Sequence[Pause] = ()
    ties: Sequence[tuple[int, int]] = ()

    def and_tied(self, run_keys: Iterable[int]) -> frozenset[int]:
        """These, and all whose parts cannot be written without theirs."""
        found = frozenset(run_keys)
        more = {key for tie in self.ties if not found.isdisjoint(tie) for key in tie}
        return found if found.issuperset(more) else self.and_tied(found | more)


class HistoryStore(Protocol):
    """The append-only histories, and the projections that are written with them."""

    def claim(self, owner: str) -> None:
        """Become the one scheduler of this database, or raise SchedulerRunningError."""

    def renew(self) -> None:
        """Keep the claim; SchedulerRunningError once it has passed to another. Called every few seconds."""

    def release(self) -> None: ...

    def reserve_run_keys(self, count: int) -> range:
        """Run keys that nobody has had and nobody else will get."""

    def commit(self, group: Group) -> frozenset[int]:
        """Write the group durably, as one; the keys of runs whose part was refused, because their history is not
        where ``after`` says, or (dag_id, run_id) or (dag_id, slot) of a new run is taken, or as one that they are tied
        to was.

        StorageUnavailableError: nothing of the group is written, and it may be tried again.
        """

    def read(self, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
        """A run's facts in order of seq."""

    def facts(self, run_key: int, seqs: Sequence[int]) -> dict[int, Recorded]:
        """Single facts, by seq."""


class PendingRequest(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    request: AnyRequest


class Projections(Protocol):
    """What the scheduler reads at its edges: never by scanning histories."""

    def open_runs(self) -> list[int]:
        """Keys of the runs that have not ended, or whose callbacks have not, oldest first."""

    def run_key(self, dag_id: str, run_id: str) -> int | None: ...

    def requests(self) -> list[PendingRequest]:
        """The requests that no commit has answered yet, in order."""

    def pools(self) -> dict[str, int]:
        """Slots by pool name; -1 means no limit."""

    def cursors(self) -> dict[str, datetime]:
        """The last slot dealt with, by dag_id."""

    def latest_ends(self, dag_id: str, count: int) -> list[tuple[RunState, datetime | None]]:
        """State and end of the ``count`` runs with the latest logical dates, or moments of creation; open ones too."""

    def run_before(self, dag_id: str, logical_date: datetime, *, but_manual: bool) -> RunBefore | None:
        """The run of the DAG with the last logical date before that one, the newest where several have it; of those
        that are not manual, if so asked. One that was imported while it was open does not count.
        """

    def task_states(self, run_key: int, task_ids: Collection[str]) -> dict[str, frozenset[TaskState]]:
        """What has become of these tasks of an ended run; those that it has not had are left out."""

    def has_had(self, dag_id: str, task_id: str, *, before: datetime) -> bool:
        """Whether a run of the DAG with an earlier logical date has had the task."""


class DagEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG as it stands now. ``is_stale``: its file is gone; no new runs."""

    dag_id: str
    version_id: int
    fingerprint: str
    spec: DagSpec
    is_paused: bool
    is_stale: bool
    unpaused_at: datetime


class DagCatalog(Protocol):
    """The DAGs, their versions and their code, as the dag processor recorded them."""

    def changes(self, since: int) -> tuple[int, list[DagEntry]]:
        """The cursor now, and the DAGs that changed after the cursor ``since`` (0: all)."""

    def spec(self, version_id: int) -> DagSpec: ...

    def number(self, version_id: int) -> int:
        """How people call the version: 1, 2, 3 … within its DAG; 0 where none is recorded."""

    def code(self, version_id: int) -> str:
        """The folder that holds the version's files, put there if need be."""


class ImportFailure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a DAG file has no DAGs just now: one sentence, its place, the author's own traceback lines.

    ``is_warning``: it has them all the same; what it did is only pointed out.
    """

    message: str
    file: str
    line: int | None = None
    frames: tuple[str, ...] = ()
    is_warning: bool = False


class ParsedDag(msgspec.Struct, frozen=True, kw_only=True):
    """One DAG of a parsed file; a version is the pair of fingerprints."""

    spec: DagSpec
    fingerprint: str
    code_fingerprint: str


class ParsedFile(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one parse. ``file`` is relative to dags_folder; ``digest`` covers its own bytes and those of
    every local file it needs, and is empty after a failure, so that the next start tries again. ``files`` is that
    closure, by path relative to the snapshot's root. ``needs`` are all names a change of which calls for another
    parse: the closure, what was looked for in vain, with a trailing slash the folders that were listed, and with a
    leading ``$`` the variables of the environment that were read, with ``@variable:`` or ``@connection:`` those of
    the home, and with ``@after:`` a moment that has come.
    """

    file: str
    digest: str
    dags: tuple[ParsedDag, ...] = ()
    files: dict[str, bytes] = {}
    needs: tuple[str, ...] = ()
    failure: ImportFailure | None = None
    warning: ImportFailure | None = None
    duration: float = 0.0


class KnownFile(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded of a file at its last parse; ``dag_ids`` are the DAGs that are its own now. ``dealt_with`` is
    the last slot that is over, of those whose slots are planned.
    """

    file: str
    digest: str
    needs: tuple[str, ...] = ()
    dag_ids: tuple[str, ...] = ()
    dealt_with: dict[str, PlannedSlot] = {}


class CatalogWriter(Protocol):
    """Where the dag processor records what it found. Each call is one short transaction."""

    def record(self, parsed: Sequence[ParsedFile]) -> None:
        """New versions where a fingerprint changed; a failure replaces no DAG, a vanished DAG turns stale."""

    def remove(self, files: Sequence[str]) -> None:
        """These files are gone: their DAGs turn stale, their import errors go."""

    def known(self) -> dict[str, KnownFile]:
        """Every file that was ever recorded and is not removed, by path."""


class PayloadStore(Protocol):
    """Values too large for a history."""

    def put(self, data: bytes) -> PayloadRef:
        """On disk and synced when this returns."""

    def get(self, ref: PayloadRef) -> bytes: ...


class Adoption(StrEnum):
    """What an executor knows of an attempt that an earlier scheduler handed out."""

    RUNNING = "running"  # it is here; its start and, once it has one, its end are reported again
    NOT_STARTED = "not_started"  # the body certainly never began, and never will
    LOST = "lost"  # it has stopped; it may have begun
    UNKNOWN = "unknown"  # it may even run still


class Executor(Protocol):
    """Where activities run. Called from one thread; nothing here waits."""

    def start(self) -> None: ...

    def submit(self, orders: Sequence[Order]) -> None: ...

    def go(self, keys: Sequence[AttemptKey]) -> None:
        """An at_most_once body whose start is committed may begin; said twice, it begins once."""

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        """End these; each is reported on as Failed(cancelled), TakenBack, or whatever it did first."""

    def take_back(self, keys: Sequence[AttemptKey]) -> None:
        """Give back what has not begun; each that has not is reported as TakenBack, the others go on."""

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        """After a restart: what became of these."""

    def reports(self) -> list[Report]:
        """What happened since the last call, in order for each key."""

    def files(self) -> Sequence[int]:
        """File descriptors that turn readable when ``reports`` has something to say."""

    def next_due(self) -> datetime | None:
        """When ``reports`` wants to be called although nothing has become readable (time-outs)."""

    def stop(self) -> None:
        """End everything that runs, by force."""


class Replayer(Protocol):
    """Where the code of workflows runs: replayed from the facts that it is told. Called from one thread; nothing
    here waits. At most one activation of a run is unanswered at a time.
    """

    def start(self) -> None: ...

    def activate(self, activations: Sequence[Activation]) -> None:
        """Tell the code its news; each is answered by one Advance, perhaps after words of the other kinds."""

    def supply(self, run_key: int, facts: Sequence[Recorded], *, is_all: bool) -> None:
        """The facts after what FactsWanted asked for: one answer to one FactsWanted, which is said again where they
        are not all. ``is_all``: the activation's own follow. They begin at the last RunContinued, if there is one.
        """

    def forget(self, run_keys: Sequence[int]) -> None:
        """Drop what is held of these: they have ended, or what they were told does not count. Unanswered
        activations of theirs are not answered any more."""

    def words(self) -> list[Word]:
        """What was said since the last call, in order for each run."""

    def files(self) -> Sequence[int]:
        """File descriptors that turn readable when ``words`` has something to say."""

    def next_due(self) -> datetime | None:
        """When ``words`` wants to be called although nothing has become readable (code that is stuck)."""

    def stop(self) -> None:
        """End everything that runs, by force."""


class Triggerer(Protocol):
    """Where triggers run, each until it has its event. Called from one thread; nothing here waits."""

    def start(self) -> None: ...

    def submit(self, waits: Sequence[Wait]) -> None:
        """Wait for these; one whose ticket is held here already goes on as it is."""

    def cancel(self, tickets: Sequence[Ticket]) -> None:
        """End these, and say nothing of them any more."""

    def reports(self) -> list[Fired | Dropped]:
        """What came since the last call. Whatever is told of is not held here any more."""

    def files(self) -> Sequence[int]:
        """File descriptors that turn readable when ``reports`` has something to say."""

    def next_due(self) -> datetime | None:
        """When ``reports`` wants to be called although nothing has become readable."""

    def stop(self) -> None:
        """End everything that runs, by force."""


class Doorbell(Protocol):
    """How others wake the scheduler, and how it sleeps."""

    def wait(self, files: Sequence[int], timeout: float | None) -> bool:
        """Sleep until one of ``files`` is readable, somebody rings or ``timeout`` seconds have passed; True if rung."""

    def close(self) -> None: ...


class SecretsBackend(Protocol):
    """Another place for Variables and Connections, asked before the environment and the database."""

    def get_variable(self, key: str) -> str | None: ...

    def get_conn_value(self, conn_id: str) -> str | None:
        """A URI or a JSON object."""
