"""RunCode: what the code of a recorded run has to say, for whoever may see the run."""

import msgspec

from orchestrator.assembly.asking import replay_run
from orchestrator.assembly.folding import Tell, untold
from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import Query
from orchestrator.core.activations import Block
from orchestrator.core.particulars import Failure
from orchestrator.storage.guard import Guarded, of_run
from orchestrator.storage.views import RunRow


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """``answer`` is JSON; else ``block`` says why the history does not go with the code, or ``refusal`` why the query
    gave nothing. ``notices`` are sentences that a person should read.
    """

    answer: msgspec.Raw | None = None
    block: Block | None = None
    refusal: Failure | None = None
    notices: tuple[str, ...] = ()


class RunCode(Guarded):
    """Replays histories with the code of their version. ``tell`` hears how far one has come, on this machine."""

    def __init__(self, home: Home) -> None:
        super().__init__(home.engine, home.who)
        self._home = home
        self.tell: Tell = untold

    @of_run
    def query(self, run: RunRow, asked: Query, at: int | None = None) -> Answered:
        """What the run answers, now or after its fact ``at``. UsageError where it is not the run of a workflow."""
        found = replay_run(self._home, run, at=at, query=asked, tell=self.tell)
        return Answered(answer=found.answer, block=found.block, refusal=found.refusal, notices=tuple(found.notices))
