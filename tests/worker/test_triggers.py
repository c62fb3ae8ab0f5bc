"""The processes in which triggers run: what they hold, what they say, and how they die."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from orchestrator.core.waits import Dropped, Wait
from tests.worker.belfry import Belfry, Ringer, make_triggerer

MANY = 10_000


@pytest.fixture
def belfry(tmp_path: Path) -> Belfry:
    return Belfry(tmp_path)


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def tower(belfry: Belfry, notices: list[str]) -> Iterator[Callable[..., Ringer]]:
    """Makes a ringer whose triggerer ends with the test."""
    made: list[Ringer] = []

    def make(**options: object) -> Ringer:
        made.append(Ringer(make_triggerer("local", belfry, notices, **options)))
        made[-1].triggerer.start()
        return made[-1]

    yield make
    for ringer in made:
        ringer.triggerer.stop()


@pytest.fixture
def ringer(tower: Callable[..., Ringer]) -> Ringer:
    return tower()


def processes() -> list[psutil.Process]:
    """Those that run triggers: the children of a zygote of theirs."""
    return [
        child
        for zygote in psutil.Process().children()
        if "orchestrator.worker.triggers.zygote" in " ".join(zygote.cmdline())
        for child in zygote.children()
    ]


def test_no_process_runs_before_there_is_something_to_wait_for(ringer: Ringer, belfry: Belfry) -> None:
    ringer.listen()
    assert not any("triggers.zygote" in " ".join(one.cmdline()) for one in psutil.Process().children())
    ringer.event(belfry.wait("rings", tone=1))
    assert len(processes()) == 1


def test_what_has_nothing_to_do_ends_and_begins_again(tower: Callable[..., Ringer], belfry: Belfry) -> None:
    ringer = tower(idle_time=timedelta(seconds=0.2))
    first = ringer.event(belfry.wait("pid"))
    ringer.until(lambda: not psutil.pid_exists(first), "the process ends")
    assert ringer.event(belfry.wait("pid")) != first


def test_more_triggers_than_a_process_may_hold_have_another(tower: Callable[..., Ringer], belfry: Belfry) -> None:
    ringer = tower(capacity=2)
    ringer.triggerer.submit([belfry.wait("for_ever") for _ in range(5)])
    ringer.until(lambda: len(processes()) == 3, "three processes run")


def test_a_version_has_a_process_and_installed_triggers_share_one(
    ringer: Ringer, belfry: Belfry, tmp_path: Path
) -> None:
    for name in ("bells.py", "bell_words.py"):
        belfry.write(name, (belfry.code / name).read_text(), code=tmp_path / "other")
    pids = {ringer.event(belfry.wait("pid")) for _ in range(2)}
    assert len(pids) == 1
    assert ringer.event(belfry.wait("pid", code=tmp_path / "other")) not in pids
    flag = tmp_path / "flag"
    looks = [
        belfry.wait(
            classpath="orchestrator.triggers.file.FileTrigger",
            local=False,
            code=code,
            filepath=str(flag),
            poke_interval=0.02,
        )
        for code in (belfry.code, tmp_path / "other")
    ]
    ringer.triggerer.submit(looks)
    flag.touch()
    for look in looks:
        ringer.heard(look)
    assert len(processes()) == 3


def test_what_dies_is_told_and_what_is_said_again_runs_in_another_process(
    ringer: Ringer, belfry: Belfry, notices: list[str]
) -> None:
    waits = [belfry.wait("for_ever") for _ in range(20)]
    ringer.triggerer.submit(waits)
    pid = ringer.event(belfry.wait("pid"))
    os.kill(pid, signal.SIGKILL)
    ringer.until(lambda: len(ringer.told) == 21, "all are told of")
    assert all(ringer.told[wait.ticket] == [Dropped(ticket=wait.ticket)] for wait in waits)
    assert "was killed by SIGKILL" in notices[0]
    assert "it ran 20 triggers, which are begun again from the history" in notices[0]
    ringer.triggerer.submit(waits)
    assert ringer.event(belfry.wait("pid")) != pid


def test_a_zygote_that_dies_costs_no_trigger_and_is_replaced(ringer: Ringer, belfry: Belfry, tmp_path: Path) -> None:
    wait = belfry.wait("file", path=str(tmp_path / "rope"))
    ringer.triggerer.submit([wait])
    pid = ringer.event(belfry.wait("pid"))
    zygote = psutil.Process(pid).parent()
    assert zygote is not None
    zygote.kill()
    ringer.until(lambda: not zygote.is_running() or zygote.status() == psutil.STATUS_ZOMBIE, "it is gone")
    (tmp_path / "rope").touch()
    ringer.until(lambda: wait.ticket in ringer.told, "it is told of")
    if isinstance(ringer.told.pop(wait.ticket)[0], Dropped):
        ringer.outcome(wait)


def test_a_trigger_that_kills_its_process_is_begun_again_with_the_others(
    ringer: Ringer, belfry: Belfry, tmp_path: Path
) -> None:
    deadly = belfry.wait("kills", once=str(tmp_path / "once"))
    ringer.triggerer.submit([deadly, belfry.wait("for_ever")])
    ringer.until(lambda: deadly.ticket in ringer.told, "it has died")
    del ringer.told[deadly.ticket]
    assert ringer.event(deadly) == "survived"


def test_the_processes_end_with_their_triggerer(tower: Callable[..., Ringer], belfry: Belfry) -> None:
    ringer = tower()
    pid = ringer.event(belfry.wait("pid"))
    ringer.triggerer.submit([belfry.wait("for_ever")])
    ringer.triggerer.stop()
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=20)
    assert not psutil.pid_exists(pid)


def test_a_trigger_that_blocks_is_named_with_its_line_and_for_how_long(
    ringer: Ringer, belfry: Belfry, capfd: pytest.CaptureFixture[str]
) -> None:
    wait = belfry.wait("blocks", seconds=1.2)
    ringer.triggerer.submit([belfry.wait("for_ever") for _ in range(3)])
    ringer.outcome(wait)
    ringer.until(lambda: "has blocked" in belfry.log(wait), "it is named")
    line = (
        (belfry.code / "bells.py")
        .read_text()
        .splitlines()
        .index('        time.sleep(self.kwargs["seconds"])  # the clapper sticks')
    )
    told = belfry.log(wait)
    assert f"the trigger bells.Bell of task 'ring' in run {wait.run_id!r} of DAG 'church' has blocked" in told
    assert f"at bells.py:{line + 1}; have it await there" in told
    assert "for 1." in told
    assert told.split("WARNING ")[1].strip() in capfd.readouterr().err


def test_triggers_that_only_wake_up_often_block_nobody(
    ringer: Ringer, belfry: Belfry, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    waits = [belfry.wait("file", path=str(tmp_path / "rope")) for _ in range(200)]
    ringer.triggerer.submit(waits)
    ringer.event(belfry.wait("rings", tone=1))
    (tmp_path / "rope").touch()
    for wait in waits:
        ringer.heard(wait)
    assert "blocked" not in capfd.readouterr().err


def test_what_each_trigger_says_is_in_its_own_log_without_secrets(ringer: Ringer, belfry: Belfry) -> None:
    waits = [belfry.wait("prints", tone=f"tone_{number}") for number in range(20)]
    ringer.triggerer.submit(waits)
    for number, wait in enumerate(waits):
        ringer.heard(wait)
        lines = [line.split("Z ", 1)[1] for line in belfry.log(wait).splitlines()]
        assert lines == [
            f"stdout   ding tone_{number} ***",
            f"WARNING  bell: dong tone_{number}",
            f"stdout   from a thread tone_{number}",
        ]


def test_why_a_trigger_failed_is_in_its_log(ringer: Ringer, belfry: Belfry) -> None:
    wait = belfry.wait("fails")
    ringer.outcome(wait)
    told = belfry.log(wait)
    assert "the trigger has failed: OSError: the rope *** is torn" in told
    assert "bells.py" in told
    assert "s3cret" not in told


def test_ten_thousand_wait_in_one_process(ringer: Ringer, belfry: Belfry, tmp_path: Path) -> None:
    """Within 200 MB, and an event is told while all the others wait."""
    waits = [_file_wait(belfry, tmp_path) for _ in range(MANY - 1)]
    ringer.event(belfry.wait("rings", tone=0))
    ringer.triggerer.submit(waits)
    installed = belfry.wait(classpath="orchestrator.triggers.testing.SuccessTrigger", local=False)
    ringer.outcome(installed)
    holding = max(processes(), key=lambda process: process.memory_info().rss)
    assert len(processes()) == 2
    assert holding.memory_info().rss < 200e6
    ringer.triggerer.cancel([wait.ticket for wait in waits])
    ringer.outcome(belfry.wait(classpath="orchestrator.triggers.testing.SuccessTrigger", local=False))
    assert not any(wait.ticket in ringer.told for wait in waits)


def _file_wait(belfry: Belfry, folder: Path) -> Wait:
    classpath = "orchestrator.triggers.file.FileTrigger"
    return belfry.wait(classpath=classpath, local=False, filepath=str(folder / "never"), poke_interval=5.0)
