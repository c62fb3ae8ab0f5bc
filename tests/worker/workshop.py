"""A DAG file with a body for every occasion, orders for it, and a bench that drives an executor to a condition."""

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import psutil

from orchestrator.clock import SystemClock
from orchestrator.core.orders import Completed, Deferred, Failed, Lost, Order, Report, Skipped, Started, TakenBack
from orchestrator.executors.base import ExecutorSettings
from orchestrator.executors.host_wire import Maker
from orchestrator.executors.hosted import HostedExecutor
from orchestrator.executors.inline import InlineExecutor
from orchestrator.executors.local import LocalExecutor
from orchestrator.executors.outliving import OutlivingExecutor
from orchestrator.names import AttemptKey, RunType
from orchestrator.ports import Executor
from orchestrator.worker.heartbeats import Heartbeats, LastBeat
from orchestrator.worker.settings import WorkerSettings

R = TypeVar("R")

MORNING = datetime(2026, 1, 31, 6, 30, tzinfo=UTC)
PATIENCE = 30.0
ENDINGS = (Completed, Deferred, Failed, Skipped, Lost, TakenBack)

SOURCE = """
import asyncio
import ctypes
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import shop_words
from orchestrator import (
    DAG,
    AirflowFailException,
    AirflowSkipException,
    BaseOperator,
    get_current_context,
    heartbeat,
    last_progress,
    task,
)


def mark(name, text="x"):
    with open(os.path.join(get_current_context()["params"]["marks"], name), "a") as file:
        file.write(text)


def wait_for(name):
    path = os.path.join(get_current_context()["params"]["marks"], name)
    while not os.path.exists(path):
        time.sleep(0.005)


class Interruptible(BaseOperator):
    def execute(self, context):
        mark("begun")
        try:
            time.sleep(60)
        finally:
            mark("cleaned")

    def on_kill(self):
        mark("on_kill")


with DAG("shop", start_date=None):

    @task
    def nothing():
        return None

    @task
    def echo(value=7):
        return value

    @task
    def double(value):
        return value * 2

    @task
    def size_of(value):
        return len(value)

    @task
    def same(value):
        return value

    @task
    def whoami_and_waits():
        mark("pid", str(os.getpid()))
        mark("waiting")
        wait_for("gate")

    @task
    def greet():
        return shop_words.GREETING

    @task
    def late_import():
        import shop_late

        return shop_late.NAME

    @task
    def marks():
        mark("ran")

    @task(delivery="at_most_once")
    def once():
        mark("ran")
        return "charged"

    @task
    def whoami():
        return {"pid": os.getpid(), "pgid": os.getpgid(0), "parent": os.getppid()}

    @task
    def waits(name="gate"):
        mark("waiting")
        wait_for(name)
        return "through"

    @task
    def sleeps(seconds=60.0):
        mark("begun")
        time.sleep(seconds)

    @task
    async def sleeps_async(seconds=60.0):
        mark("begun")
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.sleep(0)
            mark("cleaned")

    @task
    async def answers_async():
        await asyncio.sleep(0)
        return get_current_context()["ti"].task_id

    @task
    def stubborn():
        mark("begun")
        while True:
            try:
                time.sleep(60)
            except BaseException:
                mark("shrugged")

    @task
    def swallows():
        mark("begun")
        try:
            time.sleep(60)
        except BaseException:
            pass
        return "as if nothing had happened"

    @task
    def has_child():
        child = subprocess.Popen(["sleep", "60"])
        mark("child", str(child.pid))
        time.sleep(60)

    @task
    def raises():
        try:
            {}["missing"]
        except KeyError as error:
            raise ValueError("the shelf is empty") from error

    @task
    def raises_strangely():
        class Odd(Exception):
            def __str__(self):
                raise RuntimeError

        raise Odd

    @task
    def raises_at_length():
        raise ValueError("\\ud800" + "x" * 1_000_000)

    @task
    def skips():
        raise AirflowSkipException("nothing to do on Sundays")

    @task
    def gives_up():
        raise AirflowFailException("the card is stolen")

    @task
    def exits():
        sys.exit(3)

    @task
    def interrupts():
        raise KeyboardInterrupt

    @task
    def dies(how=0):
        mark("died")
        print("last words", flush=True)
        os._exit(how)

    @task
    def killed():
        mark("died")
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def crashes():
        ctypes.string_at(0)

    @task
    def misencodes():
        return {"rows": [1, object()]}

    @task(do_xcom_push=False)
    def keeps_to_itself():
        return {"secret": object()}

    @task
    def returns(size=0):
        return ["x" * 1024] * size

    @task
    def returns_much_while_the_disk_is_full():
        mark("ran")
        marks = get_current_context()["params"]["marks"]
        before = resource.getrlimit(resource.RLIMIT_FSIZE)

        def make_room():
            while not os.path.exists(os.path.join(marks, "room")):
                time.sleep(0.005)
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

        threading.Thread(target=make_room).start()
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        return "x" * 200_000

    @task
    def says():
        print("one")
        print("two", file=sys.stderr)
        logging.getLogger("shop").warning("three")
        sys.stdout.write("half a line")

    @task
    def says_past_python():
        print("before")
        os.system("echo from a shell")
        ctypes.CDLL(None).puts(b"from C")
        print("after")

    @task
    def says_a_lot(megabytes=1):
        line = "x" * 1023
        for _ in range(megabytes * 1024):
            print(line)

    @task
    def says_a_lot_past_python(megabytes=1):
        subprocess.run(["sh", "-c", f"yes | head -c {megabytes * 1024 * 1024}"], check=True)

    @task
    def says_and_raises():
        print("x" * 2000)
        raise ValueError("after much talk")

    @task
    def says_and_waits():
        print("from python")
        os.system("echo from a shell")
        wait_for("gate")

    @task
    def surroundings():
        return [os.environ.get("SHOP"), os.environ.get("HOME"), os.getcwd()]

    @task
    def changes_surroundings():
        os.environ["SHOP"] = "open"
        del os.environ["HOME"]
        os.chdir("/")

    @task
    def takes_the_streams():
        sys.stdout = open(os.devnull, "w")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.stderr.close()

    @task
    def eats(megabytes=1):
        return len(bytearray(os.urandom(1024) * 1024 * megabytes))

    @task(task_id="spawns")
    def spawns():
        import multiprocessing

        with multiprocessing.get_context("fork").Pool(1) as pool:
            return pool.map(abs, [-1, -2])

    @task
    def keys():
        context = get_current_context()
        return [context["idempotency_key"], context["ti"].try_number, context["ds"]]

    @task
    def found():
        return last_progress(default="nothing")

    @task
    def beats_and_fails():
        for number in range(100):
            heartbeat({"row": number})
        heartbeat()
        raise ValueError("the shelf is empty")

    @task
    def beats_and_succeeds():
        heartbeat(100)

    @task
    def beats_and_falls_silent():
        heartbeat({"row": 7})
        mark("begun")
        try:
            time.sleep(60)
        finally:
            heartbeat({"row": 8})

    @task
    def beats_for_long():
        end = time.monotonic() + 1.6
        while time.monotonic() < end:
            heartbeat()
            time.sleep(0.01)
        return "through"

    @task
    def beats_until_it_is_ended():
        heartbeat(0)
        mark("begun")
        number = 0
        while True:
            heartbeat(number := number + 1)

    @task
    def beats_badly():
        heartbeat({"rows": [object()]})

    @task
    def beats_too_much():
        heartbeat("x" * 65_535)

    @task
    def beats_in_a_thread():
        import contextvars

        thread = threading.Thread(target=contextvars.copy_context().run, args=[heartbeat, "threaded"])
        thread.start()
        thread.join()
        return last_progress()

    @task
    def beats_in_a_child():
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                heartbeat(1)
            except Exception as error:
                os.write(writer, str(error).encode())
            os._exit(0)
        os.waitpid(pid, 0)
        return os.read(reader, 4096).decode()

    value = echo.override(task_id="given")()
    found(), beats_and_fails(), beats_and_succeeds(), beats_and_falls_silent(), beats_for_long()
    beats_until_it_is_ended(), beats_badly(), beats_too_much(), beats_in_a_thread(), beats_in_a_child()
    double(value), size_of(value), same(value), whoami_and_waits()
    nothing(), echo(), greet(), late_import(), marks(), once(), whoami()
    waits(), sleeps(), sleeps_async(), answers_async(), stubborn(), swallows(), has_child(), raises()
    raises_strangely(), raises_at_length(), skips(), gives_up(), exits(), interrupts(), dies(), killed(), crashes()
    misencodes(), keeps_to_itself(), returns(), says(), says_past_python(), takes_the_streams(), keys(), spawns()
    returns_much_while_the_disk_is_full()
    says_and_raises(), says_and_waits(), surroundings(), changes_surroundings()
    for size in (40, 50 * 1024):
        returns.override(task_id=f"returns_{size}")(size)
    for number in (1, 1024):
        says_a_lot.override(task_id=f"says_{number}_mb")(number)
        says_a_lot_past_python.override(task_id=f"says_{number}_mb_past_python")(number)
    eats.override(task_id="eats_a_lot")(200)
    for seconds in (0.03, 5.0):
        sleeps.override(task_id=f"sleeps_{seconds}")(seconds)
    Interruptible(task_id="interruptible")
"""


