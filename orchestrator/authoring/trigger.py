"""BaseTrigger: what a deferred task waits for; and the events that end the wait."""

import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

from orchestrator.names import TaskState


class TriggerEvent:
    """What a trigger has to tell: the task goes on with ``payload``, a value that a task could return."""

    def __init__(self, payload: Any = None) -> None:
        self.payload = payload

    def __repr__(self) -> str:
        return f"TriggerEvent<{self.payload!r}>"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]


class BaseTaskEndEvent(TriggerEvent):
    """The task ends with it, and no worker is needed; ``xcoms`` are pushed, ``return_value`` is the task's result."""

    task_instance_state: ClassVar[TaskState]

    def __init__(self, *, xcoms: Mapping[str, Any] | None = None) -> None:
        super().__init__(str(self.task_instance_state))
        self.xcoms = dict(xcoms or {})


class TaskSuccessEvent(BaseTaskEndEvent):
    """The task has succeeded."""

    task_instance_state = TaskState.SUCCESS


class TaskFailedEvent(BaseTaskEndEvent):
    """The task has failed, and is not tried again."""

    task_instance_state = TaskState.FAILED


class TaskSkippedEvent(BaseTaskEndEvent):
    """The task is skipped."""

    task_instance_state = TaskState.SKIPPED


class BaseTrigger(ABC):
    """Waits for something in the triggerer, with thousands of others in one process; derive from it.

    It is made by the task that defers itself, and once more in the triggerer, as often as need be: from what
    ``serialize`` says. ``task_instance`` says there for whom it waits (dag_id, run_id, task_id, map_index, try_number).
    """

    def __init__(self, **kwargs: Any) -> None:  # noqa: ARG002 - Airflow's takes whatever it is given
        self.task_instance: Any = None
        self.trigger_id: Any = None

    def __repr__(self) -> str:
        return self.repr(*self.serialize())

    @staticmethod
    def repr(classpath: str, kwargs: Mapping[str, Any]) -> str:
        """How a trigger of that class, made with these arguments, is shown."""
        return f"<{classpath} {', '.join(f'{name}={value}' for name, value in kwargs.items())}>"

    @property
    def log(self) -> logging.Logger:
        """Writes to the log of the task's attempt."""
        return logging.getLogger(f"{type(self).__module__}.{type(self).__qualname__}")

    @abstractmethod
    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The dotted path of the class, which can be imported, and the keyword arguments that make this trigger."""

    @abstractmethod
    def run(self) -> AsyncIterator[TriggerEvent]:
        """An ``async def`` that waits, and yields the event; what it yields after the first one is of no account.

        Nothing in it may block: other triggers wait for it to ``await``.
        """

    async def cleanup(self) -> None:  # noqa: B027 - most have nothing to clean up
        """Called once it is not needed any more, in each process that has run it."""
