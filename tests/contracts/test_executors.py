"""What every executor keeps to; and what those keep to whose bodies run in processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from orchestrator.core.orders import Completed, Failed, Lost, Order, Skipped, Started, TakenBack
from orchestrator.names import AttemptKey, Delivery, FailureKind
from orchestrator.ports import Adoption, Executor
from orchestrator.storage.payloads import FsspecPayloadStore
from tests.worker.workshop import HOSTED, Bench, Workshop, given, is_alive, make_executor, value_of, wait_until

IN_A_HOST = [pytest.param(kind, marks=pytest.mark.slow) for kind in HOSTED]
ALL = ["inline", "local", "outliving", *IN_A_HOST]
APART = ["local", "outliving", *IN_A_HOST]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the executors of this module keep logs and payloads."""
    return tmp_path_factory.mktemp("stores")


@pytest.fixture
def shop(tmp_path: Path, stores: Path) -> Iterator[Workshop]:
    shop = Workshop(tmp_path, stores=stores)
    yield shop
    (shop.marks / "gate").touch()  # a body that outlived a failed test comes to its end


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, stores: Path) -> Iterator[Executor]:
    """A local executor that the tests share, since starting one takes as long as most of them."""
    executor = make_executor("local", Workshop(tmp_path_factory.mktemp("local"), stores=stores))
    executor.start()
    yield executor
    executor.stop()


@pytest.fixture
def bench(request: pytest.FixtureRequest, shop: Workshop) -> Iterator[Bench]:
    if request.param == "local":
        yield Bench(request.getfixturevalue("local"))
        return
    executor = make_executor(request.param, shop)
    executor.start()
    yield Bench(executor)
    executor.stop()


every = pytest.mark.parametrize("bench", ALL, indirect=True)
apart = pytest.mark.parametrize("bench", APART, indirect=True)


@every
def test_a_body_is_reported_as_started_and_then_as_completed_with_its_result(bench: Bench, shop: Workshop) -> None:
    order = shop.order("echo")
    assert bench.complete(order) == 7
    started, completed = bench.about(order)
    assert isinstance(started, Started)
    assert isinstance(completed, Completed)
    assert started.worker.rpartition(":")[2].isdigit()
    assert started.at.utcoffset() == completed.at.utcoffset() == timedelta(0)
    assert started.at <= completed.at


@every
def test_recorded_results_reach_the_body_also_those_of_the_payload_store(bench: Bench, shop: Workshop) -> None:
    small = shop.order("double", inputs={"given": given([1, 2])})
    ref = FsspecPayloadStore(shop.settings().payloads).put(b"21")
    large = shop.order("double", payloads={"given": ref})
    assert bench.complete(small) == [1, 2, 1, 2]
    assert bench.complete(large) == 42


@every
def test_an_order_too_large_for_a_datagram_arrives_whole(bench: Bench, shop: Workshop) -> None:
    report = bench.run(shop.order("size_of", inputs={"given": given("x" * 1_000_000)}))
    assert value_of(report) == 1_000_000


@every
def test_a_failure_names_the_exception_and_the_authors_own_lines(bench: Bench, shop: Workshop) -> None:
    report = bench.run(shop.order("raises"))
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.ERROR
    assert report.failure.message == "ValueError: the shelf is empty"
    assert report.failure.types == ("builtins.ValueError", "builtins.Exception")
    line = 1 + (shop.code / "shop.py").read_text().splitlines().index(
        '            raise ValueError("the shelf is empty") from error'
    )
    assert report.failure.where == f"shop.py:{line}"
    assert all("shop.py" in frame for frame in report.failure.frames)


@every
def test_a_body_steers_its_outcome_by_the_exceptions_made_for_that(bench: Bench, shop: Workshop) -> None:
    skipped, given_up = bench.run(shop.order("skips")), bench.run(shop.order("gives_up"))
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "nothing to do on Sundays"
    assert isinstance(given_up, Failed)
    assert given_up.kind is FailureKind.NON_RETRYABLE


