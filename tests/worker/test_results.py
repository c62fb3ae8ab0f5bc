"""Results large and small."""

import msgspec

from orchestrator.core.orders import Completed, Failed
from orchestrator.names import FailureKind
from orchestrator.storage.payloads import FsspecPayloadStore
from tests.worker.test_local_executor import OpenBench
from tests.worker.workshop import Bench, Workshop


def test_nothing_is_recorded_as_null(bench: Bench, shop: Workshop) -> None:
    report = bench.run(shop.order("nothing"))
    assert isinstance(report, Completed)
    assert bytes(report.result) == b"null"
    assert report.payload is report.length is None


def test_a_small_result_travels_with_its_report(bench: Bench, shop: Workshop) -> None:
    report = bench.run(shop.order("returns_40"))
    assert isinstance(report, Completed)
    assert len(msgspec.json.decode(report.result)) == report.length == 40
    assert report.payload is None


def test_a_result_of_fifty_megabytes_lies_in_the_payload_store(bench: Bench, shop: Workshop) -> None:
    report = bench.run(shop.order("returns_51200"))
    assert isinstance(report, Completed)
    assert report.payload is not None
    assert bytes(report.result) == b"null"
    assert report.length == 50 * 1024
    data = FsspecPayloadStore(shop.settings().payloads).get(report.payload)
    assert len(data) == report.payload.size > 50 * 1024**2
    assert msgspec.json.decode(data) == ["x" * 1024] * 50 * 1024


def test_a_result_above_the_limit_is_a_failure_that_names_the_setting(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(max_result_bytes=10_000)
    report = bench.run(shop.order("returns_40"))
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.ENCODING
    assert "[workers] max_result_bytes = 10000" in report.failure.message


def test_a_payload_store_that_cannot_be_written_is_a_failure_in_one_sentence(
    open_bench: OpenBench, shop: Workshop
) -> None:
    (shop.folder / "in_the_way").write_text("a file where a folder should be")
    bench = open_bench(payloads=str(shop.folder / "in_the_way"))
    report = bench.run(shop.order("returns_51200"))
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.ERROR
    assert "the payload store" in report.failure.message


def test_a_result_that_a_full_disk_has_no_room_for_waits_until_there_is_some(
    open_bench: OpenBench, shop: Workshop
) -> None:
    bench = open_bench()
    order = shop.order("returns_much_while_the_disk_is_full")
    bench.submit(order)
    bench.until(lambda: "the result waits for it" in shop.log(order), "the worker says that it waits")
    assert bench.ending(order) is None
    (shop.marks / "room").touch()
    (report,) = bench.finish([order])
    assert isinstance(report, Completed)
    assert report.payload is not None
    assert shop.mark("ran") == "x"


def test_a_task_that_pushes_no_xcom_has_no_result_whatever_its_body_returns(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(shop.order("keeps_to_itself")) is None
