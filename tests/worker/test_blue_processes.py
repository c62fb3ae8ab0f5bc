"""The processes that replay workflows: when there are any, how they end, and what that means to their runs."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from orchestrator.clock import SystemClock
from orchestrator.core.activations import Block, Call, ReplayLost, Return
from orchestrator.core.events import ActivityCompleted, Recorded
from orchestrator.core.particulars import NULL
from orchestrator.executors.replayer import LocalReplayer
from orchestrator.names import BlockKind, QuarantineMode
from orchestrator.storage.payloads import FsspecPayloadStore
from tests.worker.playhouse import Performance, Playhouse, Prompter
from tests.worker.workshop import is_alive, stop_process, wait_until

Open = Callable[..., Prompter]


@pytest.fixture
def house(tmp_path: Path) -> Playhouse:
    return Playhouse(tmp_path)


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
def open_prompter(house: Playhouse, notices: list[str]) -> Iterator[Open]:
    """``open_prompter(processes=…, idle_time=…, **blue settings)``: with a replayer of the test's own."""
    opened: list[LocalReplayer] = []

    def open_prompter(*, processes: int = 1, idle_time: float = 60.0, **settings: Any) -> Prompter:
        replayer = LocalReplayer(
            house.settings(**settings),
            SystemClock(),
            processes=processes,
            idle_time=timedelta(seconds=idle_time),
            notice=notices.append,
        )
        replayer.start()
        opened.append(replayer)
        return Prompter(replayer)

    yield open_prompter
    for replayer in opened:
        replayer.stop()


def forked() -> list[psutil.Process]:
    """The zygotes of replayers that this process has, and what they forked."""
    mine = psutil.Process().children(recursive=True)
    return [one for one in mine if is_alive(one.pid) and "worker.blue.zygote" in " ".join(one.cmdline())]


def blue_pids() -> list[int]:
    return [process.pid for process in forked() if process.ppid() != os.getpid()]


def result(last: object) -> object:
    assert isinstance(last, Return), last
    return msgspec.json.decode(last.result)


# ── when there are any ───────────────────────────────────────────────────────────────────────────────────


def test_there_is_no_process_until_a_workflow_is_activated(open_prompter: Open, house: Playhouse) -> None:
    prompter = open_prompter()
    assert prompter.replayer.next_due() is None
    assert forked() == []
    assert result(prompter.play(house.run("rounds"))) == 3
    assert len(blue_pids()) == 1


def test_processes_that_have_nothing_to_do_end_and_their_zygote_with_them(
    open_prompter: Open, house: Playhouse
) -> None:
    prompter = open_prompter(idle_time=0.3)
    run = house.run("rounds")
    prompter.advance(run)
    assert forked() != []
    prompter.until(lambda: forked() == [], "the end of the idle process")
    assert prompter.replayer.next_due() is None
    assert result(prompter.play(run)) == 3


def test_there_are_more_processes_where_one_is_busy_for_long(open_prompter: Open, house: Playhouse) -> None:
    prompter = open_prompter(processes=2, deadlock_timeout=30.0)
    slow, quick = house.run("takes_its_time", rounds=1, seconds=1.0), house.run("rounds")
    prompter.advance(house.run("waits"))
    prompter.activate(slow)
    prompter.turn(0.2)
    prompter.turn(0.2)
    assert result(prompter.play(quick)) == 3
    assert len(blue_pids()) == 2
    prompter.answer(slow)


def test_stopping_ends_every_process(open_prompter: Open, house: Playhouse) -> None:
    prompter = open_prompter()
    prompter.activate(house.run("sums_for_ever"))
    wait_until(blue_pids, "its process")
    prompter.replayer.stop()
    wait_until(lambda: forked() == [], "the end of all")


_HOLDER = """
import sys, time
from pathlib import Path
from tests.worker.playhouse import Playhouse, Prompter, make_replayer
house = Playhouse(Path(sys.argv[1]))
replayer = make_replayer("local", house)
replayer.start()
prompter = Prompter(replayer)
prompter.advance(house.run("waits"))
print("held", flush=True)
time.sleep(60)
"""


def test_no_process_outlives_its_scheduler(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == "held\n"
        pids = [process.pid for process in psutil.Process(holder.pid).children(recursive=True)]
        assert len(pids) == 2
        holder.kill()
        holder.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in pids), "the end of its processes")


# ── deaths ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_death_of_a_process_costs_a_replay_and_nothing_else(open_prompter: Open, house: Playhouse) -> None:
    prompter = open_prompter()
    runs = [house.run("rounds", n=5) for _ in range(3)]
    for run in runs:
        prompter.advance(run)
        prompter.advance(run)
    (pid,) = blue_pids()
    os.kill(pid, signal.SIGKILL)
    prompter.until(lambda: not is_alive(pid), "its end")
    assert [result(prompter.play(run)) for run in runs] == [10, 10, 10]
    assert {word.run_key for word in prompter.wanted} == {run.run_key for run in runs}


