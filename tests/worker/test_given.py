"""What an attempt is given: large lists are read once and page by page, and nothing is decoded that nobody looks at."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.core import values
from orchestrator.core.orders import Stretch
from orchestrator.core.particulars import PayloadRef, XCom
from orchestrator.storage.payloads import FsspecPayloadStore
from orchestrator.worker.given import KeptItems, LazyXComSequence, RawItems


class Pages:
    """2,500 activities of a task, of which every third gave nothing; ``asked`` are the stretches that were read."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def __call__(self, task_id: str, first: int, stop: int) -> Sequence[tuple[int, XCom]]:
        self.asked.append((first, stop))
        return [(index, XCom(value=msgspec.Raw(b"%d" % index))) for index in range(first, stop) if index % 3]


def unused(_: PayloadRef) -> Any:
    raise AssertionError("there are no payloads here")


WHOLE = [index for index in range(10, 2510) if index % 3]


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def lazy(pages: Pages) -> LazyXComSequence:
    return LazyXComSequence("sew", Stretch(10, 2500), pages, unused)


def test_results_of_a_mapped_task_are_a_sequence(lazy: LazyXComSequence) -> None:
    assert len(lazy) == len(WHOLE)
    assert list(lazy) == WHOLE
    assert (lazy[0], lazy[-1], lazy[700], lazy[-900:-898]) == (WHOLE[0], WHOLE[-1], WHOLE[700], WHOLE[-900:-898])
    assert lazy == WHOLE
    assert lazy != WHOLE[:-1]
    assert 11 in lazy
    with pytest.raises(IndexError):
        lazy[len(WHOLE)]


def test_only_one_page_is_read_for_the_first_of_them(lazy: LazyXComSequence, pages: Pages) -> None:
    assert next(iter(lazy)) == 10
    assert pages.asked == [(10, 1010)]


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ([1, "a", date(2026, 1, 31)], [1, "a", date(2026, 1, 31)]),
        ({"a": 1, "b": [2]}, [("a", 1), ("b", [2])]),
        ((1, 2), [1, 2]),
        ({"__type__": 1, "b": 2}, [("__type__", 1), ("b", 2)]),
        ([], []),
        ({}, []),
    ],
)
def test_the_items_of_a_recorded_value_are_those_of_the_value(value: Any, items: list[Any]) -> None:
    found = RawItems(values.encode(value))
    assert (len(found), list(found)) == (len(items), items)
    assert list(RawItems(values.encode({"part": value}), "part")) == items


def test_a_large_result_is_read_once_for_all_that_are_mapped_over_it(tmp_path: Path) -> None:
    store = FsspecPayloadStore(str(tmp_path))
    ref = store.put(values.encode(list(range(5000))))
    kept = KeptItems(store)
    assert kept.get(ref, None)[4999] == 4999
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        path.unlink()
    assert kept.get(ref, None)[17] == 17
