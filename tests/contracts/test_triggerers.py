"""What every triggerer keeps to."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestrator.core.orders import Completed, Failed, Skipped
from orchestrator.core.waits import Wait
from orchestrator.names import FailureKind
from tests.worker.belfry import Belfry, Ringer, make_triggerer

pytestmark = pytest.mark.parametrize("ringer", ["inline", "local"], indirect=True)


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Belfry:
    return Belfry(tmp_path_factory.mktemp("belfry"))


@pytest.fixture(scope="module")
def local(tower: Belfry) -> Iterator[Ringer]:
    """One that the tests share, since starting its processes takes as long as most of them."""
    triggerer = make_triggerer("local", tower)
    triggerer.start()
    yield Ringer(triggerer)
    triggerer.stop()


@pytest.fixture
def ringer(request: pytest.FixtureRequest, tower: Belfry) -> Iterator[Ringer]:
    if request.param == "local":
        yield request.getfixturevalue("local")
        return
    triggerer = make_triggerer(request.param, tower)
    triggerer.start()
    yield Ringer(triggerer)
    triggerer.stop()


def test_the_first_event_is_what_came_and_the_trigger_cleans_up(ringer: Ringer, tower: Belfry, tmp_path: Path) -> None:
    cleaned = tmp_path / "cleaned"
    assert ringer.event(tower.wait("rings", tone={"a": [1]}, cleaned=str(cleaned))) == {"a": [1]}
    assert cleaned.exists()


def test_arguments_and_events_keep_their_types(ringer: Ringer, tower: Belfry) -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert ringer.event(tower.wait("at", moment=moment)) == moment


def test_a_trigger_waits_until_what_it_waits_for_is_there(ringer: Ringer, tower: Belfry, tmp_path: Path) -> None:
    wait, other = tower.wait("file", path=str(tmp_path / "rope")), tower.wait("rings", tone=1)
    ringer.triggerer.submit([wait])
    assert ringer.event(other) == 1
    assert wait.ticket not in ringer.told
    (tmp_path / "rope").touch()
    ringer.heard(wait)


def test_modules_of_the_version_are_found_also_when_they_are_imported_late(ringer: Ringer, tower: Belfry) -> None:
    assert ringer.event(tower.wait("late_import")) == ["good morning", "late"]


def test_versions_with_modules_of_the_same_names_live_side_by_side(
    ringer: Ringer, tower: Belfry, tmp_path: Path
) -> None:
    for name in ("bells.py", "bell_words.py", "bell_late.py"):
        source = (tower.code / name).read_text().replace("morning", "evening").replace("'late'", "'later'")
        tower.write(name, source, code=tmp_path)
    one, other = tower.wait("late_import"), tower.wait("late_import", code=tmp_path)
    assert ringer.event(other) == ["good evening", "later"]
    assert ringer.event(one) == ["good morning", "late"]


def test_a_class_in_the_dag_file_itself_is_found(ringer: Ringer, tower: Belfry) -> None:
    source = "from bells import Bell\nfrom orchestrator import DAG\n\nDAG('church')\n\nclass Own(Bell): pass\n"
    tower.write("church.py", source)
    assert ringer.event(tower.wait("rings", classpath="dag_file_church.Own", tone=2)) == 2


def test_an_installed_trigger_needs_no_code(ringer: Ringer, tower: Belfry, tmp_path: Path) -> None:
    for classpath in (
        "orchestrator.triggers.temporal.DateTimeTrigger",
        "airflow.providers.standard.triggers.temporal.DateTimeTrigger",
    ):
        past = datetime(2026, 1, 1, tzinfo=UTC)
        wait = tower.wait(classpath=classpath, local=False, code=tmp_path / "nowhere", moment=past)
        assert ringer.event(wait) == past


def test_the_trigger_knows_for_whom_it_waits(ringer: Ringer, tower: Belfry) -> None:
    wait = tower.wait("who")
    assert ringer.event(wait) == ["church", wait.run_id, "ring", -1, 1]


def test_what_was_ended_is_never_told_of_and_cleans_up(ringer: Ringer, tower: Belfry, tmp_path: Path) -> None:
    began, cleaned = tmp_path / "began", tmp_path / "cleaned"
    wait = tower.wait("for_ever", began=str(began), cleaned=str(cleaned))
    ringer.triggerer.submit([wait])
    ringer.until(began.exists, "it began")
    ringer.triggerer.cancel([wait.ticket])
    ringer.event(tower.wait("rings", tone=0))
    ringer.until(cleaned.exists, "it has cleaned up")
    assert wait.ticket not in ringer.told


def test_what_was_ended_before_it_began_never_runs(ringer: Ringer, tower: Belfry) -> None:
    wait = tower.wait("rings", tone=0)
    ringer.triggerer.submit([wait])
    ringer.triggerer.cancel([wait.ticket, wait.ticket])
    ringer.event(tower.wait("rings", tone=1))
    assert wait.ticket not in ringer.told


def test_what_is_submitted_twice_is_told_once(ringer: Ringer, tower: Belfry, tmp_path: Path) -> None:
    wait = tower.wait("file", path=str(tmp_path / "rope"))
    ringer.triggerer.submit([wait])
    ringer.triggerer.submit([wait, wait])
    (tmp_path / "rope").touch()
    ringer.heard(wait)
    ringer.event(tower.wait("rings", tone=0))
    assert len(ringer.told[wait.ticket]) == 1


def test_what_was_told_may_be_submitted_again(ringer: Ringer, tower: Belfry) -> None:
    wait = tower.wait("rings", tone=3)
    ringer.outcome(wait)
    ringer.triggerer.submit([wait])
    ringer.until(lambda: len(ringer.told[wait.ticket]) == 2, "it is told again")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("fails", "OSError: the rope *** is torn"),
        ("exits", "sys.exit()"),
        ("says_nothing", "run() of Bell ended without an event"),
        ("babbles", "run() of Bell must yield a TriggerEvent, not 'ding'"),
        ("no_json", "the event"),
        ("huge", "bytes of JSON, more than"),
    ],
)
def test_a_trigger_that_fails_says_why(ringer: Ringer, tower: Belfry, what: str, message: str) -> None:
    assert message in ringer.failure(tower.wait(what))


@pytest.mark.parametrize(
    ("classpath", "message"),
    [
        ("bells.NoGenerator", "run() of NoGenerator does not yield"),
        ("bells.Unmakeable", "ValueError: cast it first"),
        ("bells.NotATrigger", "bells.NotATrigger is no class that is derived from BaseTrigger"),
        ("bells.Nobody", "bells.Nobody is no class that is derived from BaseTrigger"),
        ("no_such_module.Bell", "the trigger no_such_module.Bell cannot be imported"),
        ("Bell", "must be module.Class"),
    ],
)
def test_a_class_that_is_not_there_or_cannot_be_made_fails(
    ringer: Ringer, tower: Belfry, classpath: str, message: str
) -> None:
    assert message in ringer.failure(tower.wait(classpath=classpath))


def test_a_failure_names_the_authors_line(ringer: Ringer, tower: Belfry) -> None:
    came = ringer.came(tower.wait("fails"))
    assert came.failure is not None
    lines = (tower.code / "bells.py").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "is torn" in text)
    assert came.failure.where == f"bells.py:{line}"


def test_one_that_fails_leaves_the_others_alone(ringer: Ringer, tower: Belfry, tmp_path: Path) -> None:
    waits = [tower.wait("file", path=str(tmp_path / "rope")) for _ in range(50)]
    ringer.triggerer.submit([*waits, tower.wait("exits"), tower.wait("fails")])
    ringer.event(tower.wait("rings", tone=0))
    (tmp_path / "rope").touch()
    for wait in waits:
        ringer.heard(wait)


def test_a_clean_up_that_fails_does_not_cost_the_event(ringer: Ringer, tower: Belfry) -> None:
    assert ringer.event(tower.wait("messy")) == "done all the same"


def test_events_that_end_the_task_are_told_as_its_end(ringer: Ringer, tower: Belfry) -> None:
    def end(wait: Wait) -> Completed | Failed | Skipped | None:
        return ringer.outcome(wait).end

    success = end(tower.wait("success"))
    assert isinstance(success, Completed)
    assert (bytes(success.result), success.length) == (b"[1,2]", 2)
    assert {name: bytes(one.value) for name, one in success.xcoms.items()} == {"tone": b'"c"'}
    failed = end(tower.wait("failed"))
    assert isinstance(failed, Failed)
    assert failed.kind is FailureKind.NON_RETRYABLE
    assert isinstance(end(tower.wait("skipped")), Skipped)
