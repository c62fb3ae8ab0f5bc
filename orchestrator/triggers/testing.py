"""Triggers that end at once, to try operators with."""

from collections.abc import AsyncIterator
from typing import Any

from orchestrator.authoring.trigger import BaseTrigger, TriggerEvent

__all__ = ["FailureTrigger", "SuccessTrigger"]


class SuccessTrigger(BaseTrigger):
    """Fires at once with True."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "orchestrator.triggers.testing.SuccessTrigger", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        yield TriggerEvent(True)


class FailureTrigger(BaseTrigger):
    """Fails at once, with a ValueError."""

    fails = True

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "orchestrator.triggers.testing.FailureTrigger", {}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        if self.fails:
            raise ValueError("Deliberate trigger failure")
        yield TriggerEvent(None)
