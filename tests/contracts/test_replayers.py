"""What every replayer keeps to."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.core.activations import Call, Continue, Raise, Return
from orchestrator.core.events import RunContinued
from orchestrator.names import BlockKind
from orchestrator.ports import Replayer
from tests.worker.playhouse import Performance, Playhouse, Prompter, make_replayer

pytestmark = pytest.mark.parametrize("prompter", ["inline", "local"], indirect=True)


@pytest.fixture
def house(tmp_path: Path) -> Playhouse:
    return Playhouse(tmp_path)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replayer]:
    """One that the tests share, since starting its processes takes as long as most of them."""
    replayer = make_replayer("local", Playhouse(tmp_path_factory.mktemp("local")), kept_runs=50)
    replayer.start()
    yield replayer
    replayer.stop()


@pytest.fixture
def prompter(request: pytest.FixtureRequest, house: Playhouse) -> Iterator[Prompter]:
    if request.param == "local":
        yield Prompter(request.getfixturevalue("local"))
        return
    replayer = make_replayer(request.param, house)
    replayer.start()
    yield Prompter(replayer)
    replayer.stop()


def result(last: object) -> object:
    assert isinstance(last, Return), last
    return msgspec.json.decode(last.result)


def test_code_is_told_its_facts_and_asks_for_one_thing_after_the_other(prompter: Prompter, house: Playhouse) -> None:
    run = house.run("rounds", n=3)
    (first,) = prompter.advance(run)
    assert isinstance(first, Call)
    assert (first.task_id, bytes(first.input)) == ("echo", b'{"args":[0],"kwargs":{}}')
    (second,) = prompter.advance(run)
    assert isinstance(second, Call)
    assert bytes(second.input) == b'{"args":[1],"kwargs":{}}'
    assert result(prompter.play(run)) == 3
    assert prompter.wanted == []


def test_an_answer_says_how_far_the_code_was_told(prompter: Prompter, house: Playhouse) -> None:
    run = house.run("rounds")
    prompter.activate(run)
    assert prompter.answer(run).seq == 2


def test_a_run_that_was_forgotten_is_replayed_and_goes_on(prompter: Prompter, house: Playhouse) -> None:
    run = house.run("rounds", n=4)
    prompter.advance(run)
    prompter.advance(run)
    prompter.forget(run)
    (third,) = prompter.advance(run)
    assert isinstance(third, Call)
    assert bytes(third.input) == b'{"args":[2],"kwargs":{}}'
    # It was given its facts two at a time, and asked for the next ones each time.
    assert [word.after for word in prompter.wanted] == [0, 2]
    assert result(prompter.play(run)) == 6


def test_of_news_that_were_left_out_a_run_asks_for_those_alone(prompter: Prompter, house: Playhouse) -> None:
    run = house.run("rounds", n=4)
    prompter.advance(run)
    run.told += 1
    (second,) = prompter.advance(run)
    assert isinstance(second, Call)
    assert bytes(second.input) == b'{"args":[1],"kwargs":{}}'
    assert [word.after for word in prompter.wanted] == [2]
    assert result(prompter.play(run)) == 6


def test_a_run_that_began_anew_in_what_was_left_out_begins_there(prompter: Prompter, house: Playhouse) -> None:
    run = house.run("begins_anew")
    prompter.advance(run)
    (anew,) = prompter.advance(run)
    assert isinstance(anew, Continue)
    run.record(RunContinued(input=anew.input))
    run.told += 1
    (first,) = prompter.advance(run)
    assert isinstance(first, Call)
    assert bytes(first.input) == b'{"args":[1],"kwargs":{}}'
    assert result(prompter.play(run)) == 1


def test_runs_do_not_get_in_each_others_way(prompter: Prompter, house: Playhouse) -> None:
    runs = [house.run("rounds", n=number) for number in range(1, 6)]
    prompter.activate(*runs)
    for run in runs:
        run.take(prompter.answer(run).commands)
    assert [result(prompter.play(run)) for run in reversed(runs)] == [10, 6, 3, 1, 0]


def test_what_was_forgotten_is_not_answered(prompter: Prompter, house: Playhouse) -> None:
    run, other = house.run("rounds"), house.run("rounds", n=1)
    prompter.activate(run)
    prompter.forget(run)
    assert result(prompter.play(other)) == 0
    run.told = 0
    assert result(prompter.play(run)) == 3


def test_an_error_of_the_code_ends_its_run_with_its_place(prompter: Prompter, house: Playhouse) -> None:
    last = prompter.play(house.run("fails"))
    assert isinstance(last, Raise)
    assert last.failure.message == "ValueError: the shelf is empty"
    assert last.failure.where == f"play.py:{house.line('the shelf is empty')}"


def test_versions_with_modules_of_the_same_names_live_side_by_side(
    prompter: Prompter, house: Playhouse, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    house.write("play.py", (house.code / "play.py").read_text(), code=other)
    house.write("play_words.py", "GREETING = 'good evening'\n", code=other)
    house.write("play_late.py", "NAME = 'later'\n", code=other)
    morning, evening = house.run("greets"), house.run("greets", code=other)
    evening.version_id = 2
    for run in (morning, evening):
        prompter.advance(run)
    assert result(prompter.play(morning)) == ["good morning", "late"]
    assert result(prompter.play(evening)) == ["good evening", "later"]


def test_a_run_that_was_moved_goes_on_with_the_new_code(prompter: Prompter, house: Playhouse, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed"
    source = (house.code / "play.py").read_text().replace("return total", "return -total")
    house.write("play.py", source, code=fixed)
    house.write("play_words.py", "GREETING = ''\n", code=fixed)
    run = house.run("rounds", n=3)
    prompter.advance(run)
    run.code, run.version_id = str(fixed), 2
    assert result(prompter.play(run)) == -3


def test_code_that_cannot_be_loaded_blocks_its_run_with_the_authors_line(prompter: Prompter, house: Playhouse) -> None:
    house.write("broken.py", "from orchestrator import workflow\n\nimport no_such_module\n")
    block = prompter.block(house.run("any", file="broken.py"))
    assert block.kind is BlockKind.LOADING
    assert block.where == "broken.py:3"
    assert "no_such_module" in block.message


def test_a_version_without_the_workflow_blocks_the_run(prompter: Prompter, house: Playhouse) -> None:
    block = prompter.block(house.run("gone"))
    assert block.kind is BlockKind.LOADING
    assert "no workflow 'gone'" in block.message
    house.write("static.py", "from orchestrator import DAG\n\nDAG('still', start_date=None)\n")
    assert prompter.block(house.run("still", file="static.py")).kind is BlockKind.LOADING
    assert prompter.block(house.run("any", file="missing.py")).kind is BlockKind.LOADING


def test_code_that_never_waits_is_interrupted_where_it_stands(prompter: Prompter, house: Playhouse) -> None:
    block = prompter.block(house.run("loops_for_ever"))
    assert block.kind is BlockKind.STUCK
    assert block.where in {f"play.py:{house.line('def loops_for_ever') + line}" for line in (2, 3)}
    assert any("in loops_for_ever" in frame for frame in block.frames)
    assert result(prompter.play(house.run("rounds"))) == 3


def test_a_replay_takes_longer_than_code_may_be_stuck(prompter: Prompter, house: Playhouse) -> None:
    run = house.run("takes_its_time", rounds=4, seconds=0.25)
    for _ in range(4):
        prompter.advance(run)
    prompter.forget(run)
    assert result(prompter.play(run)) == "done"


def test_a_side_effect_blocks_the_run_and_names_the_authors_line(prompter: Prompter, house: Playhouse) -> None:
    for dag_id in ("connects", "swallows"):
        block = prompter.block(house.run(dag_id))
        assert block.kind is BlockKind.QUARANTINE
        assert block.where is not None
        assert block.where.startswith("play.py:")
        assert "127.0.0.1" in block.message


def test_a_side_effect_that_is_declared_as_one_is_let_through(prompter: Prompter, house: Playhouse) -> None:
    run = house.run("reads_a_setting")
    last = prompter.play(run)
    assert isinstance(last, Return)


def test_large_values_go_to_the_payload_store(prompter: Prompter, house: Playhouse) -> None:
    (call,) = prompter.advance(house.run("large"))
    assert isinstance(call, Call)
    assert call.payload is not None
    assert call.payload.size > 100_000


def test_only_what_waits_is_due(prompter: Prompter, house: Playhouse) -> None:
    run: Performance = house.run("waits")
    prompter.advance(run)
    assert prompter.replayer.words() == []
