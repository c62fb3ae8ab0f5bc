"""XCom: what tasks have left for each other, read by name as Airflow's class of that name does."""

from typing import Any

from orchestrator.authoring.links import TaskInstanceKey
from orchestrator.authoring.pulling import EVERY
from orchestrator.authoring.references import RETURN_VALUE
from orchestrator.authoring.runtime import get_current_context


class XCom:
    """Reads, in a task's body, in callbacks and in links. What is to be left is returned, or pushed with ``ti``."""

    XCOM_RETURN_KEY = RETURN_VALUE

    @classmethod
    def get_value(cls, *, ti_key: TaskInstanceKey, key: str) -> Any:
        """What the activity of that attempt has left; None where it has not."""
        return cls.get_one(
            key=key,
            task_id=ti_key.task_id,
            dag_id=ti_key.dag_id,
            run_id=ti_key.run_id,
            map_index=ti_key.map_index,
        )

    @staticmethod
    def get_one(
        *,
        key: str = RETURN_VALUE,
        task_id: str,
        dag_id: str | None = None,
        run_id: str | None = None,
        map_index: int | None = None,
        include_prior_dates: bool = False,
    ) -> Any:
        """What one activity has left; of a mapped task it is ``map_index``. None where there is nothing."""
        return get_current_context()["ti"].xcom_pull(
            task_ids=task_id,
            key=key,
            dag_id=dag_id,
            run_id=run_id,
            map_indexes=-1 if map_index is None else map_index,
            include_prior_dates=include_prior_dates,
        )

    @staticmethod
    def get_all(
        *,
        key: str = RETURN_VALUE,
        task_id: str,
        dag_id: str | None = None,
        run_id: str | None = None,
        include_prior_dates: bool = False,
    ) -> list[Any]:
        """What all activities of a task have left, in the order of their indexes."""
        found = get_current_context()["ti"].xcom_pull(
            task_ids=[task_id],
            key=key,
            dag_id=dag_id,
            run_id=run_id,
            map_indexes=EVERY,
            include_prior_dates=include_prior_dates,
        )
        return [value for value in found if value is not None]
