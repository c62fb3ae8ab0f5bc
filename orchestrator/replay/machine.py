"""Machine: one workflow run as its code sees it; told the facts of its history, it says what the code asks for."""

from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

import msgspec

from orchestrator.authoring.blue import Definition, Given, RunView
from orchestrator.core.activations import Activation, Block, Call, Continue, Return, Standing, WorkflowCommand
from orchestrator.core.events import (
    Recorded,
    RunContinued,
    RunCreated,
    RunEnded,
    RunMoved,
    RunReset,
    RunStarted,
)
from orchestrator.core.particulars import NULL, PayloadRef
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.names import BlockKind
from orchestrator.replay.beginning import Beginning, begun_anew
from orchestrator.replay.course import Course, Ending
from orchestrator.replay.episode import Episode
from orchestrator.replay.judging import Versions, misfit, not_continued
from orchestrator.replay.places import Places
from orchestrator.replay.records import key_of

_MANY = 500_000  # things asked for in one go
INLINE = 64 * 1024  # bytes of JSON; above that a value goes to the payload store


class Machine:
    """The code of one run. Everything here happens in the caller's thread; nothing waits.

    Of ``header`` no facts are read, tell those by ``tell``. A strand of the code that is unfinished when the workflow's
    own function has returned is dropped. ``asked_until`` may be set anew with each activation.
    """

    def __init__(
        self,
        header: Activation,
        definition: Definition,
        load_payload: Callable[[PayloadRef], bytes],
        store_payload: Callable[[bytes], PayloadRef],
    ) -> None:
        self.asked_until = header.asked_until
        self._header = header
        self._definition = definition
        self._load = load_payload
        self._store = store_payload
        self._places = Places(header.code)
        self._versions = Versions(header)
        self._root = header.run_uid
        self._told = 0
        self._created: Recorded | None = None
        self._early: list[Recorded] = []
        self._episode: Episode | None = None
        self._block: Block | None = None
        self._is_done = False
        self._views: dict[bool, RunView] = {}

    @property
    def told(self) -> int:
        """The seq of the last fact that it was told."""
        return self._told

    @property
    def steps(self) -> int:
        """Changes with each fact that the code takes in, and with each thing that it asks for meanwhile, of which there
        may be many in one go, but not without end: how a watchdog sees that it gets on.
        """
        unsent = 0 if self._episode is None else self._episode.ledger.unsent
        return self._told * (_MANY + 1) + min(unsent, _MANY)

    # ── facts in, commands out ───────────────────────────────────────────────────────────────────────────

    def tell(self, facts: Iterable[Recorded]) -> None:
        """Take in the next facts that count, in order of seq, from RunCreated or a RunContinued on.

        What a RunReset took back is not told: whoever has heard of it is closed and begun afresh.
        """
        for fact in facts:
            if fact.seq <= self._told:
                raise ConflictError(f"the code was told seq {self._told} and is now told seq {fact.seq}; tell it once")
            self._told = fact.seq
            self._take(fact)

    def advance(self) -> tuple[WorkflowCommand, ...]:
        """All there is has been told: what the code asks for now, each command given once.

        A Block is the only command, and the last: what comes after is asked of another machine.
        """
        if self._is_done:
            return ()
        episode = self._begun()
        if self._block is None:
            episode.all_told()
            self._judge(episode)
        if self._block is not None:
            self._is_done = True
            return (self._block,)
        commands = [self._storable(command) for command in episode.ledger.send()]
        if episode.ended is not None:
            self._is_done = True
            return ()
        if episode.course.ending is not None and not episode.is_ending_said:
            episode.is_ending_said = True
            commands.append(self._storable(_ending(episode.course)))
        return tuple(commands)

    def query(self, name: str, args: Any) -> Any:
        """What the code answers where it stands; NotFoundError, UsageError, or what its function raises."""
        if self._block is not None or (self._episode is not None and self._episode.course.block is not None):
            raise ConflictError("the code of this run is blocked, so there is nobody to answer; mend it first")
        return self._begun().course.query(name, args)

    def standing(self) -> Standing:
        """Where the code stands; nowhere, where it is blocked or has ended."""
        episode = self._episode
        if episode is None or episode.course.ending is not None or episode.course.block is not None or self._block:
            return Standing()
        return episode.course.standing()

    def interrupt(self, limit: float, frame: FrameType | None) -> None:
        """Called from a signal's handler with what was running: the code has not come to rest for ``limit`` seconds.

        Raises inside of the code, so that ``tell`` or ``advance`` returns, and Block(STUCK) with the author's stack is
        what it asks for; UsageError inside of a query. Does nothing where none of the code runs.
        """
        if self._episode is not None:
            self._episode.course.interrupt(limit, frame)

    def close(self) -> None:
        """End its code where it stands; nothing of it goes on."""
        self._is_done = True
        if self._episode is not None:
            self._episode.hub.close()

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────

    def _take(self, fact: Recorded) -> None:
        event = fact.event
        if isinstance(event, RunCreated):
            self._create(fact, event)
        elif isinstance(event, RunContinued):
            self._continue(fact)
        elif isinstance(event, RunReset | RunMoved) or self._block is not None or not self._has_beginning:
            return
        elif self._episode is not None:
            self._episode.take(fact)
        elif isinstance(event, RunStarted):
            self._begin(fact)
        elif key_of(event) is not None or isinstance(event, RunEnded):
            self._begun().take(fact)
        else:
            self._early.append(fact)

    @property
    def _has_beginning(self) -> bool:
        """What comes before is of a round that is over: it was told together with the RunContinued that ended it."""
        return self._created is not None or self._episode is not None

    def _create(self, fact: Recorded, event: RunCreated) -> None:
        """A run begins at its RunStarted; what was taken over from another begins as that one did."""
        self._created = fact
        if event.origin is not None:
            self._root = event.origin.run_uid
            self._begin(Recorded(fact.seq, event.origin.at, event))

    def _begin(self, fact: Recorded) -> None:
        given = Given(params=self._header.params)
        self._open(Beginning(seq=fact.seq, at=fact.at, given=given, root=self._root))
        early, self._early = self._early, []
        for one in early:
            if self._episode is not None:
                self._episode.take(one)

    def _begun(self) -> Episode:
        """The code that runs; it begins now where nothing said when."""
        if self._episode is None:
            if self._created is None:
                raise UsageError("the code was told nothing of its beginning; tell it the facts from RunCreated on")
            self._begin(self._created)
        assert self._episode is not None
        return self._episode

    def _continue(self, fact: Recorded) -> None:
        old = self._episode
        if old is not None:
            self._judge(old)
            if self._block is None and not isinstance(old.course.ending, Continue):
                self._stop(*not_continued(old, fact, self._versions))
            if self._block is not None:
                return
            old.hub.close()
        self._open(begun_anew(fact, self._root, self._load))

    def _open(self, beginning: Beginning) -> None:
        self._root = beginning.root
        self._episode = Episode(beginning, self._definition, self._places, self._load, self._view)
        self._episode.go_on()

    def _judge(self, episode: Episode) -> None:
        self._block = self._block or episode.course.block
        if self._block is None and (found := misfit(episode, self._versions)) is not None:
            self._stop(*found)

    def _stop(self, message: str, where: str | None) -> None:
        self._block = Block(kind=BlockKind.NON_DETERMINISM, message=message, where=where)

    def _view(self, seq: int) -> RunView:
        is_replaying = seq < self.asked_until
        if is_replaying not in self._views:
            header = self._header
            self._views[is_replaying] = RunView(
                dag_id=header.dag_id,
                run_id=header.run_id,
                run_uid=header.run_uid,
                run_type=header.run_type,
                logical_date=header.logical_date,
                data_interval_start=header.data_interval_start,
                data_interval_end=header.data_interval_end,
                is_replaying=is_replaying,
            )
        return self._views[is_replaying]

    def _storable(self, command: WorkflowCommand) -> WorkflowCommand:
        """With a value that is too large for the history in the payload store."""
        if isinstance(command, Call | Continue) and len(command.input) > INLINE:
            return msgspec.structs.replace(command, input=NULL, payload=self._store(bytes(command.input)))
        if isinstance(command, Return) and len(command.result) > INLINE:
            return msgspec.structs.replace(command, result=NULL, payload=self._store(bytes(command.result)))
        return command


def _ending(course: Course) -> Ending:
    """How the code ends; where it begins anew, with all that has been received so far."""
    assert course.ending is not None
    return course.ending if course.renewal is None else Continue(input=msgspec.Raw(course.renewal.encoded()))
