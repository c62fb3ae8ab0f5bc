"""What the local executor promises beyond the contract: nothing waits behind a long body, a death costs one attempt."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.core.orders import Completed, Failed, Lost, Order, Started, TakenBack
from orchestrator.exceptions import ConfigError, WorkerStartError
from orchestrator.names import Delivery, FailureKind, Isolation
from tests.worker.workshop import Bench, Workshop, is_alive, stop_process, value_of, wait_until

OpenBench = Callable[..., Bench]


def worker_of(bench: Bench, order: Order) -> int:
    """The pid of the worker that began it."""
    started = next(report for report in bench.about(order) if isinstance(report, Started))
    return int(started.worker.rpartition(":")[2])


def begin(bench: Bench, order: Order) -> int:
    """Submit it and wait until its body has left its first mark; the worker's pid."""
    bench.submit(order)
    bench.until(lambda: bench.is_started(order), "the start")
    return worker_of(bench, order)


# ── the window ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_long_body_never_holds_up_the_orders_behind_it(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=2)
    long, short = shop.order("sleeps_5.0"), shop.orders("nothing", 20)
    bench.submit(long, *short)
    assert all(isinstance(ending, Completed) for ending in bench.finish(short))
    assert bench.ending(long) is None


def test_a_completion_is_reported_while_the_next_body_runs(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=1)
    first, second = shop.order("echo"), shop.order("waits")
    bench.submit(first, second)
    bench.until(lambda: shop.mark("waiting"))
    assert value_of(bench.finish([first])[0]) == 7
    (shop.marks / "gate").touch()
    assert value_of(bench.finish([second])[0]) == "through"


def test_orders_are_begun_in_the_order_of_their_submission(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=1, window=3)
    gate, rest = shop.order("waits"), shop.orders("nothing", 12)
    bench.submit(gate, *rest)
    bench.until(lambda: shop.mark("waiting"))
    (shop.marks / "gate").touch()
    bench.finish([gate, *rest])
    begun = [report.key for report in bench.said if isinstance(report, Started)]
    assert begun == [order.key for order in (gate, *rest)]


def test_long_bodies_make_the_crew_grow_to_parallelism_and_no_further(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=3)
    orders = shop.orders("waits", 5)
    bench.submit(*orders)
    bench.until(lambda: len(shop.mark("waiting")) == 3, "three bodies at once")
    for _ in range(10):
        bench.turn()
    assert len(shop.mark("waiting")) == 3
    (shop.marks / "gate").touch()
    bench.finish(orders)
    assert len({worker_of(bench, order) for order in orders}) == 3


def test_workers_beyond_the_standing_crew_end_when_they_are_idle(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=3, idle_time=0.2)
    orders = shop.orders("waits", 3)
    bench.submit(*orders)
    bench.until(lambda: len(shop.mark("waiting")) == 3)
    (shop.marks / "gate").touch()
    bench.finish(orders)
    pids = {worker_of(bench, order) for order in orders}
    bench.until(lambda: sum(map(is_alive, pids)) == 1, "the end of two workers")
    assert bench.complete(shop.order("echo")) == 7


def test_short_bodies_do_not_make_the_crew_grow(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=2, parallelism=8)
    bench.complete(shop.order("echo"))
    orders = shop.orders("nothing", 400)
    bench.submit(*orders)
    bench.finish(orders)
    assert len({worker_of(bench, order) for order in orders}) <= 2


def test_an_idle_executor_does_not_ask_to_be_called(bench: Bench, shop: Workshop) -> None:
    bench.complete(shop.order("echo"))
    bench.turn()
    assert bench.executor.next_due() is None


def test_the_same_order_twice_runs_once(bench: Bench, shop: Workshop) -> None:
    order = shop.order("marks")
    bench.submit(order, order)
    bench.finish([order])
    assert bench.complete(shop.order("echo")) == 7
    assert shop.mark("ran") == "x"


def test_what_waits_behind_a_body_is_given_back_when_it_is_cancelled(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=1)
    running, waiting = shop.order("waits"), shop.orders("marks", 3)
    bench.submit(running, *waiting)
    bench.until(lambda: shop.mark("waiting"))
    bench.executor.cancel([order.key for order in waiting])
    assert all(isinstance(ending, TakenBack) for ending in bench.finish(waiting))
    (shop.marks / "gate").touch()
    assert value_of(bench.finish([running])[0]) == "through"
    assert not shop.mark("ran")


