"""BaseExecutor: what an author of an executor derives from."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from orchestrator.core.orders import Order, Report
from orchestrator.names import AttemptKey
from orchestrator.ports import Adoption
from orchestrator.worker.settings import WorkerSettings


class ExecutorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an executor is made with.

    ``workers``: what each process is told that runs an order; pass it on as it is, for it holds keys. ``folder`` is the
    executor's own. ``parallelism``: how many orders are open at once, at most. ``cleanup_time`` is what an attempt has
    between being told to end and being killed.
    """

    workers: WorkerSettings
    folder: str
    parallelism: int = 32
    cleanup_time: timedelta = timedelta(seconds=5)


class BaseExecutor(ABC):
    """Where activities run, by an author's own means.

    It lives in a host process beside the scheduler, and is called there from one thread, one call at a time. A call
    that takes long holds up other attempts of this executor, and nothing else. What a call raises is told to a person;
    where that is ``submit`` or ``go``, the attempts that it was about count as lost.

    Each order is answered by reports: ``Started`` when its body is about to begin, at most once; then one of Completed,
    Failed, Skipped or Deferred, as ``run_order`` says them; or ``Lost``, where nobody knows any more what became of it;
    or ``TakenBack``, where the body certainly never began. Moments in reports have a time zone. After TakenBack or
    Deferred an order of the same key may come again.
    """

    def __init__(self, settings: ExecutorSettings) -> None:
        self.settings = settings

    def start(self) -> None:  # noqa: B027 - nothing to do is the usual case
        """Called first. What it raises keeps the scheduler from starting."""

    @abstractmethod
    def submit(self, orders: Sequence[Order]) -> None:
        """Run these, each once; what there is no room for yet is kept for later."""

    @abstractmethod
    def reports(self) -> list[Report]:
        """What happened since the last call, in order for each key. Called at least once a second."""

    @abstractmethod
    def go(self, keys: Sequence[AttemptKey]) -> None:
        """Their starts are recorded: where ``delivery`` is at_most_once, the body begins now and not before.

        Said twice, it begins once. Others do not wait for it, and are passed over.
        """

    @abstractmethod
    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        """End these; each is reported on as Failed with kind cancelled, TakenBack, or whatever it did first."""

    def take_back(self, keys: Sequence[AttemptKey]) -> None:  # noqa: B027 - what is kept may go on
        """Report those as TakenBack that certainly never begin; the others go on."""

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        """What became of these, which an earlier host was given: all of them ended with it, unless you know better.

        Of what is RUNNING, its start and its end are reported (again). What is NOT_STARTED never begins.
        """
        return dict.fromkeys(keys, Adoption.LOST)

    def files(self) -> Sequence[int]:
        """Descriptors that turn readable when ``reports`` has something to say."""
        return ()

    def next_due(self) -> datetime | None:
        """When ``reports`` wants to be called, if that is within the second."""
        return None

    def stop(self) -> None:  # noqa: B027 - where nothing is left running
        """End everything that runs, by force, within ten seconds: the scheduler ends, or is gone."""