def test_an_activation_that_was_under_way_is_told_of_as_lost(open_prompter: Open, house: Playhouse) -> None:
    prompter = open_prompter()
    run = house.run("rounds")
    prompter.advance(run)
    (pid,) = blue_pids()
    stop_process(pid)
    prompter.activate(run)
    os.kill(pid, signal.SIGKILL)
    (call,) = prompter.answer(run).commands
    assert isinstance(call, Call)
    (loss,) = prompter.losses
    assert loss.run_key == run.run_key
    assert "SIGKILL" in loss.reason


def test_a_run_whose_code_ends_its_process_again_and_again_is_blocked(open_prompter: Open, house: Playhouse) -> None:
    prompter = open_prompter()
    bystander = house.run("rounds")
    prompter.advance(bystander)
    block = prompter.block(house.run("kills_itself"))
    assert block.kind is BlockKind.STUCK
    assert block.message.startswith("3 processes have died while they ran the code of this workflow")
    assert len(prompter.losses) == 2
    assert result(prompter.play(bystander)) == 3


def test_a_file_that_ends_the_processes_that_load_it_blocks_its_run(open_prompter: Open, house: Playhouse) -> None:
    house.write("deadly.py", "import os\n\nos._exit(3)\n")
    block = open_prompter().block(house.run("any", file="deadly.py"))
    assert block.kind is BlockKind.LOADING
    assert "exit status 3" in block.message


def test_the_death_of_the_zygote_ends_no_run(open_prompter: Open, house: Playhouse) -> None:
    prompter = open_prompter(processes=2)
    run = house.run("rounds", n=4)
    prompter.advance(run)
    (zygote,) = (process for process in forked() if process.ppid() == os.getpid())
    zygote.kill()
    assert result(prompter.play(run)) == 6
    for pid in blue_pids():
        os.kill(pid, signal.SIGKILL)
    assert result(prompter.play(house.run("rounds"))) == 3


def test_code_that_walks_through_a_set_takes_the_same_way_in_a_process_of_another_zygote(
    open_prompter: Open, house: Playhouse
) -> None:
    run = house.run("walks_through_a_set")
    for _ in range(2):
        prompter = open_prompter()
        for _ in range(5):
            (call,) = prompter.advance(run)
            assert isinstance(call, Call), call


# ── code that is stuck ───────────────────────────────────────────────────────────────────────────────────


def test_code_in_a_call_that_cannot_be_interrupted_is_ended_with_its_process(
    open_prompter: Open, house: Playhouse
) -> None:
    prompter = open_prompter(deadlock_timeout=0.5)
    bystander = house.run("rounds")
    prompter.advance(bystander)
    block = prompter.block(house.run("sums_for_ever"))
    assert block.kind is BlockKind.STUCK
    assert block.where == f"play.py:{house.line('sum(range(10**13))')}"
    assert any("in sums_for_ever" in frame for frame in block.frames)
    assert prompter.losses == []
    assert result(prompter.play(bystander)) == 3


def test_code_that_shrugs_being_interrupted_off_is_ended_with_its_process(
    open_prompter: Open, house: Playhouse
) -> None:
    block = open_prompter(deadlock_timeout=0.5).block(house.run("shrugs_it_off"))
    assert block.kind is BlockKind.STUCK
    assert block.where is not None
    assert block.where.startswith("play.py:")


def test_a_file_that_never_comes_to_its_end_blocks_its_run(open_prompter: Open, house: Playhouse) -> None:
    house.write("endless.py", "while True:\n    pass\n")
    block = open_prompter(import_timeout=0.5).block(house.run("any", file="endless.py"))
    assert block.kind is BlockKind.LOADING
    assert block.where in {"endless.py:1", "endless.py:2"}


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_runs_that_had_no_news_for_longest_make_room_and_are_replayed(
    open_prompter: Open, house: Playhouse
) -> None:
    prompter = open_prompter(kept_runs=2)
    runs = [house.run("rounds", n=2) for _ in range(3)]
    for run in runs:
        prompter.advance(run)
    assert result(prompter.play(runs[2])) == 1
    assert prompter.wanted == []
    assert result(prompter.play(runs[0])) == 1
    assert [word.run_key for word in prompter.wanted] == [runs[0].run_key]


