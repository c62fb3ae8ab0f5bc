from orchestrator.executors.deadlines import Deadlines


def test_what_is_due_comes_in_order_of_time_and_once() -> None:
    deadlines: Deadlines[str] = Deadlines(lambda _: True)
    for when, name in ((3.0, "c"), (1.0, "a"), (2.0, "b"), (2.0, "b2")):
        deadlines.add(when, name)
    assert deadlines.next() == 1.0
    assert deadlines.due(2.0) == ["a", "b", "b2"]
    assert deadlines.due(2.0) == []
    assert deadlines.next() == 3.0


def test_what_is_no_longer_wanted_is_neither_told_nor_kept() -> None:
    wanted = {"kept"}
    deadlines: Deadlines[str] = Deadlines(wanted.__contains__)
    deadlines.add(1.0, "kept")
    for number in range(10_000):
        deadlines.add(100.0, str(number))
    assert len(deadlines) < 5_000
    assert deadlines.due(200.0) == ["kept"]
