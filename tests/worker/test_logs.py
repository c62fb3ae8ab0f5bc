"""What bodies say is kept, whichever way they say it, and never costs them their outcome."""

import re
from collections.abc import Callable
from pathlib import Path

from orchestrator.core.orders import Completed, Failed
from tests.worker.workshop import Bench, Workshop

OpenBench = Callable[..., Bench]
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z "


def said(log: str) -> list[tuple[str, str]]:
    """The lines of a log as (label, text)."""
    lines = [re.fullmatch(STAMP + r"(\w+) +(.*)", line) for line in log.splitlines()]
    assert all(lines), log
    return [(line[1], line[2]) for line in lines if line]


def test_a_body_that_says_nothing_has_no_log(bench: Bench, shop: Workshop) -> None:
    order = shop.order("nothing")
    bench.complete(order)
    assert shop.log(order) == ""


def test_each_line_has_its_moment_and_where_it_came_from(bench: Bench, shop: Workshop) -> None:
    order = shop.order("says")
    bench.complete(order)
    lines = said(shop.log(order))
    assert lines[0][0] == "INFO"
    assert "shop.says in run manual__2026-01-31T06:30:00+00:00: attempt" in lines[0][1]
    assert lines[1:] == [
        ("stdout", "one"),
        ("stderr", "two"),
        ("WARNING", "shop: three"),
        ("stdout", "half a line"),
        ("INFO", "completed"),
    ]


def test_what_is_said_past_python_stands_in_its_place(bench: Bench, shop: Workshop) -> None:
    order = shop.order("says_past_python")
    bench.complete(order)
    lines = said(shop.log(order))[1:-1]
    assert ("output", "from C") in lines
    lines.remove(("output", "from C"))  # C code writes when its buffer is full, or the body has ended
    assert lines == [("stdout", "before"), ("output", "from a shell"), ("stdout", "after")]


def test_a_failure_and_the_authors_lines_stand_in_the_log(bench: Bench, shop: Workshop) -> None:
    order = shop.order("raises")
    bench.run(order)
    log = shop.log(order)
    assert "failed (error): ValueError: the shelf is empty" in log
    assert 'File "shop.py", line ' in log
    assert "orchestrator/" not in log


def test_the_last_words_of_a_body_that_died_stand_in_the_log(bench: Bench, shop: Workshop) -> None:
    exited, crashed = shop.order("dies"), shop.order("crashes")
    bench.run(exited)
    bench.run(crashed)
    assert "last words" in shop.log(exited)
    assert "exit status 0" in shop.log(exited)
    assert "Segmentation fault" in shop.log(crashed)
    assert "shop.py" in shop.log(crashed)


def test_last_words_are_withheld_where_the_secrets_of_the_home_cannot_be_read(
    open_bench: OpenBench, shop: Workshop, tmp_path: Path
) -> None:
    (tmp_path / "home.db").write_bytes(b"no database at all, but something else that lies there")
    order = shop.order("crashes")
    open_bench(home_database=f"sqlite:///{tmp_path}/home.db").run(order)
    log = shop.log(order)
    assert "Segmentation fault" not in log
    assert "is not shown, since secrets could not be taken out of it: " in log
    assert "home.db is damaged or no database" in log
    assert "Traceback" not in log


def test_a_body_that_takes_the_streams_away_does_not_take_them_from_the_next(bench: Bench, shop: Workshop) -> None:
    bench.complete(shop.order("takes_the_streams"))
    order = shop.order("says")
    bench.complete(order)
    assert ("stdout", "one") in said(shop.log(order))
    assert ("stderr", "two") in said(shop.log(order))


def test_a_log_is_cut_with_a_word_about_it(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(max_log_bytes=20_000)
    for task_id in ("says_1_mb", "says_1_mb_past_python"):
        order = shop.order(task_id)
        assert isinstance(bench.run(order), Completed)
        log = shop.log(order)
        assert len(log) < 20_500
        assert said(log)[-2] == ("WARNING", "the log is cut here: it has reached max_log_bytes (20000 bytes)")


def test_a_failure_is_told_in_the_log_even_after_it_was_cut(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(max_log_bytes=1_000)
    order = shop.order("says_and_raises")
    assert isinstance(bench.run(order), Failed)
    assert "failed (error): ValueError: after much talk" in shop.log(order)


def test_a_body_that_prints_a_gigabyte_ends_and_leaves_memory_flat(open_bench: OpenBench, shop: Workshop) -> None:
    bench = open_bench(memory_limit=150 * 1024**2)
    pid = bench.complete(shop.order("whoami"))["pid"]
    for task_id in ("says_1024_mb", "says_1024_mb_past_python"):
        order = shop.order(task_id)
        assert isinstance(bench.run(order), Completed)
        assert 60 * 1024**2 < (shop.logs / order.log).stat().st_size < 65 * 1024**2
    assert bench.complete(shop.order("whoami"))["pid"] == pid


def test_a_log_that_cannot_be_written_does_not_fail_the_task(bench: Bench, shop: Workshop) -> None:
    shop.logs.mkdir(exist_ok=True)
    (shop.logs / "taken").write_text("a file where a folder should be")
    order = shop.order("says", log="taken/1.log")
    assert isinstance(bench.run(order), Completed)


def test_the_log_of_a_long_body_can_be_read_while_it_runs(bench: Bench, shop: Workshop) -> None:
    order = shop.order("says_and_waits")
    bench.submit(order)
    bench.until(lambda: "from a shell" in shop.log(order) and "from python" in shop.log(order))
    (shop.marks / "gate").touch()
    bench.finish([order])
