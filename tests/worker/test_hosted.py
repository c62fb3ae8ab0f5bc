"""Executors of authors, in their hosts."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.orders import Completed, Lost, Started, TakenBack
from orchestrator.dagbag.live_plugins import LivePlugins
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import ConfigError, WorkerStartError
from orchestrator.executors.made import made
from orchestrator.names import AttemptKey, Delivery
from orchestrator.ports import Adoption
from tests.worker.workshop import Bench, Workshop, hosted, is_alive, value_of, wait_until


class Stand:
    """An executor of ``hosted_sample`` at work, with what it gave notice of."""

    def __init__(self, shop: Workshop, name: str) -> None:
        self.notices: list[str] = []
        path = name if "." in name else f"tests.worker.hosted_sample.{name}"
        self.executor = hosted(path, shop, shop.settings(), self.notices.append)
        self.bench = Bench(self.executor)

    def start(self) -> Bench:
        self.executor.start()
        return self.bench

    @property
    def host(self) -> int:
        process = self.executor._host
        assert process is not None
        return process.pid

    def kill(self) -> None:
        host = self.host
        os.kill(host, signal.SIGKILL)
        self.bench.until(lambda: any(f"process {host} " in notice for notice in self.notices), "the notice")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    shop = Workshop(tmp_path)
    (tmp_path / "desks").mkdir()
    yield shop
    (shop.marks / "gate").touch()


@pytest.fixture
def stand(shop: Workshop, request: pytest.FixtureRequest) -> Iterator[Stand]:
    stand = Stand(shop, request.param)
    yield stand
    stand.executor.stop()


def running(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stand", [name], indirect=True)


@running("Plain")
def test_a_result_with_line_breaks_arrives_as_the_executor_gave_it(stand: Stand, shop: Workshop) -> None:
    assert stand.start().complete(shop.order("echo")) == {"spread": "over lines"}


@running("Wrong")
def test_what_is_no_report_loses_its_attempt_and_nothing_else(stand: Stand, shop: Workshop) -> None:
    bench = stand.start()
    bad = {queue: shop.order("echo", queue=queue) for queue in ("no_json", "naive", "raises")}
    silent = [shop.order("echo", queue=queue) for queue in ("text", "stranger")]
    bench.submit(*bad.values(), *silent)
    assert all(isinstance(report, Lost) for report in bench.finish(list(bad.values())))
    assert isinstance(bench.run(shop.order("echo")), Completed)
    assert not any(bench.about(order) for order in silent)
    said = "\n".join(stand.notices)
    assert "'all is well', which is no report" in said
    assert "Completed that cannot be read" in said
    assert "whose at has no time zone" in said
    assert "submit() raised RuntimeError: the cluster is full" in said
    assert "'nobody'" in said


@running("Chatty")
def test_a_command_that_is_none_or_says_no_report_is_lost_with_the_reason(stand: Stand, shop: Workshop) -> None:
    orders = [shop.order("echo", queue=queue) for queue in ("greets", "absent", "ends")]
    bench = stand.start()
    bench.submit(*orders)
    greets, absent, ends = bench.finish(orders)
    assert isinstance(greets, Lost)
    assert isinstance(absent, Lost)
    assert isinstance(ends, Lost)
    assert "Welcome to the cluster" in greets.reason
    assert "/nowhere/to/be/found" in absent.reason
    assert "exit status 3" in ends.reason
    assert not any(lost.started for lost in (greets, absent, ends))


@running("Alone")
def test_what_there_is_no_room_for_waits_and_can_be_taken_back(stand: Stand, shop: Workshop) -> None:
    bench, first, second = stand.start(), shop.order("waits"), shop.order("echo")
    bench.submit(first, second)
    bench.until(lambda: bench.is_started(first) and shop.mark("waiting"))
    assert not bench.about(second)
    stand.executor.take_back([second.key])
    assert isinstance(bench.finish([second])[0], TakenBack)
    (shop.marks / "gate").touch()
    assert value_of(bench.finish([first])[0]) == "through"


@running("OneByOne")
def test_a_host_that_is_killed_takes_its_attempts_along_and_the_next_goes_on(stand: Stand, shop: Workshop) -> None:
    bench, done, open_ = stand.start(), shop.order("echo"), shop.order("has_child")
    assert bench.complete(done) == 7
    bench.submit(open_)
    bench.until(lambda: bench.is_started(open_) and shop.mark("child"))
    child = int(shop.mark("child"))
    stand.kill()
    lost = bench.finish([open_])[0]
    assert isinstance(lost, Lost)
    assert lost.started
    assert not lost.free
    wait_until(lambda: not is_alive(child), "the end of what the body had started")
    assert bench.complete(shop.order("echo")) == 7
    assert len([report for report in bench.about(done) if isinstance(report, Completed)]) == 1


@pytest.mark.slow
@running("Lasting")
def test_what_outlives_its_host_is_adopted_by_the_next_and_runs_once(stand: Stand, shop: Workshop) -> None:
    bench, order = stand.start(), shop.order("waits")
    bench.submit(order)
    bench.until(lambda: bench.is_started(order) and shop.mark("waiting"))
    stand.kill()
    (shop.marks / "gate").touch()
    assert value_of(bench.finish([order])[0]) == "through"
    assert shop.mark("waiting") == "x"


@running("Forgetful")
def test_what_an_executor_knows_nothing_of_after_a_restart_is_a_free_loss(stand: Stand, shop: Workshop) -> None:
    bench, key = stand.start(), AttemptKey(1, "echo", -1, 1)
    assert stand.executor.adopt([key]) == {key: Adoption.RUNNING}
    bench.until(lambda: bench.said, "the loss")
    [lost] = bench.said
    assert isinstance(lost, Lost)
    assert lost.free
    assert not lost.started


@pytest.mark.slow
@running("OneByOne")
def test_an_at_most_once_body_that_was_not_let_begin_has_certainly_not_begun(stand: Stand, shop: Workshop) -> None:
    bench, order = stand.start(), shop.order("once", delivery=Delivery.AT_MOST_ONCE)
    bench.submit(order)
    bench.until(lambda: bench.is_started(order))
    stand.kill()
    lost = bench.finish([order])[0]
    assert isinstance(lost, Lost)
    assert not lost.started
    assert not shop.mark("ran")


@running("Twice")
def test_a_host_that_cannot_start_is_tried_again_ever_later_while_orders_wait(stand: Stand, shop: Workshop) -> None:
    folder, order, late = shop.folder / "desks", shop.order("echo"), shop.order("echo")
    (folder / "open").touch()
    bench = stand.start()
    (folder / "open").unlink()
    bench.submit(order)
    bench.until(lambda: sum("cluster is closed" in notice for notice in stand.notices) == 2, "two tries")
    bench.submit(late)
    tries = len(stand.notices)
    due = stand.executor.next_due()
    assert "0.4 s" in stand.notices[-1]
    assert due is None or stand.executor._clock.now() < due
    stand.executor.take_back([late.key])
    assert isinstance(bench.finish([late])[0], TakenBack)
    (folder / "steady").touch()
    (folder / "open").touch()
    assert isinstance(bench.finish([order])[0], TakenBack)
    assert isinstance(bench.run(shop.order("echo")), Completed)
    assert len(stand.notices) <= tries + 2


@running("Stuck")
def test_an_executor_that_hangs_holds_up_no_call_of_the_scheduler(
    stand: Stand, shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, orders = stand.start(), shop.orders("size_of", 50, inputs={})
    before = time.monotonic()
    bench.submit(*orders)
    keys = [order.key for order in orders]
    stand.executor.go(keys)
    stand.executor.cancel(keys)
    stand.executor.adopt([AttemptKey(9, "echo", -1, 1)])
    assert stand.executor.reports() == []
    assert time.monotonic() - before < 5.0
    assert not any(isinstance(report, Started) for report in bench.said)
    monkeypatch.setattr("orchestrator.executors.host_process._STOP_SECONDS", 0.2)
    host = stand.host
    stand.executor.stop()
    assert not is_alive(host)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nowhere.at.All", "its module cannot be imported: No module named 'nowhere'"),
        ("tests.worker.hosted_sample.Plan", "has no 'Plan'; did you mean 'Plain'?"),
        ("tests.worker.hosted_sample.NOT_A_CLASS", "which is no executor: derive it from BaseExecutor"),
        ("collections.OrderedDict", "which is no executor: it has no start, submit"),
        ("tests.worker.hosted_sample.Incomplete", "which lacks cancel, go, reports"),
    ],
)
def test_a_class_that_is_no_executor_is_refused_with_a_sentence(path: str, sentence: str, shop: Workshop) -> None:
    stand = Stand(shop, path)
    opening = stand.executor._opening
    with pytest.raises(ConfigError) as error:
        made(opening.maker, opening.settings, LivePlugins(Roots(shop.folder, shop.folder)))
    assert f"[core] executor is {path!r}" in str(error.value)
    assert sentence in str(error.value)


def test_a_scheduler_does_not_start_where_there_is_no_such_class(shop: Workshop) -> None:
    with pytest.raises(ConfigError, match="has no 'Plan'"):
        Stand(shop, "Plan").start()


def test_an_executor_whose_start_raises_keeps_the_scheduler_from_starting(shop: Workshop) -> None:
    with pytest.raises(WorkerStartError, match="Unwilling does not start: ConnectionError: no route to the cluster"):
        Stand(shop, "Unwilling").start()