def test_a_process_that_has_grown_too_large_is_replaced(open_prompter: Open, house: Playhouse) -> None:
    prompter = open_prompter(memory_limit=120 * 1024**2)
    run = house.run("grows", megabytes=200)
    prompter.advance(house.run("waits"))
    (pid,) = blue_pids()
    prompter.advance(run)
    prompter.until(lambda: not is_alive(pid), "the end of the large process")
    assert result(prompter.play(run)) == "grown"
    assert prompter.losses == []


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_code_says_is_in_the_log_of_its_run_once_however_often_it_is_replayed(
    open_prompter: Open, house: Playhouse
) -> None:
    prompter = open_prompter()
    run = house.run("rounds", n=4)
    for _ in range(3):
        prompter.advance(run)
        prompter.forget(run)
    prompter.play(run)
    said = [line.split(" ", 2)[-1].strip() for line in house.log(run).splitlines()]
    assert said == [f"round {number}" for number in range(4)]


def test_an_effect_that_is_only_warned_of_happens_and_is_told_of_once(
    open_prompter: Open, house: Playhouse, notices: list[str]
) -> None:
    prompter = open_prompter(quarantine=QuarantineMode.WARN)
    assert result(prompter.play(house.run("swallows"))) == "as if nothing had happened"
    (notice,) = notices
    assert "play.py:" in notice
    assert "127.0.0.1" in notice


def test_queries_are_answered_from_where_the_code_stands(open_prompter: Open, house: Playhouse) -> None:
    prompter = open_prompter()
    run = house.run("asks")
    for _ in range(3):
        prompter.advance(run)
    assert ask(prompter, run, "seen_so_far") == [0, 1]
    assert ask(prompter, run, "seen_so_far", first=1) == [1]
    assert "no idea" in ask(prompter, run, "broken")
    assert "seen_so_far" in ask(prompter, run, "seen_so_fair")
    assert "without waiting" in ask(prompter, run, "endless")
    assert result(prompter.play(run)) == [0, 1, 2]


def ask(prompter: Prompter, run: Performance, name: str, **arguments: object) -> Any:
    """The answer, or the words of the refusal."""
    replayer = prompter.replayer
    assert isinstance(replayer, LocalReplayer)
    replayer.ask(run.run_key, name, msgspec.Raw(msgspec.json.encode(arguments)))
    replies: list[Any] = []

    def replied() -> bool:
        replies.extend(replayer.replies())
        return bool(replies)

    prompter.until(replied, "the answer")
    (reply,) = replies
    return msgspec.json.decode(reply.result) if reply.failure is None else reply.failure.message


def test_where_no_process_can_be_started_what_waits_is_told_of_as_lost(
    open_prompter: Open, house: Playhouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompter = open_prompter()
    run = house.run("rounds")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(house.folder / "no-python"))
        prompter.replayer.activate([run.activation()])
        (word,) = prompter.replayer.words()
        assert isinstance(word, ReplayLost)
        assert "cannot be started" in word.reason
        assert prompter.replayer.next_due() is None
    run.told = 0
    assert result(prompter.play(run)) == 3


# ── large values ─────────────────────────────────────────────────────────────────────────────────────────


def test_code_whose_large_value_cannot_be_kept_just_now_is_asked_again_and_costs_no_process(
    open_prompter: Open, house: Playhouse
) -> None:
    in_the_way = house.folder / "payloads"
    in_the_way.write_text("a file where a folder should be")
    prompter, run, other = open_prompter(), house.run("large"), house.run("rounds")
    prompter.activate(run)
    prompter.until(lambda: len(prompter.losses) > 3, "the loss")
    assert "the payload store" in prompter.losses[-1].reason
    pids = blue_pids()
    prompter.advance(other)
    in_the_way.unlink()
    (call,) = prompter.answer(run).commands
    assert isinstance(call, Call)
    assert call.payload is not None
    assert blue_pids() == pids


@pytest.mark.parametrize("is_held", [True, False])
def test_a_large_value_that_is_gone_blocks_the_code_whatever_it_makes_of_that_and_is_no_loss_once_it_is_back(
    open_prompter: Open, house: Playhouse, is_held: bool
) -> None:
    prompter, run = open_prompter(), house.run("makes_do")
    store = FsspecPayloadStore(str(house.folder / "payloads"))
    prompter.advance(run)
    prompter.advance(run)
    last = run.history.pop()
    assert isinstance(last.event, ActivityCompleted)
    ref = store.put(b'"12345"')
    (path,) = (house.folder / "payloads").glob("??/*")
    path.unlink()
    run.history.append(Recorded(last.seq, last.at, msgspec.structs.replace(last.event, result=NULL, payload=ref)))
    if not is_held:
        prompter.forget(run)
    (block,) = prompter.advance(run)
    assert isinstance(block, Block)
    assert (block.kind, block.message.count("\n")) == (BlockKind.PAYLOAD, 0)
    assert f"the payload {ref.sha256} is not in" in block.message
    store.put(b'"12345"')
    assert result(prompter.play(run)) == 5
