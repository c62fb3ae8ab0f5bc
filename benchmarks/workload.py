"""What the workloads share: homes with DAG files, started and warmed up."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import psutil

from benchmarks.floors import Floors
from benchmarks.sources import fan_out
from benchmarks.watch import Watch
from orchestrator.testing.home import LiveHome

# Limits far above what two workers can take, so that the workloads measure the engine and not a setting.
WIDE = {"core.parallelism": 1024, "core.max_active_tasks_per_dag": 1024, "core.default_pool_task_slot_count": -1}
# A user's Python writes and reads compiled modules; so do the processes that are measured, wherever this runs.
ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONUNBUFFERED": ""}
WARM_UP = fan_out("warm_up", 64)
_BLUE = "orchestrator.worker.blue.zygote"
_TRIGGERS = "orchestrator.worker.triggers.zygote"


class Bench(msgspec.Struct, frozen=True, kw_only=True):
    """Where a workload works, what it is held against, and whether small sizes will do."""

    folder: Path
    floors: Floors
    quick: bool = False

    def home(self, name: str, dags: Mapping[str, str], settings: Mapping[str, object] = {}) -> LiveHome:
        """A fresh home with these DAG files, and no process yet."""
        home = LiveHome(self.folder / name, settings={**WIDE, **settings}, environment=ENVIRONMENT)
        for file, source in dags.items():
            home.write_dag(file, source)
        return home


def start(home: LiveHome, *dag_ids: str, timeout: float = 60) -> Watch:
    """Start everything, wait until the DAGs are listed, and run WARM_UP once, so that workers are warm."""
    home.write_dag("warm_up.py", WARM_UP)
    home.start()
    watch = Watch(home)
    home.wait_for("the DAGs are listed", lambda: watch.dag_ids() >= {"warm_up", *dag_ids}, timeout=timeout)
    watch.trigger("warm_up", "warm")
    watch.ended("warm_up", "warm")
    return watch


def seconds(action: Callable[[], object]) -> float:
    before = time.perf_counter()
    action()
    return time.perf_counter() - before


def pss_mb(processes: list[psutil.Process]) -> float:
    """The proportional set size of all of them together, in MB."""
    return sum(process.memory_full_info().pss for process in processes) / 1e6


def blue_processes(home: LiveHome) -> list[psutil.Process]:
    """Those that replay workflows now, without the zygote that they are forked from."""
    return _forked_from(home, _BLUE)


def trigger_processes(home: LiveHome) -> list[psutil.Process]:
    """Those that run triggers now, without the zygote that they are forked from."""
    return _forked_from(home, _TRIGGERS)


def _forked_from(home: LiveHome, zygote: str) -> list[psutil.Process]:
    named = [process for process in home.processes() if any(zygote in word for word in _command_line(process))]
    pids = {process.pid for process in named}
    return [process for process in named if process.ppid() in pids]


def cpu_percent(home: LiveHome, *, rest: float, window: float) -> float:
    """Of one core, all processes together, over ``window`` seconds; they may come to ``rest`` first.

    What a process used that ended meanwhile is not counted.
    """
    time.sleep(rest)
    before = _cpu_seconds(home)
    time.sleep(window)
    return sum(used - before.get(pid, 0.0) for pid, used in _cpu_seconds(home).items()) / window * 100


def _cpu_seconds(home: LiveHome) -> dict[int, float]:
    times = {process.pid: process.cpu_times() for process in home.processes()}
    return {pid: each.user + each.system for pid, each in times.items()}


def _command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
