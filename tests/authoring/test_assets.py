"""Assets: names for data, kept with tasks."""

import pytest

from orchestrator import DAG, task
from orchestrator.authoring.assets import Asset, AssetAlias, AssetAll, AssetAny
from orchestrator.core.spec import fingerprint
from orchestrator.exceptions import ScheduleError
from orchestrator.operators import EmptyOperator
from tests.authoring.graphs import compiled, refusal


def test_an_asset_is_known_by_its_name_and_its_uri() -> None:
    assert (Asset("orders").name, Asset("orders").uri) == ("orders", "orders")
    assert Asset(uri="s3://shop/orders").name == "s3://shop/orders"
    assert Asset("orders", "s3://shop/orders") == Asset(name="orders", uri="s3://shop/orders", extra={"by": "ada"})
    assert len({Asset("a"), Asset("a"), Asset("b")}) == 2


def test_assets_are_joined_by_and_and_by_or() -> None:
    both, either = Asset("a") & Asset("b"), Asset("a") | AssetAlias("c")
    assert isinstance(both, AssetAll)
    assert isinstance(either, AssetAny)
    assert repr(both | Asset("d")).startswith("AssetAny(AssetAll(Asset(name='a'")


def test_an_asset_without_a_name_is_refused() -> None:
    assert refusal(lambda: Asset()) == "an Asset needs a name or a uri; give it one"
    assert "text that says something, not ' '" in refusal(lambda: Asset(" "))
    assert refusal(lambda: AssetAny(Asset("a"), "b")) == "AssetAny takes assets, not 'b'"  # type: ignore[arg-type]


def test_what_a_task_reads_and_writes_is_kept_with_it_and_changes_nothing() -> None:
    with DAG("plain") as plain:
        EmptyOperator(task_id="only")
    with DAG("plain") as told:
        only = EmptyOperator(task_id="only", inlets=[Asset("in")], outlets=[Asset("out")], doc_rst="*why*")
    assert only.outlets == [Asset("out")]
    assert fingerprint(compiled(told)) == fingerprint(compiled(plain))


@pytest.mark.parametrize("schedule", [Asset("a"), [Asset("a"), Asset("b")], Asset("a") & Asset("b")])
def test_no_run_is_started_by_assets_and_the_author_is_told(schedule: object) -> None:
    with DAG("waits", schedule=schedule) as dag:  # type: ignore[arg-type]
        EmptyOperator(task_id="only")
    with pytest.raises(ScheduleError, match="assets start no runs here") as caught:
        compiled(dag)
    assert (caught.value.file, bool(caught.value.line)) == (__file__, True)


def test_a_task_may_keep_its_result_to_itself() -> None:
    with DAG("d"):

        @task(do_xcom_push=False)
        def quiet() -> int:
            return 1

        assert quiet().operator.do_xcom_push is False