class Workshop:
    """A version's snapshot in ``folder``, orders for its tasks, and logs and payloads, in ``stores`` if given."""

    _numbers = count(1)

    def __init__(self, folder: Path, *, stores: Path | None = None) -> None:
        self.folder = folder
        self.stores = stores or folder
        self.code = folder / "code"
        self.logs = self.stores / "logs"
        self.marks = folder / "marks"
        for each in (self.code, self.marks):
            each.mkdir(parents=True, exist_ok=True)
        self.write("shop.py", SOURCE)
        self.write("shop_words.py", "GREETING = 'good morning'\n")
        self.write("shop_late.py", "NAME = 'late'\n")

    def write(self, file: str, source: str, *, code: Path | None = None) -> None:
        path = (code or self.code) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")

    def settings(self, **given: Any) -> WorkerSettings:
        standard = {
            "log_folder": str(self.logs),
            "heartbeat_folder": str(self.stores / "heartbeats"),
            "payloads": str(self.stores / "payloads"),
        }
        return WorkerSettings(**{**standard, **given})

    def order(self, task_id: str, **given: Any) -> Order:
        """A new attempt of that task."""
        number = next(self._numbers)
        standard = {
            "key": AttemptKey(1, task_id, -1, number),
            "dag_id": "shop",
            "run_id": "manual__2026-01-31T06:30:00+00:00",
            "run_uid": "uid",
            "run_type": RunType.MANUAL,
            "version_id": 1,
            "code": str(self.code),
            "file": "shop.py",
            "idempotency_key": f"uid/{task_id}/-1/1",
            "logical_date": MORNING,
            "data_interval_start": MORNING,
            "data_interval_end": MORNING,
            "run_started_at": MORNING,
            "params": {"marks": str(self.marks)},
            "log": f"1/{number}.log",
            "progress": f"1/{number}",
        }
        return Order(**{**standard, **given})

    def orders(self, task_id: str, number: int, **given: Any) -> list[Order]:
        return [self.order(task_id, **given) for _ in range(number)]

    def beat(self, order: Order) -> LastBeat | None:
        """What the order's activity said last."""
        return Heartbeats(self.stores / "heartbeats").last(order.progress)

    def mark(self, name: str) -> str:
        """What bodies have left under that name; empty if nothing."""
        path = self.marks / name
        return path.read_text() if path.exists() else ""

    def log(self, order: Order) -> str:
        """The attempt's log; empty if there is none."""
        path = self.logs / order.log
        return path.read_text(errors="replace") if path.exists() else ""


