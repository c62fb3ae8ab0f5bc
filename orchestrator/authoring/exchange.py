"""The exchange: the values that tasks leave for each other, as the attempt that runs now sees them."""

from typing import Any, Protocol

from orchestrator.exceptions import UsageError


class Exchange(Protocol):
    """What pushes and pulls go to. A value that is None is as good as none."""

    def push(self, key: str, value: Any) -> None:
        """Recorded with the attempt's outcome; ValueEncodingError if it cannot be."""

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
        """(map_index, value) of every activity of a task that has one, in order; of one activity only, if it is named.

        None of ``dag_id`` and ``run_id`` means this attempt's own. ``prior_dates``: if the run has none, of the run
        with the latest logical date before it that has.
        """


class NoExchange:
    """Where no home is: there is only what an order brought along."""

    def push(self, key: str, value: Any) -> None:  # noqa: ARG002 - the protocol
        raise UsageError(f"nothing records what is pushed here, so {key!r} cannot be")

    def pull(self, task_id: str, key: str, **_where: Any) -> list[tuple[int, Any]]:
        raise UsageError(
            f"no runs are recorded here, so what {task_id!r} has under {key!r} cannot be pulled; pass its result as an "
            f"argument, or name it in one of the task's templates: {{{{ ti.xcom_pull(task_ids={task_id!r}) }}}}"
        )
