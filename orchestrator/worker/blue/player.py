"""Player: the code of one run, ready in this process, with the fence around it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from orchestrator.authoring.blue import Definition
from orchestrator.core.activations import Activation, Standing, WorkflowCommand
from orchestrator.core.events import Recorded
from orchestrator.replay import Machine
from orchestrator.worker.blue.codes import Code
from orchestrator.worker.blue.loading import violated
from orchestrator.worker.blue.payloads import BluePayloads
from orchestrator.worker.blue.theatre import Theatre


class Player:
    """Told the facts of its run, it says what the code asks for. Its ``code`` is active while it does.

    ``at`` is for whoever tells it: how far in the history that is.
    """

    def __init__(
        self, activation: Activation, code: Code, workflow: Definition, theatre: Theatre, payloads: BluePayloads
    ) -> None:
        self.code = code
        self.at = 0
        self.version_id = activation.version_id
        self._run_key = activation.run_key
        self._theatre = theatre
        self._payloads = payloads
        self._fence = code.run_fence()
        self._told_warnings = 0
        self._machine = Machine(replace(activation, facts=()), workflow, payloads.get, payloads.put)

    def listen(self, facts: Iterable[Recorded]) -> None:
        """Take in a part of what there is to be told; NotFoundError or StorageError where a value cannot be had."""
        with self._playing(), self._payloads.required():
            self._machine.tell(facts)

    def play(self, facts: Iterable[Recorded], asked_until: int) -> tuple[WorkflowCommand, ...]:
        """Take in the rest of what there is to be told: what the code asks for now; it has so ``asked_until`` there.

        NotFoundError or StorageError where a value cannot be had, or kept.
        """
        self._machine.asked_until = asked_until
        with self._playing(), self._payloads.required():
            self._machine.tell(facts)
            commands = self._machine.advance()
        # Also where the author's code has caught the error, or made something else of it.
        return (violated(self._fence.refused[0]),) if self._fence.refused else commands

    def answer(self, name: str, arguments: Any) -> Any:
        """What the code says to a query; UsageError or NotFoundError, or what its function raises."""
        with self._playing():
            return self._machine.query(name, arguments)

    def standing(self) -> Standing:
        """Where the code stands."""
        return self._machine.standing()

    def warnings(self) -> list[str]:
        """The side effects that the fence has let happen since the last call."""
        found = [str(violation) for violation in self._fence.warned[self._told_warnings :]]
        self._told_warnings += len(found)
        return found

    def close(self) -> None:
        """End its code where it stands."""
        with self._playing():
            self._machine.close()

    @contextmanager
    def _playing(self) -> Iterator[None]:
        machine = self._machine
        with self._theatre.playing(self._run_key, lambda: machine.steps, machine.interrupt), self._fence:
            yield
