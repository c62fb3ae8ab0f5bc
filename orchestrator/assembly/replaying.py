"""Replaying a recorded history against given code, in a blue process of its own."""

from collections.abc import Sequence

import msgspec

from orchestrator.config import Config
from orchestrator.core.activations import Block, WorkflowCommand
from orchestrator.core.events import Failure, Recorded
from orchestrator.core.spec import DagSpec


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What a workflow is to be asked once it has been replayed; ``arguments`` is a JSON object, by name."""

    name: str
    arguments: msgspec.Raw = msgspec.Raw(b"{}")


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. ``seq`` is that of the last fact that the code took in.

    ``commands`` is what the code asks for beyond what is recorded. ``block`` says why it cannot go on with this
    history; then there is nothing else. ``answer`` is what the query gave, as JSON, ``refusal`` why it gave nothing.
    """

    seq: int
    commands: tuple[WorkflowCommand, ...] = ()
    block: Block | None = None
    answer: msgspec.Raw | None = None
    refusal: Failure | None = None
    notices: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether the code and the history fit each other."""
        return self.block is None


def replay_history(
    config: Config,
    spec: DagSpec,
    code: str,
    facts: Sequence[Recorded],
    *,
    version_id: int = 0,
    query: Query | None = None,
) -> Replayed:
    """Run the workflow ``spec`` of the snapshot folder ``code`` through ``facts``, a history from its RunCreated on.

    Nothing is recorded, and no activity runs. UsageError where the history is not one of a workflow.
    """
    raise NotImplementedError
