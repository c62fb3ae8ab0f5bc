"""A DAG with a workflow as one of its nodes: take in the order, carry it out, report on it.

The node `order_workflow` is a run of its own, with its own history; while it goes on, the DAG's task holds no worker.
"""

from typing import Any

from order_workflow import order_workflow
from shop import ORDER_1001, Order

from orchestrator import dag, get_current_context, task


@dag(schedule=None, params={**ORDER_1001}, tags=["example"], doc_md=__doc__)
def orders_of_the_day() -> None:
    @task
    def take_order() -> Order:
        params = get_current_context()["params"]
        return {name: params[name] for name in ORDER_1001}  # type: ignore[return-value]

    @task
    def report(done: dict[str, Any]) -> str:
        return f"order {done['order']}: {done['charged']} charged, shipped as {done['tracking']}"

    report(order_workflow(take_order()))


orders_of_the_day()
