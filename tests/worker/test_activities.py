"""Activities of a workflow, and tasks that run one, as a worker runs them."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.core import values
from orchestrator.core.orders import Completed, Deferred, Failed, Order
from orchestrator.names import AttemptKey, FailureKind
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.worker.rendering import RenderJob, render
from tests.worker.workshop import Bench, Workshop, make_executor

SOURCE = """
from datetime import date, timedelta

import cards
from orchestrator import DAG, AirflowFailException, activity, task, workflow
from orchestrator.workflow import sleep


@activity
def charge(order, amount=1, *, idempotency_key=None, ti=None):
    return [order, amount, idempotency_key, ti.map_index]


@activity(execution_timeout=60)
async def ship(order: str) -> str:
    return f"shipped {order}"


@activity
def braces(text):
    return text


@activity
def types(*given):
    return [type(one).__name__ for one in given]


@activity
def declined(order):
    raise AirflowFailException("the card is stolen")


@activity
def bare():
    return None


@workflow
def order_workflow(order, day: date = None):
    sleep(5)


with DAG("daily"):

    @task
    def pick():
        return "o1"

    order_workflow(pick(), day="{{ ds }}")
    order_workflow.override(task_id="typed")("o2", day=date(2026, 2, 1))
    order_workflow.override(task_id="impossible")(order=object())
"""


@pytest.fixture
def shop(shop: Workshop) -> Workshop:
    shop.write("flows.py", SOURCE)
    shop.write("cards.py", "from orchestrator import activity\n\n@activity\ndef refund(receipt):\n    return receipt\n")
    return shop


def call_of(shop: Workshop, activity: str, *args: Any, **kwargs: Any) -> Order:
    """The order for one call, its third."""
    order = shop.order(activity, dag_id="order_workflow", file="flows.py", call=input_of(args, kwargs))
    return msgspec.structs.replace(order, key=AttemptKey(1, activity, 2, order.key.attempt))


def input_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(values.encode({"args": list(args), "kwargs": kwargs}))


def node_of(shop: Workshop, task_id: str, **given: Any) -> Order:
    return shop.order(task_id, dag_id="daily", file="flows.py", **given)


def test_an_activity_is_given_the_arguments_of_its_call_and_what_it_asks_of_the_context(
    bench: Bench, shop: Workshop
) -> None:
    assert bench.complete(call_of(shop, "charge", "o1", amount=5)) == ["o1", 5, "uid/charge/-1/1", 2]


def test_an_async_activity_is_run_to_its_end(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(call_of(shop, "ship", "o1")) == "shipped o1"


def test_an_activity_of_a_local_module_is_found(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(call_of(shop, "refund", "r1")) == "r1"


def test_arguments_are_data_and_never_templates(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(call_of(shop, "braces", "{{ ds }}.sql")) == "{{ ds }}.sql"


def test_arguments_come_back_as_what_they_were(bench: Bench, shop: Workshop) -> None:
    given = ({"a": 1}, (1, 2), {3}, b"x", None)
    assert bench.complete(call_of(shop, "types", *given)) == ["dict", "tuple", "set", "bytes", "NoneType"]


def test_arguments_too_large_for_an_order_are_fetched_from_the_payload_store(bench: Bench, shop: Workshop) -> None:
    store = FsspecPayloadStore(shop.settings().payloads)
    ref = store.put(bytes(input_of(("x" * 1_000_000,), {})))
    order = msgspec.structs.replace(call_of(shop, "braces"), call=None, call_payload=ref)
    report = bench.run(order)
    assert isinstance(report, Completed)
    assert report.payload is not None


def test_an_activity_fails_as_a_task_does(bench: Bench, shop: Workshop) -> None:
    report = bench.run(call_of(shop, "declined", "o1"))
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.NON_RETRYABLE
    assert report.failure.where == "flows.py:31"


def test_an_activity_that_nobody_calls_is_run_without_arguments(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(shop.order("bare", dag_id="order_workflow", file="flows.py")) is None


def test_a_task_that_runs_a_workflow_gives_up_its_worker_for_a_run_with_resolved_arguments(
    bench: Bench, shop: Workshop
) -> None:
    report = bench.run(node_of(shop, "order_workflow", inputs={"pick": msgspec.Raw(b'"o1"')}))
    assert isinstance(report, Deferred)
    assert values.decode(report.trigger) == {
        "run": {"dag_id": "order_workflow", "conf": {"order": "o1", "day": "2026-01-31"}}
    }


@pytest.mark.parametrize("kind", ["inline", "outliving"])
def test_every_executor_passes_a_deferral_on(shop: Workshop, kind: str) -> None:
    executor = make_executor(kind, shop)
    executor.start()
    try:
        report = Bench(executor).run(node_of(shop, "typed"))
    finally:
        executor.stop()
    assert isinstance(report, Deferred)
    assert b'"__type__":"date"' in bytes(report.trigger)


def test_a_conf_that_cannot_be_recorded_fails_the_task_with_the_part_at_fault(bench: Bench, shop: Workshop) -> None:
    report = bench.run(node_of(shop, "impossible"))
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.ENCODING
    assert "['conf']['order'] is an object" in report.failure.message


def test_the_template_fields_of_a_workflow_node_can_be_looked_at(tmp_path: Path, shop: Workshop) -> None:
    rendered = render(
        RenderJob(node_of(shop, "order_workflow", inputs={"pick": msgspec.Raw(b'"o1"')}), shop.settings())
    )
    assert rendered.fields == {"op_args": ["o1"], "op_kwargs": {"day": "2026-01-31"}}
