"""Links: where else to look at what a task has done."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from orchestrator.authoring.context import TaskInstance
from orchestrator.authoring.runtime import Context

logger = logging.getLogger("orchestrator")


class TaskInstanceKey(NamedTuple):
    """Which attempt of which task in which run."""

    dag_id: str
    task_id: str
    run_id: str
    try_number: int = 1
    map_index: int = -1


class BaseOperatorLink(ABC):
    """A link of an operator that lists it in ``operator_extra_links``; its URL is an XCom of the attempt."""

    operators: ClassVar[list[type]] = []

    @property
    @abstractmethod
    def name(self) -> str:
        """What people are shown."""

    @property
    def xcom_key(self) -> str:
        """The key of the XCom."""
        return f"_link_{type(self).__name__}"

    @abstractmethod
    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """The URL, asked for once the body has ended, however it has; an empty one is none."""


def push_links(operator: Any, context: Context) -> None:
    """Push the URL of each of its links; one that cannot be made is said in the log, and changes no outcome."""
    links: Iterable[Any] = getattr(operator, "operator_extra_links", None) or ()
    instance: TaskInstance = context["ti"]
    for link in links:
        try:
            url = link.get_link(operator, ti_key=key_of(instance))
            if url:
                instance.xcom_push(link.xcom_key, str(url))
        except Exception as error:  # an author's code may raise anything; what the body came to stands
            logger.error("The link %s cannot be made: %s", type(link).__name__, error)


def key_of(instance: TaskInstance) -> TaskInstanceKey:
    return TaskInstanceKey(instance.dag_id, instance.task_id, instance.run_id, instance.try_number, instance.map_index)
