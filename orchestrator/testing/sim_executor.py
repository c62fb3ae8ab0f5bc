"""SimExecutor: activities that take simulated time and end as a seed says. Nothing runs; everything is counted."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count

import msgspec

from orchestrator.core.orders import Completed, Deferred, Failed, Lost, Order, Report, Skipped, Started, TakenBack
from orchestrator.core.particulars import Failure
from orchestrator.names import AttemptKey, Delivery, FailureKind
from orchestrator.ports import Adoption, Clock


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt will do: begin after ``wait`` seconds and end ``work`` seconds later as ``outcome``.

    Outcomes: success, fail, fail_for_good, skip, lost, defer (then ``result`` is the trigger); ``again`` seconds later
    a deferred one is begun again.
    """

    outcome: str = "success"
    wait: float = 0.0
    work: float = 1.0
    result: bytes = b"null"
    length: int | None = None
    again: float | None = None


def always(script: Script) -> Callable[[Order], Script]:
    """Every attempt does the same."""
    return lambda _: script


def drawn(seed: int, *, fail: float = 0.1, lost: float = 0.05, skip: float = 0.05) -> Callable[[Order], Script]:
    """Each attempt's script is drawn from a hash of the seed and its identity, so that order plays no part."""

    def draw(order: Order) -> Script:
        text = f"{seed}/{order.dag_id}/{order.run_id}/{order.key.task_id}/{order.key.map_index}/{order.key.attempt}"
        text += f"/{order.key.callback}" if order.key.callback else ""
        dice = hashlib.sha256(text.encode()).digest()
        luck, wait, work = dice[0] / 256, dice[1] / 64, dice[2] / 16
        outcome = "success"
        for name, share in (("fail", fail), ("lost", lost), ("skip", skip), ("fail_for_good", fail / 4)):
            if luck < share:
                outcome = name
                break
            luck -= share
        return Script(outcome=outcome, wait=wait, work=work, result=str(dice[3]).encode())

    return draw


def deferring(script: Callable[[Order], Script], seed: int, share: float) -> Callable[[Order], Script]:
    """The same, but that a share of the bodies that may run twice defer themselves to a trigger before."""

    def draw(order: Order) -> Script:
        text = f"defer/{seed}/{order.idempotency_key}/{order.key.attempt}"
        dice = hashlib.sha256(text.encode()).digest()
        if order.resume is not None or order.delivery is not Delivery.AT_LEAST_ONCE or dice[0] / 256 >= share:
            return script(order)
        again = 5.0 if dice[3] % 2 else None
        return Script(outcome="defer", wait=dice[1] / 128, work=dice[2] / 64, result=TRIGGER, again=again)

    return draw


TRIGGER = b'{"trigger":{"classpath":"simulated.Trigger","kwargs":{}},"method":"go_on","kwargs":{}}'
SUCCEEDS = always(Script())


class _Work:
    __slots__ = ("began", "begins", "order", "script")

    def __init__(self, order: Order, script: Script, begins: datetime) -> None:
        self.order = order
        self.script = script
        self.begins: datetime | None = begins
        self.began = False


