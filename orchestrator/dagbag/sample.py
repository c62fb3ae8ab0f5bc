"""A DAG file like any other: the zygote parses it once, so that what every parse needs is in memory before it forks."""

from datetime import datetime, timedelta

from orchestrator import DAG, chain, task
from orchestrator.operators import BashOperator, EmptyOperator

with DAG(
    "sample",
    schedule="0 6 * * *",
    start_date=datetime(2024, 1, 1),  # noqa: DTZ001 - as authors write it
    default_args={"retries": 1, "retry_delay": timedelta(minutes=5)},
    params={"greeting": "hello"},
    tags=["sample"],
):

    @task
    def count(words: str) -> int:
        """Count the letters."""
        return len(words)

    chain(EmptyOperator(task_id="start"), count("words"), BashOperator(task_id="end", bash_command="echo {{ ds }}"))