HOSTED = {"lasting": "tests.worker.hosted_sample.Lasting", "command": "tests.worker.hosted_sample.OneByOne"}
"""Those that run in a host."""


def hosted(
    path: str, shop: Workshop, told: WorkerSettings, notice: Callable[[str], None] = lambda _: None
) -> HostedExecutor:
    """The executor at that dotted path, in a host."""
    maker = Maker(named=path, dags=str(shop.folder / "dags"), plugins=str(shop.folder / "plugins"))
    settings = ExecutorSettings(workers=told, folder=str(shop.folder / "desks"), cleanup_time=timedelta(seconds=1))
    return HostedExecutor(maker, settings, SystemClock(), notice=notice)


def make_executor(kind: str, shop: Workshop, **settings: Any) -> Executor:
    """An executor of that kind for the workshop, not started."""
    clock, soon, told = SystemClock(), timedelta(seconds=1), shop.settings(**settings)
    if kind == "inline":
        return InlineExecutor(told, clock)
    if kind == "local":
        return LocalExecutor(told, clock, workers=1, parallelism=4, cleanup_time=soon)
    if kind in HOSTED:
        return hosted(HOSTED[kind], shop, told)
    return OutlivingExecutor(shop.folder / "desks", told, clock, cleanup_time=soon)


