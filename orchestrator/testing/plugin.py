"""The pytest plugin, which every pytest of an environment loads: fixtures, and nothing else of the program until one is
asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from typing import Any

import pytest

_PLAYS = "orchestrator.testing.plays"


@pytest.fixture
def start_dag() -> Iterator[Callable[..., Any]]:
    """``start_dag(dag, conf=…, …)``: a run under a fake clock, to be driven step by step; it ends with the test."""
    plays = import_module(_PLAYS)
    with ExitStack() as stack:

        def start(dag: Any, **settings: Any) -> Any:
            return stack.enter_context(plays.start_dag(dag, let_through=(pytest.exit.Exception,), **settings))

        yield start


@pytest.fixture
def run_dag(start_dag: Callable[..., Any]) -> Callable[..., Any]:
    """``run_dag(dag, conf=…, …)``: the run, once it has gone as far as it can by itself."""

    def run(dag: Any, **settings: Any) -> Any:
        return start_dag(dag, **settings).go_on()

    return run
