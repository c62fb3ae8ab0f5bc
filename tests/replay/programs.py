"""Random workflow programs, as trees, and what plays them as code of a workflow."""

from datetime import timedelta
from itertools import count
from typing import Any, NamedTuple

from hypothesis import strategies as st

from orchestrator.authoring.blue import Blue, Future
from orchestrator.exceptions import ActivityError
from orchestrator.names import ParentClose


class Node(NamedTuple):
    """One step of a program; ``number`` tells it from all others."""

    kind: str
    number: int
    name: str = ""
    parts: tuple["Node", ...] = ()


LEAVES = (
    *("call", "call", "call", "timer", "signal", "until", "value"),
    *("random", "patched", "child", "now", "giveup", "drop"),
)
BRANCHES = ("seq", "seq", "gather", "any", "try", "if", "shield")


@st.composite
def programs(draw: st.DrawFn, leaves: tuple[str, ...] = LEAVES, branches: tuple[str, ...] = BRANCHES) -> Node:
    numbers = count(1)

    def node(depth: int) -> Node:
        number = next(numbers)
        if depth == 0 or draw(st.integers(0, 3)) == 0:
            return Node(draw(st.sampled_from(leaves)), number, draw(st.sampled_from("abcd")))
        kind = draw(st.sampled_from(branches))
        size = {"try": 1, "shield": 1, "if": 3}.get(kind) or draw(st.integers(1, 4))
        return Node(kind, number, "", tuple(node(depth - 1) for _ in range(size)))

    return Node("seq", 0, "", tuple(node(draw(st.integers(0, 3))) for _ in range(draw(st.integers(1, 4)))))


class Play:
    """A program as a function of the machine; ``made`` counts the effects of its values."""

    def __init__(self, program: Node, *, is_async: bool = False) -> None:
        self.program = program
        self.is_async = is_async
        self.made = 0

    def __call__(self, blue: Blue) -> Any:
        if not self.is_async:
            return self.play(blue, self.program)

        async def flow() -> Any:
            return await self.later(blue, self.program)

        return flow()

    async def later(self, blue: Blue, node: Node) -> Any:
        """The async way of what has one; the rest is played as sync code is."""
        if node.kind == "call":
            return await blue.call(node.name, [node.number], {})
        if node.kind == "timer":
            return await blue.timer(timedelta(seconds=node.number))
        if node.kind == "seq":
            return [await self.later(blue, part) for part in node.parts]
        if node.kind in ("gather", "any"):
            return self.side_by_side(blue, node, [blue.spawn("a", self.beside(blue, part)) for part in node.parts])
        return self.play(blue, node)

    def beside(self, blue: Blue, node: Node) -> Any:
        return lambda: self.later(blue, node)

    def play(self, blue: Blue, node: Node) -> Any:
        return getattr(self, f"_{node.kind}")(blue, node)

    def side_by_side(self, blue: Blue, node: Node, futures: list[Future[Any]]) -> Any:
        if node.kind == "gather":
            return [future.result() for future in futures]
        blue.wait_for(*futures)
        return [number for number, future in enumerate(futures) if future.done()]

    def _seq(self, blue: Blue, node: Node) -> Any:
        return [self.play(blue, part) for part in node.parts]

    def _gather(self, blue: Blue, node: Node) -> Any:
        return self.side_by_side(
            blue, node, [blue.spawn("s", lambda part=part: self.play(blue, part)) for part in node.parts]
        )

    _any = _gather

    def _try(self, blue: Blue, node: Node) -> Any:
        try:
            return self.play(blue, node.parts[0])
        except ActivityError as error:
            return error.cause

    def _if(self, blue: Blue, node: Node) -> Any:
        found = self.play(blue, node.parts[0])
        return self.play(blue, node.parts[1 if len(str(found)) % 2 else 2])

    def _shield(self, blue: Blue, node: Node) -> Any:
        before = blue.shielded(True)
        try:
            return self.play(blue, node.parts[0])
        finally:
            blue.shielded(before)

    def _call(self, blue: Blue, node: Node) -> Any:
        return blue.call(node.name, [node.number], {}).result()

    def _child(self, blue: Blue, node: Node) -> Any:
        return blue.child(node.name, {"number": node.number}, run_id=None, close=ParentClose.CANCEL).result()

    def _timer(self, blue: Blue, node: Node) -> Any:
        return blue.timer(timedelta(seconds=node.number)).result()

    def _signal(self, blue: Blue, node: Node) -> Any:
        blue.wait_until(lambda: blue.has_signal(node.name), None)
        return blue.take_signal(node.name)[1]

    def _until(self, blue: Blue, node: Node) -> Any:
        return blue.wait_until(lambda: blue.has_signal(node.name), timedelta(seconds=node.number))

    def _giveup(self, blue: Blue, node: Node) -> Any:
        future, timer = blue.call(node.name, [node.number], {}), blue.timer(timedelta(seconds=1))
        blue.wait_for(future, timer)
        future.cancel()
        timer.cancel()
        return future.exception() is None

    def _drop(self, blue: Blue, node: Node) -> Any:
        child = blue.child(node.name, {}, run_id=None, close=ParentClose.CANCEL)
        beside = blue.spawn("beside", lambda: self._call(blue, node))
        blue.wait_for(child, beside)
        child.cancel()
        beside.cancel()
        beside.exception()
        return child.result()

    def _value(self, blue: Blue, node: Node) -> Any:
        def make() -> str:
            self.made += 1
            return f"made {node.number}"

        return blue.value(node.name, make)

    def _random(self, blue: Blue, node: Node) -> Any:
        return blue.random().random()

    def _patched(self, blue: Blue, node: Node) -> Any:
        return blue.call("a", [node.number, "new"], {}).result() if blue.patched(node.name) else None

    def _now(self, blue: Blue, node: Node) -> Any:
        return blue.now()


def leaves_of(node: Node) -> list[Node]:
    return [node] if not node.parts else [leaf for part in node.parts for leaf in leaves_of(part)]


def changed(node: Node, number: int, into: Node) -> Node:
    """The program with the step of that number in another form."""
    if node.number == number:
        return into
    return node._replace(parts=tuple(changed(part, number, into) for part in node.parts))


def turned_round(node: Node) -> Node:
    """The program with every gather in the opposite order."""
    parts = tuple(turned_round(part) for part in node.parts)
    return node._replace(parts=parts[::-1] if node.kind == "gather" else parts)
