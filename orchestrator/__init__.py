"""The authoring API: ``from orchestrator import DAG, task``. Each name is loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.authoring.activity import activity as activity
    from orchestrator.authoring.asynchronous import BaseAsyncOperator as BaseAsyncOperator
    from orchestrator.authoring.branching import BaseBranchOperator as BaseBranchOperator
    from orchestrator.authoring.calls import gather as gather
    from orchestrator.authoring.calls import schedule_activity as schedule_activity
    from orchestrator.authoring.calls import start_activity as start_activity
    from orchestrator.authoring.connection import Connection as Connection
    from orchestrator.authoring.dag import DAG as DAG
    from orchestrator.authoring.dag import dag as dag
    from orchestrator.authoring.edges import EdgeModifier as EdgeModifier
    from orchestrator.authoring.edges import Label as Label
    from orchestrator.authoring.edges import chain as chain
    from orchestrator.authoring.edges import chain_linear as chain_linear
    from orchestrator.authoring.edges import cross_downstream as cross_downstream
    from orchestrator.authoring.groups import TaskGroup as TaskGroup
    from orchestrator.authoring.heartbeat import heartbeat as heartbeat
    from orchestrator.authoring.heartbeat import last_progress as last_progress
    from orchestrator.authoring.hook import BaseHook as BaseHook
    from orchestrator.authoring.links import BaseOperatorLink as BaseOperatorLink
    from orchestrator.authoring.literal import literal as literal
    from orchestrator.authoring.masking import mask_secret as mask_secret
    from orchestrator.authoring.notifier import BaseNotifier as BaseNotifier
    from orchestrator.authoring.operator import BaseOperator as BaseOperator
    from orchestrator.authoring.param import Param as Param
    from orchestrator.authoring.params import ParamsDict as ParamsDict
    from orchestrator.authoring.references import XComArg as XComArg
    from orchestrator.authoring.retrying import ExceptionRetryPolicy as ExceptionRetryPolicy
    from orchestrator.authoring.retrying import RetryAction as RetryAction
    from orchestrator.authoring.retrying import RetryPolicy as RetryPolicy
    from orchestrator.authoring.retrying import RetryRule as RetryRule
    from orchestrator.authoring.runtime import Context as Context
    from orchestrator.authoring.runtime import get_current_context as get_current_context
    from orchestrator.authoring.sensor import BaseSensorOperator as BaseSensorOperator
    from orchestrator.authoring.sensor import PokeReturnValue as PokeReturnValue
    from orchestrator.authoring.setup_teardown import setup as setup
    from orchestrator.authoring.setup_teardown import teardown as teardown
    from orchestrator.authoring.skipping import BranchMixIn as BranchMixIn
    from orchestrator.authoring.skipping import SkipMixin as SkipMixin
    from orchestrator.authoring.task_groups import task_group as task_group
    from orchestrator.authoring.taskflow import task as task
    from orchestrator.authoring.timetable import DagRunInfo as DagRunInfo
    from orchestrator.authoring.timetable import DataInterval as DataInterval
    from orchestrator.authoring.timetable import TimeRestriction as TimeRestriction
    from orchestrator.authoring.timetable import Timetable as Timetable
    from orchestrator.authoring.timetables import CronDataIntervalTimetable as CronDataIntervalTimetable
    from orchestrator.authoring.timetables import CronTriggerTimetable as CronTriggerTimetable
    from orchestrator.authoring.timetables import DeltaDataIntervalTimetable as DeltaDataIntervalTimetable
    from orchestrator.authoring.timetables import DeltaTriggerTimetable as DeltaTriggerTimetable
    from orchestrator.authoring.timetables import EventsTimetable as EventsTimetable
    from orchestrator.authoring.timetables import MultipleCronTriggerTimetable as MultipleCronTriggerTimetable
    from orchestrator.authoring.variable import Variable as Variable
    from orchestrator.exceptions import ActivityError as ActivityError
    from orchestrator.exceptions import AirflowFailException as AirflowFailException
    from orchestrator.exceptions import AirflowSkipException as AirflowSkipException
    from orchestrator.exceptions import ChildError as ChildError
    from orchestrator.exceptions import WorkflowCancelled as WorkflowCancelled
    from orchestrator.names import TriggerRule as TriggerRule
    from orchestrator.names import WeightRule as WeightRule
    from orchestrator.plugins.hooks import hookimpl as hookimpl
    from orchestrator.workflow import workflow as workflow

_MODULES = {
    "ActivityError": "orchestrator.exceptions",
    "AirflowFailException": "orchestrator.exceptions",
    "AirflowSkipException": "orchestrator.exceptions",
    "BaseAsyncOperator": "orchestrator.authoring.asynchronous",
    "BaseBranchOperator": "orchestrator.authoring.branching",
    "BaseHook": "orchestrator.authoring.hook",
    "BaseNotifier": "orchestrator.authoring.notifier",
    "BaseOperator": "orchestrator.authoring.operator",
    "BaseOperatorLink": "orchestrator.authoring.links",
    "BaseSensorOperator": "orchestrator.authoring.sensor",
    "BranchMixIn": "orchestrator.authoring.skipping",
    "ChildError": "orchestrator.exceptions",
    "Connection": "orchestrator.authoring.connection",
    "Context": "orchestrator.authoring.runtime",
    "CronDataIntervalTimetable": "orchestrator.authoring.timetables",
    "CronTriggerTimetable": "orchestrator.authoring.timetables",
    "DAG": "orchestrator.authoring.dag",
    "DagRunInfo": "orchestrator.authoring.timetable",
    "DataInterval": "orchestrator.authoring.timetable",
    "DeltaDataIntervalTimetable": "orchestrator.authoring.timetables",
    "DeltaTriggerTimetable": "orchestrator.authoring.timetables",
    "EdgeModifier": "orchestrator.authoring.edges",
    "EventsTimetable": "orchestrator.authoring.timetables",
    "ExceptionRetryPolicy": "orchestrator.authoring.retrying",
    "Label": "orchestrator.authoring.edges",
    "MultipleCronTriggerTimetable": "orchestrator.authoring.timetables",
    "Param": "orchestrator.authoring.param",
    "ParamsDict": "orchestrator.authoring.params",
    "PokeReturnValue": "orchestrator.authoring.sensor",
    "RetryAction": "orchestrator.authoring.retrying",
    "RetryPolicy": "orchestrator.authoring.retrying",
    "RetryRule": "orchestrator.authoring.retrying",
    "SkipMixin": "orchestrator.authoring.skipping",
    "TaskGroup": "orchestrator.authoring.groups",
    "TimeRestriction": "orchestrator.authoring.timetable",
    "Timetable": "orchestrator.authoring.timetable",
    "TriggerRule": "orchestrator.names",
    "Variable": "orchestrator.authoring.variable",
    "WeightRule": "orchestrator.names",
    "WorkflowCancelled": "orchestrator.exceptions",
    "XComArg": "orchestrator.authoring.references",
    "activity": "orchestrator.authoring.activity",
    "chain": "orchestrator.authoring.edges",
    "chain_linear": "orchestrator.authoring.edges",
    "cross_downstream": "orchestrator.authoring.edges",
    "dag": "orchestrator.authoring.dag",
    "gather": "orchestrator.authoring.calls",
    "get_current_context": "orchestrator.authoring.runtime",
    "heartbeat": "orchestrator.authoring.heartbeat",
    "hookimpl": "orchestrator.plugins.hooks",
    "last_progress": "orchestrator.authoring.heartbeat",
    "literal": "orchestrator.authoring.literal",
    "mask_secret": "orchestrator.authoring.masking",
    "schedule_activity": "orchestrator.authoring.calls",
    "setup": "orchestrator.authoring.setup_teardown",
    "start_activity": "orchestrator.authoring.calls",
    "task": "orchestrator.authoring.taskflow",
    "task_group": "orchestrator.authoring.task_groups",
    "teardown": "orchestrator.authoring.setup_teardown",
    "workflow": "orchestrator.workflow",
}

__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'orchestrator' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