class SimExecutor:
    """The work of one host. ``outlives``: it goes on when the scheduler dies, and is adopted by the next one.

    ``bodies`` counts the bodies that began, by idempotency key; ``effects`` those that got to their end. A transaction
    that is lost was committed, and nobody heard of it. ``on_submit`` is called after each order.
    """

    def __init__(self, clock: Clock, script: Callable[[Order], Script] = SUCCEEDS, *, outlives: bool = False) -> None:
        self._clock = clock
        self._script = script
        self._outlives = outlives
        self._work: dict[AttemptKey, _Work] = {}
        self._heap: list[tuple[datetime, int, AttemptKey]] = []
        self._order = count()
        self._unread: list[Report] = []
        self._ended: dict[AttemptKey, Report] = {}
        self.bodies: Counter[str] = Counter()
        self.effects: Counter[str] = Counter()
        self.submitted: list[AttemptKey] = []
        self.on_submit: Callable[[], None] = lambda: None
        self._committed: dict[str, Completed] = {}

    def crash(self) -> None:
        """The scheduler's host goes down: unread reports are gone, and the work too unless it outlives."""
        self._unread.clear()
        if not self._outlives:
            self._work.clear()
            self._heap.clear()
            self._ended.clear()

    # ── Executor ─────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Nothing to start."""

    def submit(self, orders: Sequence[Order]) -> None:
        now = self._clock.now()
        for order in orders:
            script = self._script(order)
            self._ended.pop(order.key, None)  # of the same attempt, before it was rescheduled
            begins = now + timedelta(seconds=script.wait)
            self._work[order.key] = _Work(order, script, begins)
            self.submitted.append(order.key)
            self._at(begins, order.key)
            self.on_submit()

    def go(self, keys: Sequence[AttemptKey]) -> None:
        for key in keys:
            if key in self._work and not self._work[key].began:
                self._run_body(self._work[key])

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        now = self._clock.now()
        for key in keys:
            work = self._work.pop(key, None)
            if work is None:
                continue
            if not work.began:
                self._unread.append(TakenBack(key=key, at=now))
            else:
                failure = Failure(message="it was cancelled")
                self._unread.append(Failed(key=key, at=now, kind=FailureKind.CANCELLED, failure=failure))

    def take_back(self, keys: Sequence[AttemptKey]) -> None:
        for key in keys:
            work = self._work.get(key)
            if work is not None and not work.began:
                del self._work[key]
                self._unread.append(TakenBack(key=key, at=self._clock.now()))

    def adopt(self, keys: Sequence[AttemptKey]) -> Mapping[AttemptKey, Adoption]:
        return {key: self._adopt(key) for key in keys}

    def _adopt(self, key: AttemptKey) -> Adoption:
        """Say again what the last scheduler may have heard and not recorded."""
        work = self._work.get(key)
        if work is not None and work.begins is None:
            self._unread.append(Started(key=key, at=self._clock.now(), worker="sim:1"))
        if key in self._ended:
            self._unread.append(self._ended[key])
        return Adoption.RUNNING if work is not None or key in self._ended else Adoption.LOST

    def reports(self) -> list[Report]:
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            when, _, key = heapq.heappop(self._heap)
            work = self._work.get(key)
            if work is not None:
                self._step(work, when)
        unread, self._unread = self._unread, []
        return unread

    def files(self) -> Sequence[int]:
        return ()

    def next_due(self) -> datetime | None:
        if self._unread:
            return self._clock.now()
        while self._heap and self._heap[0][2] not in self._work:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def stop(self) -> None:
        self.crash()

    # ── the simulated work ───────────────────────────────────────────────────────────────────────────────

    def _at(self, when: datetime, key: AttemptKey) -> None:
        heapq.heappush(self._heap, (when, next(self._order), key))

    def _step(self, work: _Work, when: datetime) -> None:
        if work.began:
            self._end(work, when)
            return
        if work.begins is None:
            return
        work.begins = None
        self._unread.append(Started(key=work.order.key, at=when, worker="sim:1"))
        if work.order.delivery is not Delivery.AT_MOST_ONCE:
            self._run_body(work)

    def _run_body(self, work: _Work) -> None:
        work.began = True
        known = work.order.idempotency_key in self._committed
        self.bodies[work.order.idempotency_key] += not known
        self._at(self._clock.now() + timedelta(seconds=0 if known else work.script.work), work.order.key)

    def _end(self, work: _Work, when: datetime) -> None:
        key, script = work.order.key, work.script
        del self._work[key]
        report = self._report(key, script, when)
        if work.order.delivery is Delivery.TRANSACTIONAL:
            report = self._transact(work.order, script, report, when)
        elif script.outcome == "success":
            self.effects[work.order.idempotency_key] += 1
        self._ended[key] = report
        self._unread.append(report)

    def _transact(self, order: Order, script: Script, report: Report, when: datetime) -> Report:
        """The effect and the completion are there together, or neither is."""
        known = self._committed.get(order.idempotency_key)
        if known is not None:
            return msgspec.structs.replace(known, key=order.key, at=when)
        if script.outcome in ("success", "lost"):
            completed = Completed(key=order.key, at=when, result=msgspec.Raw(script.result), length=script.length)
            self._committed[order.idempotency_key] = completed
            self.effects[order.idempotency_key] += 1
        return report

    def _report(self, key: AttemptKey, script: Script, when: datetime) -> Report:
        match script.outcome:
            case "success":
                return Completed(key=key, at=when, result=msgspec.Raw(script.result), length=script.length)
            case "defer":
                until = None if script.again is None else when + timedelta(seconds=script.again)
                return Deferred(key=key, at=when, trigger=msgspec.Raw(script.result), until=until)
            case "skip":
                return Skipped(key=key, at=when, reason="the body skipped itself")
            case "lost":
                return Lost(key=key, at=when, reason="its worker was killed")
            case "fail_for_good":
                return self._failed(key, when, FailureKind.NON_RETRYABLE)
            case _:
                return self._failed(key, when, FailureKind.ERROR)

    def _failed(self, key: AttemptKey, when: datetime, kind: FailureKind) -> Report:
        failure = Failure(message="RuntimeError: it failed", types=("RuntimeError", "Exception"))
        return Failed(key=key, at=when, kind=kind, failure=failure)
