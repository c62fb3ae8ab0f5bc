"""Machine: one workflow run as its code sees it; told the facts of its history, it says what the code asks for."""

from collections.abc import Callable, Iterable
from typing import Any

from orchestrator.authoring.blue import Definition
from orchestrator.core.activations import Activation, WorkflowCommand
from orchestrator.core.events import PayloadRef, Recorded


class Machine:
    """The code of one run. Everything here happens in the caller's thread; nothing waits.

    ``header``: of its facts nothing is read, tell those by ``tell``.
    """

    def __init__(
        self,
        header: Activation,
        definition: Definition,
        load_payload: Callable[[PayloadRef], bytes],
        store_payload: Callable[[bytes], PayloadRef],
    ) -> None: ...

    @property
    def told(self) -> int:
        """The seq of the last fact that it was told."""
        raise NotImplementedError

    @property
    def steps(self) -> int:
        """Rises with each step that the code makes from wait to wait: how a watchdog sees that it gets on."""
        raise NotImplementedError

    def tell(self, facts: Iterable[Recorded]) -> None:
        """Take in the next facts that count, in order of seq, from RunCreated or a RunContinued on.

        What a RunReset took back is not told: whoever has heard of it is closed and begun afresh.
        """
        raise NotImplementedError

    def advance(self) -> tuple[WorkflowCommand, ...]:
        """All there is has been told: what the code asks for now, each command given once."""
        raise NotImplementedError

    def query(self, name: str, args: Any) -> Any:
        """What the code answers; UsageError or NotFoundError, or what its function raises."""
        raise NotImplementedError

    def interrupt(self, limit: float) -> None:
        """Called from a signal's handler: the code has not come to rest for ``limit`` seconds. Raises inside of it;
        ``advance`` gives Block(STUCK) with the author's stack."""
        raise NotImplementedError

    def close(self) -> None:
        """End its code where it stands; nothing of it goes on."""
        raise NotImplementedError
