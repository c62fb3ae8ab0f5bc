"""Collecting the DAGs of a file."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.authoring.dag import COLLECTOR, DAG


@contextmanager
def collecting() -> Iterator[list[DAG]]:
    """A list that takes in every DAG made inside, in the order in which they are made."""
    found: list[DAG] = []
    token = COLLECTOR.set(found)
    try:
        yield found
    finally:
        COLLECTOR.reset(token)
