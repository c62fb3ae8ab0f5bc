"""Workflows: ``@workflow`` itself, and what the code of a workflow calls.

The module can be called: ``from orchestrator import workflow`` gives the decorator, and ``workflow.sleep(5)`` and the
rest as its attributes, which ``from orchestrator.workflow import sleep`` names as well (docs/reference/workflows.md).
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, cast

from orchestrator.authoring.activity import activity
from orchestrator.authoring.blue import Future
from orchestrator.authoring.calls import gather, schedule_activity, start, start_activity, wait_any
from orchestrator.authoring.children import run_child, signal_run, start_child
from orchestrator.authoring.entrances import query, set_query, set_signal, set_update, signal, update
from orchestrator.authoring.loops import AGAIN, continue_as_new
from orchestrator.authoring.repeatable import patched, random, side_effect, this_run, uuid4
from orchestrator.authoring.saga import saga
from orchestrator.authoring.shield import shield
from orchestrator.authoring.signal import Signal
from orchestrator.authoring.timers import now, sleep, timer, wait_condition
from orchestrator.authoring.workflow_decorator import WorkflowDecorator

__all__ = [
    "AGAIN",
    "Future",
    "Signal",
    "activity",
    "continue_as_new",
    "gather",
    "now",
    "patched",
    "query",
    "random",
    "run_child",
    "saga",
    "schedule_activity",
    "set_query",
    "set_signal",
    "set_update",
    "shield",
    "side_effect",
    "signal",
    "signal_run",
    "sleep",
    "start",
    "start_activity",
    "start_child",
    "this_run",
    "timer",
    "update",
    "uuid4",
    "wait_any",
    "wait_condition",
    "workflow",
]


class WorkflowModule(WorkflowDecorator, ModuleType):
    """The class of this module, which makes it a decorator."""

    if TYPE_CHECKING:  # the attributes are the module's own; a type checker looks for them here

        def __init__(self) -> None:
            self.AGAIN = AGAIN
            self.Future = Future
            self.Signal = Signal
            self.activity = activity
            self.continue_as_new = continue_as_new
            self.gather = gather
            self.now = now
            self.patched = patched
            self.query = query
            self.random = random
            self.run_child = run_child
            self.saga = saga
            self.schedule_activity = schedule_activity
            self.set_query = set_query
            self.set_signal = set_signal
            self.set_update = set_update
            self.shield = shield
            self.side_effect = side_effect
            self.signal = signal
            self.signal_run = signal_run
            self.sleep = sleep
            self.start = start
            self.start_activity = start_activity
            self.start_child = start_child
            self.this_run = this_run
            self.timer = timer
            self.update = update
            self.uuid4 = uuid4
            self.wait_any = wait_any
            self.wait_condition = wait_condition


sys.modules[__name__].__class__ = WorkflowModule
workflow = cast(WorkflowModule, sys.modules[__name__])