# ── deaths ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_workers_death_costs_the_attempt_that_ran_and_no_other(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=1)
    doomed, others = shop.order("killed"), shop.orders("echo", 12)
    bench.submit(doomed, *others)
    endings = bench.finish([doomed, *others])
    assert isinstance(endings[0], Lost)
    assert endings[0].started
    assert "was killed by SIGKILL" in endings[0].reason
    assert [value_of(ending) for ending in endings[1:]] == [7] * 12


def test_how_a_worker_died_is_told_apart(bench: Bench, shop: Workshop) -> None:
    exited, crashed = bench.run(shop.order("dies")), bench.run(shop.order("crashes"))
    assert isinstance(exited, Lost)
    assert isinstance(crashed, Lost)
    assert exited.reason.endswith("ended with exit status 0 in the middle of it")
    assert crashed.reason.endswith("was ended by SIGSEGV")


def test_a_death_is_seen_at_once(bench: Bench, shop: Workshop) -> None:
    order = shop.order("waits")
    pid = begin(bench, order)
    os.kill(pid, signal.SIGKILL)
    before = time.monotonic()
    bench.finish([order])
    assert time.monotonic() - before < 5.0


def test_an_at_most_once_body_that_had_no_go_is_lost_without_having_started(bench: Bench, shop: Workshop) -> None:
    order = shop.order("once", delivery=Delivery.AT_MOST_ONCE)
    os.kill(begin(bench, order), signal.SIGKILL)
    report = bench.finish([order])[0]
    assert isinstance(report, Lost)
    assert not report.started
    assert not shop.mark("ran")


def test_code_that_kills_every_worker_that_loads_it_is_a_loading_failure(bench: Bench, shop: Workshop) -> None:
    shop.write("deadly.py", "import os\nos._exit(9)\n")
    deadly, other = shop.order("nothing", file="deadly.py"), shop.order("echo")
    bench.submit(deadly, other)
    report, answer = bench.finish([deadly, other])
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.LOADING
    assert "3 workers died while they loaded deadly.py" in report.failure.message
    assert value_of(answer) == 7


def test_a_zygote_that_is_killed_is_replaced_and_its_workers_go_on(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=1, max_activities=3)
    first = bench.complete(shop.order("whoami"))
    os.kill(first["parent"], signal.SIGKILL)
    wait_until(lambda: not is_alive(first["parent"]), "the zygote's end")
    later = [bench.complete(shop.order("whoami")) for _ in range(4)]
    assert later[0]["pid"] == first["pid"]
    assert later[-1]["parent"] != first["parent"]


