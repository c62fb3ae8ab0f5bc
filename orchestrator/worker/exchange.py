"""AttemptExchange: what one attempt pushes, and what it pulls from the home's database."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Engine

from orchestrator.authoring.references import RETURN_VALUE
from orchestrator.core import values
from orchestrator.core.orders import Order
from orchestrator.core.particulars import XCom
from orchestrator.exceptions import UsageError
from orchestrator.names import Delivery
from orchestrator.storage.database import connect
from orchestrator.storage.state_reads import StateReads
from orchestrator.storage.xcoms import XComReads
from orchestrator.worker.results import Results

_LONGEST_KEY = 512


class RunDatabase:
    """The database in which runs are recorded, opened when something is pulled from it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine: Engine | None = None
        self._opening = threading.Lock()  # triggers ask from many threads

    def reads(self) -> XComReads:
        """UsageError where there is none."""
        return XComReads(self.engine())

    def engine(self) -> Engine:
        """UsageError where there is no database."""
        with self._opening:
            if self._engine is None:
                if not self._url:
                    raise UsageError("no runs are recorded here, so nothing can be pulled but what a task takes")
                self._engine = connect(self._url, read_only=True)
            return self._engine

    def states(self) -> StateReads:
        """UsageError where there is none."""
        return StateReads(self.engine())

    def close(self) -> None:
        """Let go of it; it is opened again when it is needed."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


class AttemptExchange:
    """``reads`` opens the database in which runs are recorded, when something is pulled."""

    def __init__(self, order: Order, results: Results, reads: Callable[[], XComReads]) -> None:
        self._order = order
        self._results = results
        self._reads = reads
        self._pushed: dict[str, XCom] = {}
        self._values: dict[str, Any] = {}

    @property
    def pushed(self) -> Mapping[str, XCom]:
        """What was pushed so far, by key."""
        return self._pushed

    def push(self, key: str, value: Any) -> None:
        if not 0 < len(key) <= _LONGEST_KEY or "\x00" in key:
            raise UsageError(f"the key of an XCom is text of 1 to {_LONGEST_KEY} characters, not {key!r}")
        if self._order.outcome is not None:
            raise UsageError(f"a callback pushes no XCom, since its task has ended; return {key!r} from the task")
        if self._order.delivery is Delivery.TRANSACTIONAL:
            raise UsageError(
                f"task {self._order.key.task_id!r} is transactional, and only its result is committed with what it "
                f"does; return {key!r} as a part of the result"
            )
        kept = self._results.keep(self._results.encode(value, f"the XCom {key!r}"), value)
        self._pushed[key] = XCom(value=kept.json, payload=kept.payload, length=kept.length)
        self._values[key] = value

    def pull(
        self,
        task_id: str,
        key: str,
        *,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_index: int | None = None,
        prior_dates: bool = False,
    ) -> list[tuple[int, Any]]:
        mine = self._order.key
        is_own_run = (dag_id or self._order.dag_id, run_id or self._order.run_id) == (
            self._order.dag_id,
            self._order.run_id,
        )
        if is_own_run and task_id == mine.task_id and map_index in (None, mine.map_index) and key in self._values:
            return [(mine.map_index, self._values[key])]
        for run_key in self._runs(None if is_own_run else (dag_id, run_id), prior_dates=prior_dates):
            if found := self._found(run_key, task_id, key, map_index):
                return found
        return []

    def page(self, task_id: str, first: int, stop: int) -> list[tuple[int, XCom]]:
        """The results in this run of some activities of a task, side by side, without those that gave none."""
        return self._reads().returned_by(self._order.key.run_key, task_id, range(first, stop))

    def _runs(self, other: tuple[str | None, str | None] | None, *, prior_dates: bool) -> Iterator[int]:
        run_key: int | None = self._order.key.run_key
        if other is not None:
            run_key = self._reads().run_key(other[0] or self._order.dag_id, other[1] or self._order.run_id)
        if run_key is not None:
            yield run_key
            if prior_dates:
                yield from self._reads().earlier_runs(run_key)

    def _found(self, run_key: int, task_id: str, key: str, map_index: int | None) -> list[tuple[int, Any]]:
        """What was pushed under the key, else the part of the result that is called so."""
        reads = self._reads()
        if key != RETURN_VALUE and (pushed := reads.pushed(run_key, task_id, key, map_index)):
            return [(index, self._value(one)) for index, one in pushed]
        returned = [(index, self._value(one)) for index, one in reads.returned(run_key, task_id, map_index)]
        if key == RETURN_VALUE:
            return returned
        return [(index, whole[key]) for index, whole in returned if isinstance(whole, dict) and key in whole]

    def _value(self, one: XCom) -> Any:
        return values.decode(one.value) if one.payload is None else self._results.fetch(one.payload)
