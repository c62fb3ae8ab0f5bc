"""Holding a recorded run against code: what of it has no place there any more, and what would run now."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from orchestrator.assembly.code_at_hand import Code
from orchestrator.assembly.folding import Tell, folded, untold
from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import replay_history, script_of
from orchestrator.config import Config
from orchestrator.core.activations import Block, Call, SetTimer, StartChild, WorkflowCommand
from orchestrator.core.events import Recorded
from orchestrator.core.fit import Misfit, fit
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.names import DagKind
from orchestrator.storage.transcripts import Transcript
from orchestrator.storage.views import RunRow


class Source(NamedTuple):
    """A recorded run; ``facts`` gives those of its history after a seq, ``numbers`` its versions' by version id."""

    run: Run
    facts: Callable[[int], Iterable[Recorded]]
    numbers: Mapping[int, int]

    @classmethod
    def of_run(cls, home: Home, run: RunRow, tell: Tell) -> "Source":
        """A run of this home."""
        numbers = home.reads.numbers(run.dag_id)
        state = folded(home, run, tell=tell)
        return cls(state, lambda after: home.reads.facts(run.run_key, after=after, until=state.seq), numbers)

    @classmethod
    def of_file(cls, transcript: Transcript, tell: Tell = untold) -> "Source":
        """An exported run, whose versions are counted in its file."""
        run = transcript.fold(tell)
        numbers = {version_id: version_id for _, version_id in run.versions}
        return cls(run, lambda after: (fact for fact in transcript.facts() if fact.seq > after), numbers)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What came of holding run ``run_id`` against the DAG called ``code``.

    ``misfits`` are recorded activities that a graph has no place for, ``block`` says why a workflow's code cannot go
    on with the history. ``runs_now`` is what would run next, ``runs_later`` what waits for that. ``notes`` are no
    misfits and worth knowing.
    """

    dag_id: str
    run_id: str
    code: str
    facts: int
    misfits: tuple[Misfit, ...] = ()
    block: Block | None = None
    runs_now: tuple[str, ...] = ()
    runs_later: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the run could have been, and can go on, by this code."""
        return not self.misfits and self.block is None

    @property
    def sentences(self) -> list[str]:
        """Why it does not fit, one sentence each."""
        found = [
            f"{misfit.task_id} is recorded ({misfit.recorded}), and in {_place(self.code, misfit)} {misfit.today}"
            for misfit in self.misfits
        ]
        if self.block is not None:
            where = self.block.where
            place = "" if where is None or where in self.block.message else f"{where}: "
            found.append(f"{place}{self.block.message} ({self.block.kind})")
        return found


def held(config: Config, source: Source, code: Code, tell: Tell = untold) -> Held:
    """Hold the run against the code; ``tell`` is told how far its facts are replayed, of how many.

    The run is moved to the code's graph, and of no other use afterwards.
    """
    run = source.run
    found = Held(dag_id=run.dag_id, run_id=run.run_id, code=code.name, facts=run.seq)
    was, now = run.plan.spec.kind, code.spec.kind
    if was is not now:
        misfit = Misfit(task_id=run.dag_id, recorded=f"a {was}", today=f"it is a {now}", line=code.spec.line or None)
        return replace(found, misfits=(misfit,))
    if now is not DagKind.WORKFLOW:
        return _of_graph(run, found, code)
    replayed = replay_history(
        config,
        code.spec,
        code.folder,
        script_of(*source),
        version_id=code.version_id,
        number=code.number,
        tell=tell,
    )
    asked = tuple(filter(None, map(_asked, replayed.commands)))
    return replace(found, block=replayed.block, runs_now=asked, notes=replayed.notices)


def _of_graph(run: Run, found: Held, code: Code) -> Held:
    seen = fit(run, Plan(code.spec, code.version_id))
    return replace(found, misfits=seen.misfits, notes=seen.early, runs_now=seen.runs_now, runs_later=seen.runs_later)


def _asked(command: WorkflowCommand) -> str:
    """What the code asks for next, where that is something that runs."""
    match command:
        case Call():
            return command.task_id
        case StartChild():
            return f"run of {command.dag_id}"
        case SetTimer():
            return f"timer {command.timer_id}"
        case _:
            return ""


def _place(code: str, misfit: Misfit) -> str:
    return code if misfit.line is None else f"{code}:{misfit.line}"