def test_workers_that_never_come_up_are_an_error_and_no_endless_loop(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(payloads="nowhere://x")
    bench.submit(shop.order("nothing"))
    with pytest.raises(WorkerStartError, match="ended before they were up"):
        bench.until(lambda: False)


def test_stopping_leaves_no_process_behind(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=2)
    who = [bench.complete(shop.order("whoami")) for _ in range(4)]
    bench.executor.stop()
    pids = {one["pid"] for one in who} | {one["parent"] for one in who}
    wait_until(lambda: not any(map(is_alive, pids)), "the end of every process")


# ── a worker's life ──────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_is_replaced_after_so_many_activities(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=1, max_activities=3)
    orders = shop.orders("whoami", 9)
    bench.submit(*orders)
    pids = [value_of(ending)["pid"] for ending in bench.finish(orders)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 3]


def test_a_worker_is_replaced_when_it_has_grown_too_large(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=1, memory_limit=150 * 1024**2)
    small = [bench.complete(shop.order("whoami"))["pid"] for _ in range(2)]
    assert bench.complete(shop.order("eats_a_lot")) == 200 * 1024**2
    assert small[0] == small[1] != bench.complete(shop.order("whoami"))["pid"]


def test_a_forked_attempt_has_a_process_of_its_own_that_ends_with_it(bench: Bench, shop: Workshop) -> None:
    warm = bench.complete(shop.order("whoami"))["pid"]
    alone = [bench.complete(shop.order("whoami", isolation=Isolation.FORK)) for _ in range(2)]
    assert len({warm, *(one["pid"] for one in alone)}) == 3
    assert all(one["pgid"] == one["pid"] for one in alone)
    wait_until(lambda: not any(is_alive(one["pid"]) for one in alone), "their end")
    assert bench.complete(shop.order("whoami"))["pid"] == warm


def test_signals_from_outside_do_not_end_a_worker(bench: Bench, shop: Workshop) -> None:
    order = shop.order("waits")
    pid = begin(bench, order)
    bench.until(lambda: shop.mark("waiting"))
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(pid, number)
    (shop.marks / "gate").touch()
    assert value_of(bench.finish([order])[0]) == "through"
    os.kill(pid, signal.SIGTERM)
    assert bench.complete(shop.order("whoami"))["pid"] == pid


def test_a_stopped_worker_holds_nothing_up_and_can_be_cancelled(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=2, cleanup_time=0.2)
    frozen, others = shop.order("waits"), shop.orders("echo", 3)
    stop_process(begin(bench, frozen))
    bench.submit(*others)
    assert [value_of(ending) for ending in bench.finish(others)] == [7, 7, 7]
    bench.executor.cancel([frozen.key])
    report = bench.finish([frozen])[0]
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.CANCELLED


def test_what_a_cancelled_body_has_started_ends_with_it(bench: Bench, shop: Workshop) -> None:
    order = shop.order("has_child")
    begin(bench, order)
    bench.until(lambda: shop.mark("child"))
    bench.executor.cancel([order.key])
    bench.finish([order])
    wait_until(lambda: not is_alive(int(shop.mark("child"))), "the child's end")


def test_a_cancel_that_comes_after_the_end_does_not_hit_the_next_body(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(workers=1, parallelism=1)
    for _ in range(50):
        first, second = shop.order("nothing"), shop.order("echo")
        bench.submit(first, second)
        bench.executor.cancel([first.key])
        assert value_of(bench.finish([first, second])[1]) == 7


def test_a_body_may_fork_processes_of_its_own(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(shop.order("spawns")) == [1, 2]


# ── code ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_worker_runs_many_versions_each_with_its_own_modules(bench: Bench, shop: Workshop, tmp_path: Path) -> None:
    second = tmp_path / "second"
    shop.write("shop.py", (shop.code / "shop.py").read_text(), code=second)
    shop.write("shop_words.py", "GREETING = 'good evening'\n", code=second)
    shop.write("shop_late.py", "NAME = 'later'\n", code=second)
    orders = [shop.order(task, code=str(code)) for task in ("greet", "late_import") for code in (shop.code, second) * 2]
    bench.submit(*orders)
    words = [value_of(ending) for ending in bench.finish(orders)]
    assert words == ["good morning", "good evening"] * 2 + ["late", "later"] * 2


def test_bodies_are_told_their_idempotency_key_and_their_date(bench: Bench, shop: Workshop) -> None:
    assert bench.complete(shop.order("keys", try_number=4)) == ["uid/keys/-1/1", 4, "2026-01-31"]


def test_an_exit_from_a_body_is_a_failure_and_leaves_the_worker_alive(bench: Bench, shop: Workshop) -> None:
    pid = bench.complete(shop.order("whoami"))["pid"]
    exited, interrupted = bench.run(shop.order("exits")), bench.run(shop.order("interrupts"))
    assert isinstance(exited, Failed)
    assert isinstance(interrupted, Failed)
    assert "the body called sys.exit()" in exited.failure.message
    assert "KeyboardInterrupt" in interrupted.failure.message
    assert bench.complete(shop.order("whoami"))["pid"] == pid


def test_an_exception_that_cannot_be_printed_or_is_endless_is_still_a_failure(bench: Bench, shop: Workshop) -> None:
    strange, long = bench.run(shop.order("raises_strangely")), bench.run(shop.order("raises_at_length"))
    assert isinstance(strange, Failed)
    assert isinstance(long, Failed)
    assert "str() raised RuntimeError" in strange.failure.message
    assert long.failure.message.startswith("ValueError: \\ud800xxx")
    assert len(long.failure.message) < 10_000


def test_a_body_leaves_neither_its_variables_nor_its_folder_to_the_next(bench: Bench, shop: Workshop) -> None:
    before = bench.complete(shop.order("surroundings"))
    bench.complete(shop.order("changes_surroundings"))
    after = bench.complete(shop.order("surroundings"))
    assert before == after
    assert after[0] is None


def test_a_log_folder_that_cannot_be_made_is_named_with_its_setting(open_bench: OpenBench, shop: Workshop) -> None:
    (shop.folder / "in_the_way").write_text("a file where a folder should be")
    with pytest.raises(ConfigError, match="base_log_folder"):
        open_bench(log_folder=str(shop.folder / "in_the_way" / "logs"))


def test_an_idle_worker_that_is_stopped_gets_nothing_that_another_could_begin(
    open_bench: OpenBench, shop: Workshop
) -> None:
    bench = open_bench(workers=1, parallelism=2)
    pid = bench.complete(shop.order("whoami"))["pid"]
    stop_process(pid)
    assert bench.complete(shop.order("whoami"))["pid"] != pid
    os.kill(pid, signal.SIGCONT)
    assert bench.complete(shop.order("echo")) == 7
