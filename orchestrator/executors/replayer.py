"""LocalReplayer: runs the code of workflows in blue processes on this machine."""

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count

import msgspec

from orchestrator.core.activations import Activation, Advance, Block, FactsWanted, ReplayLost, Standing, Word
from orchestrator.core.events import Recorded
from orchestrator.core.particulars import Failure
from orchestrator.exceptions import WorkerStartError
from orchestrator.executors.blue_crew import BlueCrew
from orchestrator.executors.blue_link import BlueLink, Errand
from orchestrator.executors.epitaph import epitaph
from orchestrator.executors.verdict import deadly, killed_for
from orchestrator.ports import Clock
from orchestrator.worker.blue.settings import BlueSettings
from orchestrator.worker.blue.wire import (
    Activate,
    Answer,
    Ask,
    Forget,
    FromBlue,
    Look,
    Remark,
    Reply,
    Spent,
    Stands,
    Supply,
    bare,
    to_facts,
)

_MOST_DEATHS = 3  # processes that one run may end in a row


class LocalReplayer:
    """Warm processes, up to ``processes`` of them, and none while there is nothing to replay.

    A run goes to the process that had it before. ``notice`` is told, in one sentence, of what a person should know.
    """

    def __init__(
        self,
        settings: BlueSettings,
        clock: Clock,
        *,
        processes: int = 4,
        idle_time: timedelta = timedelta(seconds=60),
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._notice = notice
        self._crew = BlueCrew(settings, most=processes, idle_seconds=idle_time.total_seconds())
        self._tickets = count(1)
        self._errands: dict[int, Errand] = {}
        self._waiting: deque[Errand] = deque()
        self._homes: dict[int, BlueLink] = {}
        self._deaths: Counter[int] = Counter()
        self._said: list[Word] = []
        self._asked: dict[int, BlueLink] = {}
        self._replies: list[Reply] = []
        self._looked: dict[int, BlueLink] = {}
        self._standings: list[Standing] = []

    # ── the port ─────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Nothing runs before there is an activation."""

    def activate(self, activations: Sequence[Activation]) -> None:
        """Send each to the process that has its run, or to the one that has least to do."""
        now = time.monotonic()
        for activation in activations:
            errand = Errand(next(self._tickets), activation)
            self._errands[activation.run_key] = errand
            self._waiting.append(errand)
        self._try(self._hand_out, now)

    def supply(self, run_key: int, facts: Sequence[Recorded], *, is_all: bool) -> None:
        """Pass the facts on to where they are wanted."""
        errand, link = self._errands.get(run_key), self._homes.get(run_key)
        if errand is not None and link is not None:
            word = Supply(ticket=errand.ticket, run_key=run_key, facts=to_facts(facts), is_all=is_all)
            link.tell(word, time.monotonic())

    def forget(self, run_keys: Sequence[int]) -> None:
        """Drop what is held of these, here and in their processes."""
        now = time.monotonic()
        for run_key in run_keys:
            self._deaths.pop(run_key, None)
            errand, link = self._errands.pop(run_key, None), self._homes.pop(run_key, None)
            if link is not None:
                if errand is not None:
                    link.errands.pop(errand.ticket, None)
                link.runs.discard(run_key)
                link.tell(Forget(run_keys=[run_key]), now)

    def words(self) -> list[Word]:
        """What was said since the last call; also the moment at which stuck and idle processes are ended."""
        self._try(self._look_about, time.monotonic())
        said, self._said = self._said, []
        return said

    def _look_about(self, now: float) -> None:
        for link, words in self._crew.heard(now):
            for word in words:
                self._take_in(link, word)
        for link, status in self._crew.gone(now):
            self._bury(link, status, now)
        for link in self._crew.links:
            if link.errands:
                link.enforce(now)
        for link in self._crew.shrink(now):
            self._leave(link)
        self._hand_out(now)

    def _try(self, act: Callable[[float], None], now: float) -> None:
        """Where no process can be started, what waits for one is to be said again; all other runs go on."""
        try:
            act(now)
        except WorkerStartError as error:
            for errand in self._waiting:
                if self._errands.get(errand.activation.run_key) is errand:
                    del self._errands[errand.activation.run_key]
                    self._said.append(ReplayLost(run_key=errand.activation.run_key, reason=str(error)))
            self._waiting.clear()

    def files(self) -> Sequence[int]:
        """One descriptor that stands for all processes."""
        return (self._crew.fileno(),)

    def next_due(self) -> datetime | None:
        """When a process that does not answer, or has nothing to do, wants looking at."""
        if self._said:
            return self._clock.now()
        due = min(self._crew.moments(waiting=bool(self._waiting)), default=None)
        if due is None:
            return None
        return self._clock.now() + timedelta(seconds=max(0.0, due - time.monotonic()))

    def stop(self) -> None:
        """End every process, by force."""
        self._crew.stop()
        self._errands.clear()
        self._waiting.clear()
        self._homes.clear()

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, run_key: int, name: str, payload: msgspec.Raw) -> None:
        """Put a query to a run that has answered its activation; ``replies`` brings what it says."""
        link = self._homes.get(run_key)
        if link is None:
            self._replies.append(_unasked(run_key))
            return
        self._asked[run_key] = link
        link.tell(Ask(run_key=run_key, name=name, payload=payload), time.monotonic())

    def look(self, run_key: int) -> None:
        """Ask where the code of a run stands that has answered its activation; ``standings`` brings it."""
        link = self._homes.get(run_key)
        if link is None:
            self._standings.append(Standing())
            return
        self._looked[run_key] = link
        link.tell(Look(run_key=run_key), time.monotonic())

    def standings(self) -> list[Standing]:
        """What came of ``look`` since the last call; nowhere, where the process is gone. ``words`` takes it in."""
        standings, self._standings = self._standings, []
        return standings

    def replies(self) -> list[Reply]:
        """What queries gave since the last call; ``words`` takes it in."""
        replies, self._replies = self._replies, []
        return replies

    # ── errands on their way ─────────────────────────────────────────────────────────────────────────────

    def _hand_out(self, now: float) -> None:
        while self._waiting:
            errand = self._waiting[0]
            if self._errands.get(errand.activation.run_key) is errand and not self._send(errand, now):
                return
            self._waiting.popleft()

    def _send(self, errand: Errand, now: float) -> bool:
        """Send it to where it belongs; False while there is no process for it."""
        activation = errand.activation
        link = self._homes.get(activation.run_key)
        if link is None:
            link = self._crew.choose(now)
            if link is None:
                return False
            self._homes[activation.run_key] = link
            link.runs.add(activation.run_key)
        facts = to_facts(activation.facts)
        link.tell(Activate(ticket=errand.ticket, activation=bare(activation), facts=facts), now)
        link.errands[errand.ticket] = errand
        return True

    def _leave(self, link: BlueLink) -> None:
        """Its runs are at home nowhere; they are replayed elsewhere once there is news for them."""
        for run_key in link.runs:
            self._homes.pop(run_key, None)
        link.runs.clear()

    # ── what processes say ───────────────────────────────────────────────────────────────────────────────

    def _take_in(self, link: BlueLink, word: FromBlue) -> None:
        match word:
            case Answer():
                self._answered(link, word)
            case Remark():
                self._notice(word.text)
            case Reply():
                self._asked.pop(word.run_key, None)
                self._replies.append(word)
            case Stands():
                self._looked.pop(word.run_key, None)
                self._standings.append(word.standing)
            case Spent():
                link.is_spent = True
                idle = link.runs - {errand.activation.run_key for errand in link.errands.values()}
                for run_key in idle:
                    self._homes.pop(run_key, None)
                link.runs -= idle
            case _:
                raise AssertionError(f"a blue process that is up says {word}")

    def _answered(self, link: BlueLink, answer: Answer) -> None:
        errand = link.errands.get(answer.ticket)
        if errand is None:  # it was forgotten meanwhile
            return
        if not isinstance(answer.word, FactsWanted):
            self._end(link, errand)
            self._deaths.pop(errand.activation.run_key, None)
            if link.is_spent:
                self._homes.pop(errand.activation.run_key, None)
        self._said.append(answer.word)

    def _end(self, link: BlueLink, errand: Errand) -> None:
        del link.errands[errand.ticket]
        del self._errands[errand.activation.run_key]

    def _bury(self, link: BlueLink, status: int | None, now: float) -> None:
        """Say of each of its errands what is to become of it."""
        reason = epitaph(link.pid, status)
        sign, output = link.sign(), link.last_output()
        for errand in list(link.errands.values()):
            run_key = errand.activation.run_key
            self._end(link, errand)
            block = self._verdict(link, errand.activation, reason, output) if run_key == sign.run_key else None
            if block is None:
                self._said.append(ReplayLost(run_key=run_key, reason=reason))
            else:
                self._said.append(Advance(run_key=run_key, seq=_last_seq(errand.activation), commands=(block,)))
        for run_key in [run_key for run_key, asked in self._asked.items() if asked is link]:
            del self._asked[run_key]
            self._replies.append(_unasked(run_key))
        for run_key in [run_key for run_key, looked in self._looked.items() if looked is link]:
            del self._looked[run_key]
            self._standings.append(Standing())
        self._leave(link)
        self._crew.bury(link, now)

    def _verdict(self, link: BlueLink, activation: Activation, reason: str, output: str) -> Block | None:
        """Why this run, whose code had the process when it ended, cannot go on; None if it is to be tried again."""
        if link.stuck_in is not None:
            return killed_for(link.stuck_in, activation, output)
        self._deaths[activation.run_key] += 1
        times = self._deaths[activation.run_key]
        if times < _MOST_DEATHS:
            return None
        del self._deaths[activation.run_key]
        return deadly(link.sign(), activation, times, reason, output)


def _last_seq(activation: Activation) -> int:
    return activation.facts[-1].seq if activation.facts else activation.after


def _unasked(run_key: int) -> Reply:
    failure = Failure(message="the query has no answer: the process that was to answer it is gone")
    return Reply(run_key=run_key, failure=failure)
