"""Attempts: runs one order from its code to its report."""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from orchestrator.authoring.context import build_context
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.deferral import Deferral
from orchestrator.authoring.links import push_links
from orchestrator.authoring.mapped_sequences import View
from orchestrator.authoring.masking import masked
from orchestrator.authoring.operators.activity import ActivityOperator
from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.references import RETURN_VALUE
from orchestrator.authoring.runtime import Context, running
from orchestrator.authoring.task import Task
from orchestrator.core import values
from orchestrator.core.orders import Completed, Deferred, Failed, Order, Report, Skipped, TakenBack
from orchestrator.core.particulars import NULL, Failure, XCom
from orchestrator.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    ConfigError,
    TaskAwaitingInput,
    TaskDeferred,
    UsageError,
    ValueEncodingError,
)
from orchestrator.names import Delivery, FailureKind
from orchestrator.worker.bodies import Bodies
from orchestrator.worker.callbacks import call_back, call_on_execute, context_of, owner_of
from orchestrator.worker.coroutines import run_coroutine
from orchestrator.worker.exchange import AttemptExchange
from orchestrator.worker.failure import failure_of, loading_failure
from orchestrator.worker.heart import Heart, ProgressTooLargeError
from orchestrator.worker.interruption import Interrupted, Interruption
from orchestrator.worker.putting_off import put_off, resumed
from orchestrator.worker.rendered import push_rendered
from orchestrator.worker.results import Result, Results, ResultTooLargeError
from orchestrator.worker.transactional import Transactions

logger = logging.getLogger("orchestrator")

_LONGEST_NAME = 250

Announce = Callable[[Order], bool]


class LoadingError(Exception):
    """The order's code could not be loaded, because of ``error``."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Running:
    """The attempt that runs now, as ``authoring.runtime`` shows it to the body; without a heart nobody listens."""

    def __init__(self, context: Context, heart: Heart | None = None) -> None:
        self.context = context
        self._heart = heart

    def heartbeat(self, progress: Any) -> None:
        if self._heart is not None:
            self._heart.beat(progress)

    def last_progress(self) -> Any:
        return None if self._heart is None else self._heart.last_progress()


class Attempts:
    """Runs orders in this thread, one after another. ``let_through`` are exceptions that end the process; ``let_go`` is
    called at the end.
    """

    def __init__(
        self,
        bodies: Bodies,
        results: Results,
        transactions: Transactions,
        interruption: Interruption,
        heart: Callable[[Order], Heart],
        exchange: Callable[[Order], AttemptExchange],
        let_through: tuple[type[BaseException], ...] = (),
        let_go: Callable[[], object] = tuple,
    ) -> None:
        self._bodies = bodies
        self._results = results
        self._transactions = transactions
        self._interruption = interruption
        self._new_heart = heart
        self._heart: Heart | None = None
        self._new_exchange = exchange
        self._exchange: AttemptExchange | None = None
        self._let_through = let_through
        self._let_go = let_go
        self._has_begun = False
        self._name: str | None = None
        self._ready: Task

    def holds(self, order: Order) -> bool:
        """Whether the order's code is loaded already."""
        return self._bodies.holds(order)

    def close(self) -> None:
        """Let go of loaded code and open connections; for a process that goes on to other things."""
        self._bodies.close()
        self._transactions.close()
        self._let_go()

    def run(self, order: Order, announce: Announce) -> Report:
        """What became of it. ``announce`` is called right before the body begins; where it says False, it does not."""
        self._has_begun, self._name = False, None
        try:
            report = self._run(order, announce)
        except Interrupted as cut:
            report = self._interrupted(order, cut)
        if self._heart is not None:
            self._heart.stop(keep=not isinstance(report, (Completed, Skipped)))
            self._heart = None
        exchange, self._exchange = self._exchange, None
        return report if exchange is None else with_pushed(self._called(report), exchange.pushed)

    def _called(self, report: Report) -> Report:
        if self._name is None or not isinstance(report, (Completed, Failed, Skipped, Deferred)):
            return report
        return replace(report, rendered_map_index=self._name)

    def _run(self, order: Order, announce: Announce) -> Report:
        try:
            self._interruption.begin(order.key)
            if order.outcome is not None:
                return self._call_back(order, announce)
            dag, task = self._find(order)
            self._ready = task
            if not announce(order):
                return TakenBack(key=order.key, at=_now())
            self._has_begun = True
            return self._complete(order, dag, task)
        except Interrupted:
            raise
        except self._let_through:
            raise
        except BaseException as error:
            if self._interruption.delivered is not None:
                raise Interrupted(self._interruption.delivered) from error
            return _unsuccessful(order, error)
        finally:
            self._interruption.end()

    def _call_back(self, order: Order, announce: Announce) -> Report:
        try:
            dag = self._bodies.dag(order)
            owner = owner_of(order, dag)
        except (Exception, SystemExit) as error:
            raise LoadingError(error) from error
        if not announce(order):
            return TakenBack(key=order.key, at=_now())
        self._has_begun = True
        context = context_of(order, dag, self._new_exchange(order))
        with running(Running(context)):
            report = call_back(order, owner, context)
        self._seal()
        return report

    def _find(self, order: Order) -> tuple[DAG, Task]:
        try:
            return self._bodies.find(order)
        except (Exception, SystemExit) as error:
            raise LoadingError(error) from error

    def _complete(self, order: Order, dag: DAG, task: Task) -> Completed | Deferred:
        if order.delivery is Delivery.TRANSACTIONAL:
            value, result = self._in_transaction(order, dag, task)
        else:
            value = self._body(order, dag, task, None)
            self._seal()
            if isinstance(value, Deferral):
                return _deferred(order, value)
            result = self._results.result(self._kept(value), order.measured)
        return Completed(
            key=order.key,
            at=_now(),
            result=result.json,
            payload=result.payload,
            length=result.length,
            lengths=result.lengths,
            skip=self._ready.skips(value),
        )

    def _in_transaction(self, order: Order, dag: DAG, task: Task) -> tuple[Any, Result]:
        def body(connection: Connection) -> bytes:
            value = self._body(order, dag, task, connection)
            if isinstance(value, Deferral):
                raise UsageError(f"task {task.task_id!r} waits for a run, which delivery='transactional' cannot do")
            return self._results.encode(self._kept(value), measured=order.measured)

        data = self._transactions.deliver(order, body, self._seal)
        value = values.decode(data)
        return value, self._results.keep(data, value, order.measured)

    def _body(self, order: Order, dag: DAG, task: Task, connection: Connection | None) -> Any:
        self._exchange = self._new_exchange(order)
        context = build_context(order, dag, task, connection=connection, exchange=self._exchange)
        self._heart = self._new_heart(order)
        with running(Running(context, self._heart)):
            prepared = task.prepare(context, self._results.inputs(order, self._exchange.page))
            if isinstance(prepared, ActivityOperator):
                prepared = prepared.called(*self._results.call(order))

            def stop() -> bool:
                _kill(prepared)
                return False

            self._ready = prepared
            self._interruption.before_it(stop)
            with self._naming(task, context):
                prepared.pre_execute(context)
                call_on_execute(prepared, context, order.code)
                value = resumed(prepared, order.resume, context) if order.resume else prepared.execute(context)
                if inspect.iscoroutine(value):
                    value = run_coroutine(value, self._interruption, stop)
                if isinstance(value, View):
                    value = list(value)  # the results of a mapped task, taken and given back
                if not isinstance(value, Deferral):
                    prepared.finish(context, value)
        return value

    @contextmanager
    def _naming(self, task: Task, context: Context) -> Iterator[None]:
        """Have the instance called what its task says, by what the body has put into the context until it ends, and
        have its links, and its templates as they were filled.
        """
        try:
            yield
        except (Exception, TaskDeferred, TaskAwaitingInput):
            self._name_it(task, context)
            raise
        self._name_it(task, context)

    def _name_it(self, task: Task, context: Context) -> None:
        self._name = _named(task, context)
        push_links(self._ready, context)
        push_rendered(task, self._ready, context["ti"])

    def _kept(self, value: Any) -> Any:
        """What of a body's value is its result."""
        return value if self._ready.do_xcom_push else None

    def _seal(self) -> None:
        """The body's outcome stands from here on; Interrupted if the body was cut short and went on regardless."""
        self._interruption.end()
        if self._interruption.delivered is not None:
            raise Interrupted(self._interruption.delivered)

    def _interrupted(self, order: Order, cut: Interrupted) -> Report:
        if not self._has_begun:
            return TakenBack(key=order.key, at=_now())
        seen = failure_of(cut, order.code)
        failure = Failure(message=cut.cancel.message, where=seen.where, frames=seen.frames)
        return Failed(key=order.key, at=_now(), kind=cut.cancel.kind, failure=failure)


