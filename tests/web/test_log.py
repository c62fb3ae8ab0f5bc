"""The log of an activity: its page, its lines from wherever one looks, what is found in it, and the whole of it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from orchestrator.assembly import log_search
from orchestrator.assembly.line_window import SHOWN
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityResumed,
    ActivityScheduled,
    ActivityStarted,
    AnyEvent,
    RunStarted,
)
from orchestrator.core.orders import log_path
from tests.cli.homes import FilledHome

Browser = Callable[..., TestClient]
PAGE = "/dags/order_1001/runs/first/tasks/charge_card"
FIRST, SECOND = 3, 7
STAMP = "2026-01-31T06:00:00.000000Z"


@pytest.fixture(autouse=True)
def run(site: object, filled: FilledHome) -> None:
    """A try that was deferred in between, and so has two logs."""
    again: list[AnyEvent] = [ActivityScheduled(task_id="charge_card"), ActivityStarted(task_id="charge_card")]
    filled.begin(
        "order_1001",
        "first",
        RunStarted(),
        *again,
        ActivityDeferred(task_id="charge_card"),
        ActivityResumed(task_id="charge_card"),
        *again,
        ActivityCompleted(task_id="charge_card"),
    )
    assert filled.reads.activity(filled.reads.run("order_1001", "first"), "charge_card").scheduled_seq == SECOND


def write(filled: FilledHome, seq: int, data: bytes) -> Path:
    path = filled.folder / "logs" / log_path(key(filled), seq, -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def key(filled: FilledHome) -> int:
    return filled.reads.run("order_1001", "first").run_key


def lines(client: TestClient, filled: FilledHome, **query: Any) -> Any:
    answer = client.get(f"/logs/{key(filled)}/lines", params={"parts": f"{FIRST}.{SECOND}", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_try_that_was_deferred_in_between_is_read_with_all_its_parts(browser: Browser, filled: FilledHome) -> None:
    write(filled, FIRST, b"one\n")
    write(filled, SECOND, b"two\n")
    found = browser("viewer").get(f"{PAGE}/log/parts?attempt=1").json()
    assert found == {"parts": f"{FIRST}.{SECOND}", "size": 8, "left_out": 0, "is_over": True}
    found = lines(browser("viewer"), filled)
    assert [line["text"] for line in found["lines"]] == ["one", "two"]
    assert (found["first"], found["total"], found["counted"], found["size"]) == (0, 2, 8, 8)


def test_lines_are_had_from_any_number_or_byte(browser: Browser, filled: FilledHome) -> None:
    data = b"".join(b"line %d\n" % number for number in range(50_000))
    write(filled, FIRST, data[: len(data) // 2])
    write(filled, SECOND, data[len(data) // 2 :])
    client = browser("viewer")
    while (found := lines(client, filled, count=0))["counted"] < found["size"]:
        pass
    assert found["total"] == 50_000
    for number in (0, 1, 24_999, 33_333, 49_999):
        found = lines(client, filled, line=number, count=2)
        assert found["first"] == number
        assert found["lines"][0]["text"] == f"line {number}"
        start = found["lines"][0]["start"]
        assert lines(client, filled, byte=start + 3, count=1)["first"] == number
    assert lines(client, filled, line=49_990, count=1000)["lines"][-1]["text"] == "line 49999"
    assert lines(client, filled, line=50_001)["lines"] == []
    apart = lines(client, filled, numbers="7.40000.24999.60000.1")["lines"]
    assert [line["text"] for line in apart] == ["line 7", "line 40000", "line 24999"]


def test_a_log_that_grows_is_counted_on(browser: Browser, filled: FilledHome) -> None:
    path = write(filled, SECOND, b"one\ntwo")
    client = browser("viewer")
    assert lines(client, filled)["total"] == 2
    with path.open("ab") as file:
        file.write(b" and\nthree\n")
    found = lines(client, filled, line=1)
    assert (found["total"], [line["text"] for line in found["lines"]]) == (3, ["two and", "three"])


def test_a_log_that_is_put_in_the_place_of_another_is_counted_anew(browser: Browser, filled: FilledHome) -> None:
    path = write(filled, SECOND, b"one\ntwo\nthree\n")
    client = browser("viewer")
    assert lines(client, filled)["total"] == 3
    for data in (b"four\n", b"five\nsix\n"):
        path.write_bytes(data)
        found = lines(client, filled)
        assert [line["text"] for line in found["lines"]] == data.decode().split()
        assert found["total"] == len(data.split())


def test_a_line_without_end_is_cut_and_says_where_the_rest_is(browser: Browser, filled: FilledHome) -> None:
    write(filled, SECOND, b"a\n" + b"x" * 3_000_000 + b"\nlast\n")
    client = browser("viewer")
    found = lines(client, filled)["lines"]
    assert [len(line["text"]) for line in found] == [1, SHOWN, 4]
    assert found[1] | {"text": ""} == {"text": "", "start": 2, "end": 3_000_002, "is_cut": True}
    raw = client.get(f"{PAGE}/log/raw", params={"start": 2, "end": 3_000_002})
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"
    assert raw.content == b"x" * 3_000_000


def test_what_is_no_text_is_shown_as_well_as_it_may_be(browser: Browser, filled: FilledHome) -> None:
    write(filled, SECOND, b"\xff\xfe\x00\x1b[2J\r<script>\xe2\x80\xae\n")
    assert lines(browser("viewer"), filled)["lines"][0]["text"] == "\ufffd\ufffd\0\x1b[2J\r<script>\u202e"
    assert "<script>" not in browser("viewer").get(PAGE).text.partition("<main")[2].partition("</main>")[0]


def test_a_link_or_a_pipe_in_the_place_of_a_log_is_not_read(browser: Browser, filled: FilledHome) -> None:
    path = write(filled, SECOND, b"")
    secret = filled.folder / "secret"
    secret.write_text("key")
    for is_link in (True, False):
        path.unlink()
        if is_link:
            path.symlink_to(secret)
        else:
            os.mkfifo(path)
        assert lines(browser("viewer"), filled)["size"] == 0
        assert browser("viewer").get(f"{PAGE}/log/raw").content == b""


def test_parts_that_are_no_numbers_are_refused(browser: Browser, filled: FilledHome) -> None:
    client = browser()
    for parts in ("", "x", "../1", "1..2", "1" * 19, ".".join(["1"] * 2001), "-1"):
        assert client.get(f"/logs/{key(filled)}/lines", params={"parts": parts}).status_code in (400, 422), parts


def test_a_foreigner_reads_no_log(browser: Browser, filled: FilledHome) -> None:
    write(filled, FIRST, b"a\n")
    foreigner = browser("foreigner")
    for path in ("lines?parts=3", "search?parts=3&q=a"):
        there, absent = (foreigner.get(f"/logs/{number}/{path}") for number in (key(filled), 4711))
        assert (there.status_code, absent.status_code) == (404, 404)
        assert browser(None).get(f"/logs/{key(filled)}/{path}", headers={"accept": "*/*"}).status_code == 401
    for page in ("/log/raw", "/log/follow?attempt=1", "/log/parts?attempt=1"):
        assert foreigner.get(PAGE + page).status_code == 404


LOG = (
    f"{STAMP} INFO     Begins\n{STAMP} ERROR    it fails: \x1b[31mbro\x1b[0mken 🎉 pipe\n"
    f"{STAMP} stdout   begins again\n"
    f"{STAMP} CRITICAL gone\n{STAMP} WARNING  careful\nbare\r\n"
)


FOUND: tuple[tuple[dict[str, Any], list[list[int]]], ...] = (
    ({"q": "begins"}, [[0, 37, 43], [2, 37, 43]]),
    ({"q": "begins", "case": True}, [[2, 37, 43]]),
    ({"q": "broken"}, [[1, 47, 53]]),
    ({"q": "pipe"}, [[1, 57, 61]]),
    ({"q": ".*"}, []),
    ({"q": "^b.re$", "regex": True}, [[5, 0, 4]]),
    ({"q": r"begins\n", "regex": True}, []),
    ({"level": "error"}, [[1], [3]]),
    ({"level": ["warning", "output"]}, [[2], [4], [5]]),
    ({"q": "begins", "level": "info"}, [[0, 37, 43]]),
)


def test_lines_are_found_by_what_is_in_them_and_by_their_level(browser: Browser, filled: FilledHome) -> None:
    write(filled, FIRST, LOG.encode()[:100])
    write(filled, SECOND, LOG.encode()[100:])
    client = browser("viewer")
    for query, hits in FOUND:
        found = search(client, filled, **query)
        assert (found["hits"], found["count"], found["at"]) == (hits, len(hits), found["size"]), query


def search(client: TestClient, filled: FilledHome, **query: Any) -> Any:
    answer = client.get(f"/logs/{key(filled)}/search", params={"parts": f"{FIRST}.{SECOND}", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_search_goes_on_where_it_has_come_to(browser: Browser, filled: FilledHome) -> None:
    write(filled, SECOND, b"".join(b"%d\n" % number for number in range(200_000)))
    client = browser("viewer")
    first = search(client, filled, q="77", most=1)
    second = search(client, filled, q="77", most=1, at=first["at"], line=first["line"])
    assert first["hits"][-1][0] < second["hits"][0][0] < second["size"]
    assert all("77" in str(hit[0]) for hit in first["hits"] + second["hits"])
    counted = search(client, filled, q="77", most=0)
    assert (counted["hits"], counted["count"]) == ([], sum("77" in str(number) for number in range(200_000)))


def test_an_expression_that_is_none_or_takes_for_ever_is_refused_in_a_sentence(
    browser: Browser, filled: FilledHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_search, "_CPU_SECONDS", 1)
    write(filled, SECOND, b"a" * 60 + b"\n")
    for expression, sentence in (("(a", "no regular expression"), ("(a+)+b", "takes too long")):
        query: dict[str, str | int] = {"parts": SECOND, "q": expression, "regex": True}
        answer = browser("viewer").get(f"/logs/{key(filled)}/search", params=query)
        assert answer.status_code == 400
        assert sentence in answer.text


def test_a_whole_log_is_a_file_named_after_its_try(browser: Browser, filled: FilledHome) -> None:
    write(filled, FIRST, b"one\n")
    write(filled, SECOND, b"two\n")
    answer = browser("viewer").get(f"{PAGE}/log/raw?keep=true", headers={"range": "bytes=2-5"})
    assert (answer.status_code, answer.content) == (206, b"e\ntw")
    assert answer.headers["content-range"] == "bytes 2-5/8"
    assert 'filename="order_1001-first-charge_card-try1.log"' in answer.headers["content-disposition"]


def test_who_follows_a_try_that_is_over_is_told_so_at_once(browser: Browser, filled: FilledHome) -> None:
    write(filled, SECOND, b"two\n")
    text = browser("viewer").get(f"{PAGE}/log/follow?attempt=1").text
    assert f'"parts":"{SECOND}","size":4,"left_out":0,"is_over":true' in text
