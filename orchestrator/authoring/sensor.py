"""BaseSensorOperator: a task that waits until something is so."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, TypeVar, Unpack

from orchestrator.authoring.checks import Check, checked, choice, duration, flag, optional
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.passing_time import sleep, utcnow
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.settings import TaskSettings
from orchestrator.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferralError,
    TaskDeferralTimeout,
)

_WEEK = timedelta(days=7)
_MOST_DOUBLINGS = 40
_Sensor = TypeVar("_Sensor", bound="type[BaseSensorOperator]")


class PokeReturnValue:
    """What ``poke`` may return besides True and False: whether to stop waiting, and with what result."""

    def __init__(self, is_done: bool, xcom_value: Any = None) -> None:
        self.is_done = is_done
        self.xcom_value = xcom_value

    def __bool__(self) -> bool:
        return self.is_done


class Mode(StrEnum):
    """How a sensor waits between two pokes: holding its worker, or giving it up."""

    POKE = "poke"
    RESCHEDULE = "reschedule"


class BaseSensorOperator(BaseOperator):
    """Calls ``poke(context)`` every ``poke_interval`` until it returns something true; derive from it.

    ``timeout`` counts from the first poke of a try, over reschedules and lost workers; then it fails for good with an
    AirflowSensorTimeout. ``mode="reschedule"`` holds no worker between pokes. ``exponential_backoff`` doubles the
    interval with each poke, spread at random, up to ``max_wait``. ``soft_fail``: a time-out or an AirflowFailException
    skips it; ``never_fail``: whatever poke raises does; ``silent_fail``: what poke raises is logged, and it waits on.
    """

    poke_interval: float
    timeout: float
    mode: Mode
    pokes_only: ClassVar[bool] = False

    def __init__(
        self,
        *,
        poke_interval: timedelta | float = 60,
        timeout: timedelta | float | None = None,
        soft_fail: bool = False,
        mode: str = "poke",
        exponential_backoff: bool = False,
        max_wait: timedelta | float | None = None,
        silent_fail: bool = False,
        never_fail: bool = False,
        **settings: Unpack[TaskSettings],
    ) -> None:
        super().__init__(**settings)
        self.poke_interval = self._checked("poke_interval", poke_interval, duration(zero=True)).total_seconds()
        limit = self._checked("timeout", timeout, optional(duration(zero=True)))
        self.timeout = (_WEEK if limit is None else limit).total_seconds()
        self.mode = self._checked("mode", mode, choice(Mode))
        self.exponential_backoff = self._checked("exponential_backoff", exponential_backoff, flag)
        self.max_wait: timedelta | None = self._checked("max_wait", max_wait, optional(duration(zero=True)))
        self.soft_fail = self._checked("soft_fail", soft_fail, flag)
        self.silent_fail = self._checked("silent_fail", silent_fail, flag)
        self.never_fail = self._checked("never_fail", never_fail, flag)
        if self.soft_fail and self.never_fail:
            raise self.place.refuse(f"sensor {self.task_id!r}: soft_fail and never_fail exclude each other; choose one")

        if self.pokes_only and self.reschedule:
            kind = type(self).__name__
            raise self.place.refuse(f"sensor {self.task_id!r}: {kind} waits in mode='poke' only; remove mode=")

    def _checked(self, name: str, value: Any, check: Check) -> Any:
        return checked(self.place, f"sensor {self.task_id!r}", name, value, check)

    @property
    def reschedule(self) -> bool:
        """Whether it gives its worker up between pokes."""
        return self.mode == Mode.RESCHEDULE

    def poke(self, context: Context) -> bool | PokeReturnValue:
        """Whether what it waits for is so."""
        raise NotImplementedError(f"{type(self).__name__} has no poke(self, context); define what it waits for")

    def execute(self, context: Context) -> Any:
        """Wait; the result is the ``xcom_value`` of the PokeReturnValue that ended that, if it was one."""
        instance = context["ti"]
        began_at, pokes = instance.began_at or utcnow(), instance.pokes
        while True:
            found = self._poke(context)
            if found:
                return found.xcom_value if isinstance(found, PokeReturnValue) else None
            pokes += 1
            waited = (utcnow() - began_at).total_seconds()
            if waited > self.timeout:
                self._time_out(waited)
            pause = self._pause(context, pokes, waited)
            if self.reschedule:
                raise AirflowRescheduleException(utcnow() + timedelta(seconds=pause))
            sleep(pause)

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """See BaseOperator; a deferral that took too long is the sensor's time-out. ``soft_fail`` covers any other."""
        with self._judging():
            try:
                return super().resume_execution(next_method, next_kwargs, context)
            except TaskDeferralTimeout as error:
                raise AirflowSensorTimeout(str(error)) from error
            except TaskDeferralError as error:
                if self.soft_fail:
                    raise AirflowSkipException(f"{error} (soft_fail is set)") from error
                raise

    def _left(self, context: Context) -> timedelta:
        """How long it may wait from now on: the timeout counts from the first poke of the try."""
        now = utcnow()
        waited: timedelta = now - (context["ti"].began_at or now)
        return max(timedelta(seconds=self.timeout) - waited, timedelta(0))

    def _poke(self, context: Context) -> bool | PokeReturnValue:
        try:
            with self._judging():
                return self.poke(context)
        except (AirflowSkipException, AirflowFailException, AirflowSensorTimeout, AirflowRescheduleException):
            raise
        except Exception as error:
            if self.silent_fail:
                self.log.exception("poke() failed; it is called again")
                return False
            if self.never_fail:
                raise AirflowSkipException(f"poke() failed, and never_fail is set: {error}") from error
            raise

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """What ends a sensor for good skips it, if it is told so."""
        try:
            yield
        except (AirflowSensorTimeout, AirflowFailException) as error:
            if self.soft_fail or self.never_fail:
                setting = "soft_fail" if self.soft_fail else "never_fail"
                raise AirflowSkipException(f"{error} ({setting} is set)") from error
            raise
        except (AirflowSkipException, AirflowRescheduleException):
            raise
        except AirflowException as error:
            if self.never_fail and not self.silent_fail:
                raise AirflowSkipException(f"{error} (never_fail is set)") from error
            raise

    def _time_out(self, waited: float) -> None:
        message = (
            f"sensor {self.task_id!r} has waited for {waited:.0f} s, longer than its timeout of {self.timeout:g} s"
        )
        raise AirflowSkipException(message) if self.soft_fail else AirflowSensorTimeout(message)

    def _pause(self, context: Context, pokes: int, waited: float) -> float:
        """Seconds until the next poke."""
        if not self.exponential_backoff:
            return self.poke_interval
        least = max(int(self.poke_interval * 2.0 ** min(pokes - 2, _MOST_DOUBLINGS)), 1)
        dice = hashlib.sha256(f"{context['idempotency_key']}/{pokes}".encode()).digest()
        pause = min(least + int.from_bytes(dice[:8]) % least, max(self.timeout - int(waited), 0.0))
        return pause if self.max_wait is None else min(pause, self.max_wait.total_seconds())


def poke_mode_only(cls: _Sensor) -> _Sensor:
    """Over a sensor's class: what it keeps between two pokes would be lost if it gave its worker up."""
    cls.pokes_only = True
    return cls
