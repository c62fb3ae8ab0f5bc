"""Conversations: what the code of each workflow has been told, and what it has said that is not recorded yet."""

from collections import deque
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from orchestrator.core.activations import Activation, Advance, Block, FactsWanted, ReplayLost
from orchestrator.core.events import Recorded
from orchestrator.core.run import Run
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.engine.alarms import Alarms
from orchestrator.engine.dispatch import Dispatch
from orchestrator.engine.hearing import matters
from orchestrator.exceptions import OrchestratorError, StorageCorruptError, StorageUnavailableError
from orchestrator.names import BlockKind
from orchestrator.ports import HistoryStore, Replayer

SEGMENT = 5_000

_MANY_LOSSES = 3
_MOST_DOUBLINGS = 6  # of the pause of one second before an activation is said again


class _Talk:
    """With the code of one run. It has been told what is up to ``after``, as far as this process knows, and not yet
    the ``facts``, which follow.

    ``is_open``: it has not answered an activation that told it everything up to ``told``; the facts of that followed
    ``base``, and the last of them, or ``base``, is ``sent``. ``losses`` counts how often that was lost in a row.
    """

    __slots__ = ("after", "base", "facts", "is_open", "losses", "sent", "told")

    def __init__(self, after: int) -> None:
        self.after = self.base = self.sent = self.told = after
        self.facts: list[Recorded] = []
        self.is_open = False
        self.losses = 0


