"""Heartbeats of one attempt: what is kept, how often, and who hears of it."""

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.orders import Order
from orchestrator.exceptions import ValueEncodingError
from orchestrator.executors.flight import Flight
from orchestrator.executors.leftovers import Leftovers
from orchestrator.executors.limits import Limits
from orchestrator.worker.heart import Heart, ProgressTooLargeError
from orchestrator.worker.heartbeats import Heartbeats, LastBeat
from orchestrator.worker.wire import beat_pause
from tests.worker.workshop import PATIENCE, Workshop, wait_until


class Counting(Heartbeats):
    """Heartbeats that count how often one is kept."""

    kept = 0

    def keep(self, place: str, beat: LastBeat) -> None:
        self.kept += 1
        super().keep(place, beat)


class Ward:
    """An attempt's heart, and what is told of it."""

    def __init__(self, folder: Path, **given: Any) -> None:
        self.heartbeats = Counting(folder / "heartbeats")
        self.order = Workshop(folder).order("found", **given)
        self.told: list[Order] = []

    def heart(self) -> Heart:
        return Heart(self.order, self.heartbeats, self.told.append)

    def kept(self) -> bytes | None:
        beat = self.heartbeats.last(self.order.progress)
        return None if beat is None else bytes(beat.progress)


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path)


def beat_until(condition: Callable[[], bool], beat: Callable[[int], None]) -> int:
    """Call it as often as can be; the number of the last call."""
    end, number = time.monotonic() + PATIENCE, 0
    while not condition():
        assert time.monotonic() < end
        beat(number := number + 1)
    return number


def beat_for(seconds: float, beat: Callable[[int], None]) -> int:
    """Call it as often as can be; the number of the last call."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        beat(number := number + 1)
    return number


def test_however_often_a_body_beats_the_file_is_written_some_ten_times_a_second(ward: Ward) -> None:
    heart, began = ward.heart(), time.monotonic()
    last = beat_until(lambda: ward.heartbeats.kept >= 4, heart.beat)
    assert time.monotonic() - began > 0.25
    assert last > 40
    heart.stop(keep=True)
    assert ward.kept() == str(last).encode()


def test_what_came_too_fast_is_kept_a_moment_later_though_the_body_says_no_more(ward: Ward) -> None:
    heart = ward.heart()
    for number in range(5):
        heart.beat(number)
    wait_until(lambda: ward.kept() == b"4", "the last of them")


def test_a_heartbeat_without_progress_leaves_the_progress_as_it_was(ward: Ward) -> None:
    first = ward.heart()
    first.beat({"row": 7})
    first.stop(keep=True)
    second = ward.heart()
    second.beat(None)
    second.stop(keep=True)
    assert ward.kept() == b'{"row":7}'
    assert ward.heart().last_progress() == {"row": 7}


def test_nothing_is_taken_once_the_attempt_has_ended(ward: Ward) -> None:
    heart = ward.heart()
    heart.beat(1)
    heart.stop(keep=True)
    heart.beat(2)
    assert ward.kept() == b"1"


def test_what_a_body_gives_may_change_afterwards(ward: Ward) -> None:
    heart, rows = ward.heart(), [1]
    heart.beat(rows)
    heart.beat(rows)
    rows.append(2)
    heart.stop(keep=True)
    assert ward.kept() == b"[1]"


def test_the_first_heartbeat_is_told_and_no_other_where_nobody_watches(ward: Ward) -> None:
    heart = ward.heart()
    beat_for(0.1, heart.beat)
    assert ward.told == [ward.order]


def test_a_progress_that_was_found_is_told_so_that_it_is_removed_in_the_end(ward: Ward) -> None:
    assert ward.heart().last_progress() is None
    assert ward.told == []
    first = ward.heart()
    first.beat("far")
    first.stop(keep=True)
    assert ward.heart().last_progress() == "far"
    assert len(ward.told) == 2


def test_with_a_time_out_it_is_told_in_time_but_not_more_often(tmp_path: Path) -> None:
    ward = Ward(tmp_path, heartbeat_timeout=1.0)
    heart, began = ward.heart(), time.monotonic()
    beat_until(lambda: len(ward.told) >= 4, heart.beat)
    assert 3 * beat_pause(1.0) <= time.monotonic() - began


def test_a_progress_that_cannot_be_kept_is_an_error_at_its_heartbeat(ward: Ward) -> None:
    heart = ward.heart()
    with pytest.raises(ValueEncodingError, match=r"progress\['a'\] is an object"):
        heart.beat({"a": object()})
    with pytest.raises(ProgressTooLargeError, match="70002 bytes of JSON, more than the 65536"):
        heart.beat("x" * 70_000)
    assert ward.kept() is None


def test_a_full_disk_ends_no_body_and_is_complained_of_once(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    (ward.heartbeats._folder).write_text("in the way")
    heart = ward.heart()
    with caplog.at_level(logging.WARNING):
        heart.beat(1)
        heart.stop(keep=True)
        ward.heart().beat(None)
    assert caplog.text.count("the progress cannot be kept") == 2  # once for each attempt


def test_an_order_without_a_place_keeps_nothing(tmp_path: Path) -> None:
    ward = Ward(tmp_path, progress="")
    heart = ward.heart()
    heart.beat(1)
    heart.stop(keep=True)
    assert heart.last_progress() == 1
    assert ward.heart().last_progress() is None
    assert ward.heartbeats.kept == 0


# ── those who watch over it ──────────────────────────────────────────────────────────────────────────────


def running(shop: Workshop, **given: Any) -> Flight:
    flight = Flight(shop.order("found", **given))
    flight.has_begun = True
    return flight


def test_an_attempt_is_silent_for_too_long_when_that_much_has_passed_since_it_was_heard_of(tmp_path: Path) -> None:
    flight = running(Workshop(tmp_path), heartbeat_timeout=10.0)
    limits = Limits({flight.key: flight}, Heartbeats(tmp_path))
    limits.watch(flight, 100.0)
    flight.alive_at = 108.0
    assert limits.due(112.0) == []
    assert limits.next() == pytest.approx(119.0)
    (cancel,) = limits.due(119.0)
    assert cancel.key == flight.key
    assert limits.next() is None


def test_an_attempt_that_has_ended_is_watched_no_more(tmp_path: Path) -> None:
    flight = running(Workshop(tmp_path), heartbeat_timeout=10.0, execution_timeout=5.0)
    flights = {flight.key: flight}
    limits = Limits(flights, Heartbeats(tmp_path))
    limits.watch(flight, 0.0)
    flights.clear()
    assert limits.due(100.0) == []


def test_the_progress_of_what_has_succeeded_goes_when_its_success_is_surely_recorded(ward: Ward) -> None:
    heart, leftovers = ward.heart(), Leftovers(ward.heartbeats)
    heart.beat(1)
    leftovers.add(ward.order.progress, 100.0)
    leftovers.clear(150.0)
    assert ward.kept() == b"1"
    leftovers.clear(160.0)
    assert ward.kept() is None
    leftovers.clear(1000.0)


def test_the_places_of_a_run_are_those_of_which_something_is_kept(ward: Ward) -> None:
    assert ward.heartbeats.of_run(1) == frozenset()
    ward.heart().beat(1)
    assert ward.heartbeats.of_run(1) == {ward.order.progress}
    assert not list((ward.heartbeats._folder / "1").glob(f"*.{os.getpid()}"))