class Bench:
    """An executor, driven from the test's own thread, and all that it has said."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.said: list[Report] = []

    def submit(self, *orders: Order) -> None:
        self.executor.submit(orders)

    def turn(self, seconds: float = 0.05) -> None:
        """Wait until there may be something new, ``seconds`` at most, and take it in."""
        due = self.executor.next_due()
        if due is not None:
            seconds = min(seconds, max(0.0, (due - datetime.now(UTC)).total_seconds()))
        select.select(self.executor.files(), [], [], seconds)
        self.said += self.executor.reports()

    def until(self, condition: Callable[[], object], what: str = "it") -> None:
        """Go on until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come; {self.said}"
            self.turn()

    def about(self, order: Order) -> list[Report]:
        return [report for report in self.said if report.key == order.key]

    def ending(self, order: Order) -> Report | None:
        return next((report for report in self.about(order) if isinstance(report, ENDINGS)), None)

    def is_started(self, order: Order) -> bool:
        return any(isinstance(report, Started) for report in self.about(order))

    def finish(self, orders: Sequence[Order]) -> list[Report]:
        """How each of these ended."""
        self.until(lambda: all(self.ending(order) for order in orders), "the end of every order")
        return [ending for order in orders if (ending := self.ending(order)) is not None]

    def run(self, order: Order) -> Report:
        """Submit it and see it through, saying go where it waits for that."""
        self.submit(order)
        self.until(lambda: self.is_started(order) or self.ending(order), "the start")
        if self.ending(order) is None:
            self.executor.go([order.key])
        return self.finish([order])[0]

    def complete(self, order: Order) -> Any:
        """What the order's body returned."""
        return value_of(self.run(order))


def value_of(report: Report) -> Any:
    assert isinstance(report, Completed), report
    return msgspec.json.decode(report.result)


def given(value: object) -> msgspec.Raw:
    """A recorded result."""
    return msgspec.Raw(msgspec.json.encode(value))


def is_alive(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    return psutil.pid_exists(pid) and _status(pid) not in (psutil.STATUS_ZOMBIE, "")


def stop_process(pid: int) -> None:
    """SIGSTOP, and wait until it has its effect."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: _status(pid) == psutil.STATUS_STOPPED, "its stop")


def _status(pid: int) -> str:
    try:
        return str(psutil.Process(pid).status())
    except psutil.NoSuchProcess:
        return ""


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.005)