@every
def test_an_async_body_is_awaited(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(shop.order("answers_async")) == "answers_async"


@every
def test_an_at_most_once_body_waits_for_go(bench: Bench, shop: Workshop) -> None:
    order = shop.order("once", delivery=Delivery.AT_MOST_ONCE)
    bench.submit(order)
    bench.until(lambda: bench.is_started(order))
    for _ in range(5):
        bench.turn()
    assert not shop.mark("ran")
    bench.executor.go([order.key])
    assert value_of(bench.finish([order])[0]) == "charged"
    assert shop.mark("ran") == "x"


@every
def test_an_at_most_once_body_that_waits_for_go_can_be_taken_back(bench: Bench, shop: Workshop) -> None:
    order = shop.order("once", delivery=Delivery.AT_MOST_ONCE)
    bench.submit(order)
    bench.until(lambda: bench.is_started(order))
    bench.executor.take_back([order.key])
    assert isinstance(bench.finish([order])[0], TakenBack)
    assert not shop.mark("ran")


@every
def test_what_is_taken_back_never_runs_and_what_is_not_runs_once(bench: Bench, shop: Workshop) -> None:
    orders = shop.orders("marks", 4)
    bench.submit(*orders)
    bench.executor.take_back([order.key for order in orders])
    endings = bench.finish(orders)
    ran = sum(isinstance(ending, Completed) for ending in endings)
    assert all(isinstance(ending, Completed | TakenBack) for ending in endings)
    assert shop.mark("ran") == "x" * ran


@every
def test_what_has_run_too_long_is_ended_as_timed_out(bench: Bench, shop: Workshop) -> None:
    report = bench.run(shop.order("sleeps", execution_timeout=0.2))
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.TIMEOUT
    assert "execution_timeout of 0:00:00.2" in report.failure.message
    assert report.failure.where is not None
    assert report.failure.where.startswith("shop.py:")


@every
def test_a_next_attempt_reads_the_last_progress_of_the_one_before(bench: Bench, shop: Workshop) -> None:
    first = shop.order("beats_and_fails")
    assert isinstance(bench.run(first), Failed)
    assert bench.complete(shop.order("found", progress=first.progress)) == {"row": 99}
    assert bench.complete(shop.order("found")) == "nothing"


@every
def test_what_is_kept_says_when_and_in_which_attempt_it_was_said(bench: Bench, shop: Workshop) -> None:
    order = shop.order("beats_and_fails")
    failed = bench.run(order)
    beat = shop.beat(order)
    assert beat is not None
    assert beat.attempt == order.key.attempt
    assert timedelta(0) <= failed.at - beat.at < timedelta(seconds=10)


@every
def test_a_body_that_falls_silent_is_ended_as_timed_out_with_its_last_progress(bench: Bench, shop: Workshop) -> None:
    order = shop.order("beats_and_falls_silent", heartbeat_timeout=0.3)
    report = bench.run(order)
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.TIMEOUT
    assert report.failure.message.startswith("it gave no heartbeat for 0:00:00.3")
    assert report.failure.message.endswith('its last progress was {"row":7}')
    assert bench.complete(shop.order("found", progress=order.progress)) == {"row": 8}


@every
def test_a_body_that_never_gave_a_heartbeat_is_ended_too(bench: Bench, shop: Workshop) -> None:
    report = bench.run(shop.order("sleeps", heartbeat_timeout=0.2))
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.TIMEOUT
    assert report.failure.message.endswith("it has given no progress")


@every
def test_a_body_that_gives_heartbeats_may_run_for_longer_than_their_time_out(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(shop.order("beats_for_long", heartbeat_timeout=1.0)) == "through"


@every
def test_a_progress_that_cannot_be_kept_is_a_failure_that_says_so(bench: Bench, shop: Workshop) -> None:
    strange, large = bench.run(shop.order("beats_badly")), bench.run(shop.order("beats_too_much"))
    assert isinstance(strange, Failed)
    assert isinstance(large, Failed)
    assert strange.kind is large.kind is FailureKind.ENCODING
    assert "progress['rows'][0] is an object" in strange.failure.message
    assert "the progress is 65537 bytes of JSON, more than the 65536 that are kept" in large.failure.message


@every
def test_heartbeats_come_from_any_thread_of_the_body_but_from_no_other_process(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(shop.order("beats_in_a_thread")) == "threaded"
    assert "only in the process that runs the body" in bench.complete(shop.order("beats_in_a_child"))


@every
def test_a_progress_that_a_power_cut_has_torn_counts_as_none(bench: Bench, shop: Workshop) -> None:
    order = shop.order("found")
    path = shop.stores / "heartbeats" / order.progress
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * 40)
    assert bench.complete(order) == "nothing"


@apart
def test_the_progress_of_a_worker_that_is_killed_is_there_for_the_next(bench: Bench, shop: Workshop) -> None:
    order = shop.order("beats_and_falls_silent")
    bench.submit(order)
    bench.until(lambda: bench.is_started(order) and shop.mark("begun"))
    (started,) = bench.about(order)
    assert isinstance(started, Started)
    os.kill(int(started.worker.rpartition(":")[2]), signal.SIGKILL)
    assert isinstance(bench.finish([order])[0], Lost)
    assert bench.complete(shop.order("found", progress=order.progress)) == {"row": 7}


@apart
def test_a_body_that_gives_heartbeats_is_cancelled_at_the_next(bench: Bench, shop: Workshop) -> None:
    order = shop.order("beats_until_it_is_ended")
    bench.submit(order)
    bench.until(lambda: bench.is_started(order) and shop.mark("begun"))
    bench.executor.cancel([order.key])
    report = bench.finish([order])[0]
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.CANCELLED
    assert report.failure.where is not None
    assert bench.complete(shop.order("found", progress=order.progress)) > 0


@every
def test_a_result_that_cannot_be_recorded_is_a_failure_that_names_the_part(bench: Bench, shop: Workshop) -> None:
    report = bench.run(shop.order("misencodes"))
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.ENCODING
    assert "result['rows'][1]" in report.failure.message


@every
def test_code_that_is_not_what_it_was_is_a_loading_failure(bench: Bench, shop: Workshop) -> None:
    shop.write("broken.py", "x = 1\nimport nowhere_to_be_found\n")
    broken = bench.run(shop.order("nothing", file="broken.py"))
    vanished = bench.run(shop.order("never_written"))
    assert isinstance(broken, Failed)
    assert isinstance(vanished, Failed)
    assert broken.kind is vanished.kind is FailureKind.LOADING
    assert broken.failure.where == "broken.py:2"
    assert "no task 'never_written'" in vanished.failure.message


@every
def test_results_survive_the_way_through_an_executor_unchanged(bench: Bench, shop: Workshop) -> None:
    value = {"text": "ü\n\"'\\", "number": 1.5, "nested": [[], {}, None, True]}
    order = shop.order("same", inputs={"given": msgspec.Raw(msgspec.json.format(given(value), indent=2))})
    assert bench.complete(order) == value


@apart
def test_what_runs_is_interrupted_when_it_is_cancelled_and_can_clean_up(bench: Bench, shop: Workshop) -> None:
    order = shop.order("interruptible")
    bench.submit(order)
    bench.until(lambda: bench.is_started(order) and shop.mark("begun"))
    bench.executor.cancel([order.key])
    report = bench.finish([order])[0]
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.CANCELLED
    assert shop.mark("on_kill") == "x"
    assert shop.mark("cleaned") == "x"


@apart
def test_an_async_body_cleans_up_asynchronously_when_it_is_cancelled(bench: Bench, shop: Workshop) -> None:
    order = shop.order("sleeps_async")
    bench.submit(order)
    bench.until(lambda: bench.is_started(order) and shop.mark("begun"))
    bench.executor.cancel([order.key])
    report = bench.finish([order])[0]
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.CANCELLED
    assert shop.mark("cleaned") == "x"


@apart
def test_a_body_that_does_not_heed_being_cancelled_is_killed(bench: Bench, shop: Workshop) -> None:
    order = shop.order("stubborn")
    bench.submit(order)
    bench.until(lambda: bench.is_started(order) and shop.mark("begun"))
    bench.executor.cancel([order.key])
    report = bench.finish([order])[0]
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.CANCELLED
    assert shop.mark("shrugged")


@apart
def test_a_body_that_swallows_being_cancelled_has_still_failed(bench: Bench, shop: Workshop) -> None:
    order = shop.order("swallows")
    bench.submit(order)
    bench.until(lambda: bench.is_started(order) and shop.mark("begun"))
    bench.executor.cancel([order.key])
    report = bench.finish([order])[0]
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.CANCELLED


@apart
def test_a_body_whose_process_is_killed_is_lost(bench: Bench, shop: Workshop) -> None:
    order = shop.order("waits")
    bench.submit(order)
    bench.until(lambda: bench.is_started(order) and shop.mark("waiting"))
    started = bench.about(order)[0]
    assert isinstance(started, Started)
    os.kill(int(started.worker.rpartition(":")[2]), signal.SIGKILL)
    report = bench.finish([order])[0]
    assert isinstance(report, Lost)
    assert report.started
    assert not report.free


@pytest.mark.parametrize("kind", APART)
def test_stopping_ends_the_bodies_and_what_they_have_started(kind: str, shop: Workshop) -> None:
    bench = Bench(make_executor(kind, shop))
    bench.executor.start()
    order = shop.order("has_child")
    bench.submit(order)
    bench.until(lambda: shop.mark("child"))
    child = int(shop.mark("child"))
    assert is_alive(child)
    bench.executor.stop()
    wait_until(lambda: not is_alive(child), "the end of the child")


# ── a scheduler that is killed ───────────────────────────────────────────────────────────────────────────


def killed_scheduler(kind: str, shop: Workshop, task_id: str, *, at: str) -> Order:
    """What a scheduler handed out that was killed when the body had left the mark ``at``."""
    command = [sys.executable, "-m", "tests.worker.scheduler_standin", kind, str(shop.folder), task_id]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as scheduler:
        wait_until(lambda: shop.mark(at), at)
        scheduler.kill()
    return shop.order(task_id, key=AttemptKey(1, task_id, -1, 1))


@pytest.mark.parametrize("kind", ["local"])
def test_workers_end_with_their_scheduler_and_what_they_did_is_lost(kind: str, shop: Workshop) -> None:
    order = killed_scheduler(kind, shop, "has_child", at="child")
    child = int(shop.mark("child"))
    wait_until(lambda: not is_alive(child), "the end of what the body had started")
    executor = make_executor(kind, shop)
    assert executor.adopt([order.key]) == {order.key: Adoption.LOST}


def test_work_that_outlives_its_scheduler_is_found_again_and_never_started_twice(shop: Workshop) -> None:
    order = killed_scheduler("outliving", shop, "waits", at="waiting")
    executor = make_executor("outliving", shop)
    executor.start()
    bench = Bench(executor)
    assert executor.adopt([order.key]) == {order.key: Adoption.RUNNING}
    (shop.marks / "gate").touch()
    assert value_of(bench.finish([order])[0]) == "through"
    assert shop.mark("waiting") == "x"
    executor.stop()


def test_work_that_ended_while_no_scheduler_lived_is_reported_by_the_next_one(shop: Workshop) -> None:
    order = killed_scheduler("outliving", shop, "waits", at="waiting")
    (shop.marks / "gate").touch()
    wait_until(lambda: list(shop.folder.glob("desks/*/report.json")), "the report")
    executor = make_executor("outliving", shop)
    executor.start()
    assert executor.adopt([order.key]) == {order.key: Adoption.RUNNING}
    assert value_of(Bench(executor).finish([order])[0]) == "through"
    executor.stop()


def test_work_that_was_killed_with_its_scheduler_is_lost(shop: Workshop) -> None:
    order = killed_scheduler("outliving", shop, "whoami_and_waits", at="waiting")
    os.killpg(int(shop.mark("pid")), signal.SIGKILL)
    executor = make_executor("outliving", shop)
    executor.start()
    wait_until(lambda: executor.adopt([order.key])[order.key] is Adoption.LOST, "its end")
    executor.stop()


def test_work_that_was_never_handed_out_has_certainly_not_started(shop: Workshop) -> None:
    executor = make_executor("outliving", shop)
    executor.start()
    order = shop.order("marks")
    assert executor.adopt([order.key]) == {order.key: Adoption.NOT_STARTED}
    executor.stop()
