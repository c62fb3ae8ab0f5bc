"""Retry policies: what a task does about each kind of exception.

Only data reaches the scheduler: a policy becomes rules of the DagSpec, and no code of it runs there.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from typing import TypeAlias

import msgspec

from orchestrator.authoring.checks import plain_duration
from orchestrator.core import spec

ExceptionName: TypeAlias = type[BaseException] | str


class RetryAction(Enum):
    """What happens after a failure; a retry still counts towards the task's ``retries``."""

    RETRY = "retry"
    FAIL = "fail"
    DEFAULT = "default"


class RetryRule(msgspec.Struct, frozen=True):
    """What to do about one kind of exception, or several.

    ``exception`` is a class or its dotted path, or a list of them; a rule matches subclasses too, unless
    ``match_subclasses`` is False. ``retry_delay`` takes the place of the task's own.
    """

    exception: ExceptionName | Sequence[ExceptionName]
    action: RetryAction = RetryAction.RETRY
    retry_delay: timedelta | None = None
    reason: str | None = None
    match_subclasses: bool = True

    def __post_init__(self) -> None:
        for name in self.exceptions:
            if not name or not name.replace(".", "").replace("_", "").isalnum():
                raise ValueError(f"a retry rule's exception must be a class or its dotted path, not {name!r}")

    @property
    def exceptions(self) -> tuple[str, ...]:
        """The dotted paths; a class that is a builtin has a bare name."""
        given = self.exception
        return tuple(map(_dotted, [given] if isinstance(given, str | type) else given))


class RetryPolicy(ABC):
    """Decides about retries by the exception that was raised."""

    @abstractmethod
    def rules_as_data(self) -> tuple[spec.RetryRule, ...]:
        """The policy for the scheduler, which takes the first rule that fits."""


class ExceptionRetryPolicy(RetryPolicy):
    """Rules that are looked at in order; where none fits, ``default``."""

    def __init__(self, rules: Sequence[RetryRule], default: RetryAction = RetryAction.DEFAULT) -> None:
        self.rules = tuple(rules)
        self.default = default

    def rules_as_data(self) -> tuple[spec.RetryRule, ...]:
        last = () if self.default is RetryAction.DEFAULT else (RetryRule(BaseException, self.default),)
        return tuple(
            spec.RetryRule(
                exception=name,
                retry=rule.action is not RetryAction.FAIL,
                retry_delay=None if rule.retry_delay is None else plain_duration(rule.retry_delay),
                exact=not rule.match_subclasses,
            )
            for rule in (*self.rules, *last)
            for name in rule.exceptions
        )


def _dotted(exception: ExceptionName) -> str:
    if not isinstance(exception, type):
        return exception
    return f"{exception.__module__}.{exception.__qualname__}"