def _now() -> datetime:
    return utcnow()


def with_pushed(report: Report, pushed: Mapping[str, XCom]) -> Report:
    """The report with what the body pushed; under the key of results that is its result, if it returned none."""
    if not pushed or not isinstance(report, (Completed, Failed, Skipped, Deferred)):
        return report
    xcoms = {key: value for key, value in pushed.items() if key != RETURN_VALUE}
    result = pushed.get(RETURN_VALUE)
    if isinstance(report, Completed) and result is not None and report.result == NULL and report.payload is None:
        report = replace(report, result=result.value, payload=result.payload, length=result.length)
    return replace(report, xcoms=xcoms)


def _deferred(order: Order, deferral: Deferral) -> Deferred:
    trigger = msgspec.Raw(values.encode(deferral.trigger, "the trigger"))
    return Deferred(key=order.key, at=_now(), trigger=trigger)


def _named(task: Task, context: Context) -> str | None:
    """What the instance is called; the log says why it has no name where its template is at fault."""
    try:
        name = task.instance_name(context)
    except Exception as error:  # an author's macro may raise anything; what the body came to stands
        logger.error("The instance has no name: %s", error)
        return None
    if not name:
        return None
    name = masked(name)[:_LONGEST_NAME]
    logger.info("The instance is called %s", name)
    return name


def _kill(task: Task) -> None:
    try:
        task.on_kill()
    except Exception:
        logger.exception("on_kill() of task %r failed; the task is ended regardless", task.task_id)


def _unsuccessful(order: Order, error: BaseException) -> Report:
    if isinstance(error, (AirflowRescheduleException, TaskDeferred, TaskAwaitingInput)):
        try:
            return put_off(order, error, _now())
        except Exception as refusal:  # of what it wants to wait for
            return _unsuccessful(order, refusal)
    if isinstance(error, AirflowSkipException):
        return Skipped(key=order.key, at=_now(), reason=masked(str(error)))
    if isinstance(error, LoadingError):
        failure = loading_failure(error.error, order.code)
        return Failed(key=order.key, at=_now(), kind=FailureKind.LOADING, failure=failure)
    return Failed(key=order.key, at=_now(), kind=_kind_of(error), failure=failure_of(error, order.code))


def _kind_of(error: BaseException) -> FailureKind:
    if isinstance(error, (ValueEncodingError, ResultTooLargeError, ProgressTooLargeError)):
        return FailureKind.ENCODING
    if isinstance(error, (AirflowFailException, AirflowSensorTimeout, ConfigError)):
        return FailureKind.NON_RETRYABLE
    return FailureKind.ERROR
