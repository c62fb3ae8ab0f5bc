"""Place: which activity of a run an address is about."""

from typing import Annotated

import msgspec
from fastapi import Depends, Query

from orchestrator.names import UNMAPPED

PATH = "/dags/{dag_id}/runs/{run_id}/tasks/{task_id}"
"""What the addresses of all pages of an activity begin with."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """``map_index`` -1 is a task that is not mapped, or all instances of one that is."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int


def _place(
    dag_id: str, run_id: str, task_id: str, map_index: Annotated[int, Query(ge=-1, le=2**31 - 1)] = UNMAPPED
) -> Place:
    return Place(dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=map_index)


At = Annotated[Place, Depends(_place)]
