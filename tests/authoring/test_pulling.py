"""What a body pulls: whose values, of which run, one or many."""

from typing import Any

import pytest

from orchestrator import DAG
from orchestrator.authoring.context import TaskInstance, build_context
from orchestrator.operators import EmptyOperator
from tests.authoring.conftest import order_for


class Board:
    """An exchange with what was left on it; ``asked`` are the places that were looked at."""

    def __init__(self, left: dict[tuple[str, str], list[tuple[int, Any]]]) -> None:
        self.left = left
        self.asked: list[tuple[str | None, str | None, bool]] = []

    def push(self, key: str, value: Any) -> None:
        self.left.setdefault(("me", key), []).append((-1, value))

    def pull(
        self,
        task_id: str,
        key: str,
        *,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_index: int | None = None,
        prior_dates: bool = False,
    ) -> list[tuple[int, Any]]:
        self.asked.append((dag_id, run_id, prior_dates))
        found = self.left.get((task_id, key), [])
        return [one for one in found if map_index in (None, one[0])]


@pytest.fixture
def board() -> Board:
    return Board(
        {
            ("one", "return_value"): [(-1, 1)],
            ("one", "rows"): [(-1, [1, 2])],
            ("many", "return_value"): [(0, "a"), (2, "c")],
        }
    )


@pytest.fixture
def ti(board: Board) -> TaskInstance:
    with DAG("d") as dag:
        task = EmptyOperator(task_id="me")
    found = build_context(order_for(dag, "me"), dag, task, exchange=board)["ti"]
    assert isinstance(found, TaskInstance)
    found.results = {"sent": {"part": 5}}
    return found


def test_a_task_that_is_not_mapped_has_one_value_and_a_mapped_one_a_list(ti: TaskInstance) -> None:
    assert ti.xcom_pull("one") == 1
    assert ti.xcom_pull("one", key="rows") == [1, 2]
    assert ti.xcom_pull("many") == ["a", "c"]


def test_several_tasks_have_one_list(ti: TaskInstance) -> None:
    assert ti.xcom_pull(["one", "many", "none"], default=0) == [1, "a", "c", 0]


def test_map_indexes_name_some_of_a_mapped_task(ti: TaskInstance) -> None:
    assert ti.xcom_pull("many", map_indexes=2) == "c"
    assert ti.xcom_pull("many", map_indexes=[2, 1, 0], default="-") == ["c", "-", "a"]
    assert ti.xcom_pull("one", map_indexes=None) == 1
    assert ti.xcom_pull(["one", "many"], map_indexes=0) == [None, "a"]


def test_what_is_not_there_is_the_default(ti: TaskInstance) -> None:
    assert ti.xcom_pull("none") is None
    assert ti.xcom_pull("none", default=3) == 3


def test_a_task_pulls_its_own_values_where_it_names_none(ti: TaskInstance) -> None:
    ti.xcom_push("step", 7)
    assert ti.xcom_pull(key="step") == 7


def test_other_runs_are_asked_for_by_name_and_this_one_is_not_asked_for_what_was_sent(
    ti: TaskInstance, board: Board
) -> None:
    assert ti.xcom_pull("sent") == {"part": 5}
    assert board.asked == []
    ti.xcom_pull("sent", run_id="other")
    ti.xcom_pull("sent", dag_id="e", include_prior_dates=True)
    ti.xcom_pull("one", dag_id=ti.dag_id, run_id=ti.run_id)
    assert board.asked == [(None, "other", False), ("e", None, True), (None, None, False)]
