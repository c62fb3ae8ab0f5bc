"""``get_parsing_context``: for whom a file is parsed. Here it is always for all of its DAGs."""

from typing import NamedTuple


class AirflowParsingContext(NamedTuple):
    """The DAG and the task that are wanted of the file; None for all."""

    dag_id: str | None
    task_id: str | None


def get_parsing_context() -> AirflowParsingContext:
    """All of the file: a worker keeps what it has loaded, and runs tasks of all its DAGs."""
    return AirflowParsingContext(None, None)
