"""The authoring API: ``from orchestrator import DAG, task``. Each name is loaded when it is first asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.authoring.branching import BaseBranchOperator as BaseBranchOperator
    from orchestrator.authoring.dag import DAG as DAG
    from orchestrator.authoring.dag import dag as dag
    from orchestrator.authoring.edges import chain as chain
    from orchestrator.authoring.edges import chain_linear as chain_linear
    from orchestrator.authoring.edges import cross_downstream as cross_downstream
    from orchestrator.authoring.operator import BaseOperator as BaseOperator
    from orchestrator.authoring.references import XComArg as XComArg
    from orchestrator.authoring.retrying import ExceptionRetryPolicy as ExceptionRetryPolicy
    from orchestrator.authoring.retrying import RetryAction as RetryAction
    from orchestrator.authoring.retrying import RetryPolicy as RetryPolicy
    from orchestrator.authoring.retrying import RetryRule as RetryRule
    from orchestrator.authoring.runtime import Context as Context
    from orchestrator.authoring.runtime import get_current_context as get_current_context
    from orchestrator.authoring.taskflow import task as task
    from orchestrator.exceptions import AirflowFailException as AirflowFailException
    from orchestrator.exceptions import AirflowSkipException as AirflowSkipException
    from orchestrator.names import TriggerRule as TriggerRule
    from orchestrator.names import WeightRule as WeightRule

_MODULES = {
    "AirflowFailException": "orchestrator.exceptions",
    "AirflowSkipException": "orchestrator.exceptions",
    "BaseBranchOperator": "orchestrator.authoring.branching",
    "BaseOperator": "orchestrator.authoring.operator",
    "Context": "orchestrator.authoring.runtime",
    "DAG": "orchestrator.authoring.dag",
    "ExceptionRetryPolicy": "orchestrator.authoring.retrying",
    "RetryAction": "orchestrator.authoring.retrying",
    "RetryPolicy": "orchestrator.authoring.retrying",
    "RetryRule": "orchestrator.authoring.retrying",
    "TriggerRule": "orchestrator.names",
    "WeightRule": "orchestrator.names",
    "XComArg": "orchestrator.authoring.references",
    "chain": "orchestrator.authoring.edges",
    "chain_linear": "orchestrator.authoring.edges",
    "cross_downstream": "orchestrator.authoring.edges",
    "dag": "orchestrator.authoring.dag",
    "get_current_context": "orchestrator.authoring.runtime",
    "task": "orchestrator.authoring.taskflow",
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
