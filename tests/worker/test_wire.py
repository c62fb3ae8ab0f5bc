"""Words arrive whole, in whatever pieces a socket delivers them."""

from datetime import UTC, datetime
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.orders import Completed
from orchestrator.names import AttemptKey
from orchestrator.worker.wire import Frames, Go, Lines, encode, frame

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(bounds) if end > start]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8), st.lists(st.integers(0, 10_000), max_size=12))
def test_frames_come_out_as_they_went_in(names: list[str], places: list[int]) -> None:
    words = [Go(key=AttemptKey(1, name, -1, 1)) for name in names]
    frames = Frames()
    pieces = cut(b"".join(map(frame, words)), places)
    assert [word for piece in pieces for word in frames.feed(piece)] == words


@given(st.lists(st.text(max_size=20), min_size=1, max_size=8), st.lists(st.integers(0, 10_000), max_size=12))
def test_reports_come_out_as_they_went_in(texts: list[str], places: list[int]) -> None:
    reports = [
        Completed(key=AttemptKey(1, "a", -1, 1), at=NOW, result=msgspec.Raw(msgspec.json.encode(text)))
        for text in texts
    ]
    lines = Lines()
    pieces = cut(b"".join(encode(report) + b"\n" for report in reports), places)
    found = [report for piece in pieces for report in lines.feed(piece)]
    assert [msgspec.json.decode(report.result) for report in found if isinstance(report, Completed)] == texts
