"""Waits for what a command says."""

from collections.abc import Sequence
from typing import Any

from orchestrator.authoring.operators.bash import BashOperator
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator
from orchestrator.exceptions import AirflowFailException, CommandError

__all__ = ["BashSensor"]


class BashSensor(BaseSensorOperator, BashOperator):
    """Waits until ``bash_command`` ends with exit code 0.

    Any other code means not yet; where ``retry_exit_code`` is given only that does, and others fail the task for good.
    All else is as for a BashOperator: ``env`` replaces the environment.
    """

    template_fields: Sequence[str] = ("bash_command", "env", "cwd")

    def __init__(self, *, retry_exit_code: int | None = None, **settings: Any) -> None:
        super().__init__(**{"skip_on_exit_code": None, **settings})
        self.retry_exit_code = retry_exit_code

    def poke(self, context: Context) -> bool:
        try:
            BashOperator.execute(self, context)
        except CommandError as error:
            if self.retry_exit_code not in (None, error.exit_code):
                raise AirflowFailException(f"the command ended with exit code {error.exit_code}") from error
            return False
        return True