class Conversations:
    """One activation of a run at a time; what comes meanwhile waits for the next.

    They outlive an outage of the database: what was said and is not recorded stays, as reports do.
    """

    def __init__(self, store: HistoryStore, replayer: Replayer, notice: Callable[[str], None]) -> None:
        self._store = store
        self._replayer = replayer
        self._notice = notice
        self._talks: dict[int, _Talk] = {}
        self._advances: list[Advance] = []
        self._wanted: deque[FactsWanted] = deque()
        self._lost: Alarms[int] = Alarms()
        self._hurry: datetime | None = None

    # ── what was said ────────────────────────────────────────────────────────────────────────────────────

    def listen(self, now: datetime) -> None:
        """Take in what the code of workflows says; what it says about a run that was forgotten is nothing."""
        for word in self._replayer.words():
            talk = self._talks.get(word.run_key)
            if talk is None or not talk.is_open:
                continue
            match word:
                case Advance():
                    self._take(talk, word)
                case FactsWanted():
                    self._wanted.append(word)
                case ReplayLost():
                    self._lose(talk, word, now)
            self._hurry = now

    def advances(self) -> list[Advance]:
        """What waits to be recorded."""
        return self._advances

    def take_lost(self, now: datetime) -> list[int]:
        """The runs whose activation nobody will answer, and that are to be told again now."""
        return self._lost.take(now)

    def hurry(self, now: datetime) -> None:
        """Nothing is put off any more: the clock by which it was has been set back."""
        self._lost.hurry(now)
        self._hurry = None if self._hurry is None else now

    @property
    def is_silent(self) -> bool:
        """Whether there is no workflow to talk with."""
        return not self._talks

    def next_due(self) -> tuple[datetime | None, ...]:
        return (self._replayer.next_due(),) if self.is_silent else self._moments()

    def _moments(self) -> tuple[datetime | None, ...]:
        return self._hurry, self._lost.next_due(), self._replayer.next_due()

    def _take(self, talk: _Talk, word: Advance) -> None:
        """It has taken in everything, though the last that was worth telling stands before."""
        if talk.after == talk.sent:
            talk.after = word.seq
        self._advances.append(msgspec.structs.replace(word, seq=talk.told))

    def _lose(self, talk: _Talk, word: ReplayLost, now: datetime) -> None:
        """Say it again, soon at first and then less and less often: some code ends every process that runs it."""
        talk.is_open = False
        talk.losses += 1
        pause = 0.0 if talk.losses == 1 else 2.0 ** min(talk.losses - 2, _MOST_DOUBLINGS)
        self._lost.set(word.run_key, now + timedelta(seconds=pause))
        if talk.losses == _MANY_LOSSES:
            self._notice(
                f"the code of run {word.run_key} was lost {talk.losses} times, the last time because {word.reason}; "
                f"it is tried again, in the end once a minute"
            )

    # ── what is recorded ─────────────────────────────────────────────────────────────────────────────────

    def hear(self, run: WorkflowRun, records: Sequence[Recorded]) -> None:
        """These facts are committed: the next activation tells what of them matters to the code."""
        before = records[0].seq - 1
        talk = self._talks.get(run.run_key)
        if run.renewed_at > max(before, 1) or run.blocked is not None:  # what it was told counts no more
            self.forget([run.run_key])
            self._talks[run.run_key] = _Talk(run.seq)
            return
        if talk is None:
            talk = self._talks[run.run_key] = _Talk(before)
        talk.facts += (fact for fact in records if matters(fact) and run.counts(fact))
        if len(talk.facts) > SEGMENT:  # who is that far behind asks for them
            talk.after, talk.facts = talk.facts[-1].seq, []

    def settle(self, refused: Container[int]) -> None:
        """The advances that were here are recorded, but for those of runs whose part was refused."""
        for advance in self._advances:
            talk = self._talks.get(advance.run_key)
            if talk is not None and advance.run_key not in refused:
                talk.is_open, talk.losses = False, 0
        self._advances.clear()
        self._hurry = None

    def forget(self, run_keys: Iterable[int]) -> None:
        """These have ended, or what their code was told does not count any more."""
        known = {run_key for run_key in run_keys if self._talks.pop(run_key, None) is not None}
        if not known:
            return
        self._advances = [advance for advance in self._advances if advance.run_key not in known]
        self._wanted = deque(word for word in self._wanted if word.run_key not in known)
        for run_key in known:
            self._lost.set(run_key, None)
        self._replayer.forget(sorted(known))

    def recall(self, runs: Iterable[Run]) -> None:
        """The runs were read again: go on where their code is, unless what it was told counts no more."""
        held = {run.run_key: run for run in runs if isinstance(run, WorkflowRun)}
        self.forget([run_key for run_key, talk in self._talks.items() if not _goes_on(held.get(run_key), talk)])
        for run_key, talk in self._talks.items():
            run = held[run_key]
            talk.after, talk.facts = run.seq, []
            if talk.is_open:
                run.told(talk.told)

    # ── what is told ─────────────────────────────────────────────────────────────────────────────────────

    def tell(self, runs: Sequence[WorkflowRun], dispatch: Dispatch, now: datetime) -> None:
        """Tell the code of these runs what it has not heard; where the code is not to be had, the run is blocked."""
        activations: list[Activation] = []
        blocks: list[Advance] = []
        for run in runs:
            talk = self._talks.setdefault(run.run_key, _Talk(run.seq))
            try:
                activations.append(_activation(run, dispatch, talk))
            except StorageUnavailableError:
                raise  # nobody has been told anything
            except OrchestratorError as error:
                block = Block(kind=BlockKind.LOADING, message=str(error))
                blocks.append(Advance(run_key=run.run_key, seq=run.seq, commands=(block,)))
        for run in runs:
            self._open(run)
        if activations:
            self._replayer.activate(activations)
        if blocks:
            self._advances += blocks
            self._hurry = now

    def _open(self, run: WorkflowRun) -> None:
        """It has been told everything up to where it is now."""
        talk = self._talks[run.run_key]
        talk.is_open, talk.told, talk.base = True, run.seq, talk.after
        run.told(run.seq)
        self._lost.set(run.run_key, None)
        if talk.facts:
            talk.after, talk.facts = talk.facts[-1].seq, []
        talk.sent = talk.after

    def supply(self, held: Callable[[int], Run | None], now: datetime) -> None:
        """Give those who want facts a segment in all, so that nobody else waits for long; the next turn goes on."""
        room = SEGMENT
        while self._wanted and room > 0:
            wanted = self._wanted[0]
            run, talk = held(wanted.run_key), self._talks.get(wanted.run_key)
            if isinstance(run, WorkflowRun) and talk is not None and talk.is_open:
                room -= self._supply(run, wanted.after, talk.base, room)
            self._wanted.popleft()
        if self._wanted:
            self._hurry = now

    def _supply(self, run: WorkflowRun, after: int, base: int, room: int) -> int:
        """Those after ``after`` that matter still, up to ``base``; how many were read to find some."""
        read, after = 0, max(after, run.began_at - 1)
        found: list[Recorded] = []
        while not found and after < base:
            segment = self._store.read(run.run_key, after=after, limit=min(max(room, 1), base - after))
            if not segment:
                raise StorageCorruptError(f"run {run.run_id!r} of DAG {run.dag_id!r} has no facts after seq {after}")
            found = [fact for fact in segment if matters(fact) and run.counts(fact)]
            after, read = segment[-1].seq, read + len(segment)
        self._replayer.supply(run.run_key, found, is_all=after >= base)
        return read


def _activation(run: WorkflowRun, dispatch: Dispatch, talk: _Talk) -> Activation:
    created = run.created
    return Activation(
        run_key=run.run_key,
        dag_id=created.dag_id,
        run_id=created.run_id,
        run_uid=created.run_uid,
        run_type=created.run_type,
        version_id=run.version_id,
        number=dispatch.number(run.version_id),
        versions=tuple((seq, dispatch.number(version_id)) for seq, version_id in run.versions),
        code=dispatch.folder(run.version_id),
        file=run.plan.spec.file,
        params=dispatch.params(run),
        logical_date=created.logical_date,
        data_interval_start=created.data_interval_start,
        data_interval_end=created.data_interval_end,
        after=talk.after,
        asked_until=run.asked_until,
        facts=tuple(talk.facts),
    )


def _goes_on(run: WorkflowRun | None, talk: _Talk) -> bool:
    """Whether what the code was told and said still counts: the database may have taken in what it did not confirm."""
    if run is None or run.blocked is not None or run.renewed_at > max(talk.told, 1):
        return False
    return not talk.is_open or run.asked_until <= talk.told
