"""Random programs, live and replayed: told the same facts in whatever portions, code asks for the same."""

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import activations as asks
from orchestrator.core import events, values
from orchestrator.core.events import AnyEvent, Recorded
from orchestrator.names import BlockKind
from orchestrator.replay import Machine
from tests.replay.engine import Engine, raw
from tests.replay.programs import Node, Play, changed, leaves_of, programs, turned_round

QUICK = settings(max_examples=100)


def run(
    program: Node,
    random: Random,
    *,
    is_async: bool = False,
    reloads: bool = True,
    fails: bool = True,
    cancels: bool = False,
) -> Engine:
    """Live, with whatever comes in a random order, in portions, with lost processes and signals in between."""

    def answer(name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if fails and random.random() < 0.2:
            raise RuntimeError(f"{name} {args}")
        return [name, args, random.randrange(100)]

    engine = Engine(Play(program, is_async=is_async), answer=answer)

    def meanwhile() -> list[AnyEvent]:
        """Before what the code asks for is recorded, other things are, of which it has not heard."""
        return happenings(engine, random, 2) if random.random() < 0.3 else []

    engine.meanwhile = meanwhile
    while engine.ended is None:
        assert engine.blocked is None, engine.blocked
        if reloads and random.random() < 0.2:
            engine.reload()
        if cancels and random.random() < 0.1:
            engine.cancel()
            continue
        engine.happen(*happenings(engine, random, 3))
    return engine


def happenings(engine: Engine, random: Random, most: int) -> list[AnyEvent]:
    """Some of what is open comes, or a signal does."""
    some = random.sample(sorted(engine.open), random.randint(0, min(most, len(engine.open))))
    happened = [engine.come(name) for name in some]
    if not happened or random.random() < 0.2:
        happened.append(events.SignalReceived(name=random.choice("abcd"), payload=raw(random.randrange(10))))
    random.shuffle(happened)
    return happened


def portions(facts: Sequence[Recorded], random: Random) -> list[Sequence[Recorded]]:
    cuts = sorted(random.sample(range(1, len(facts)), min(len(facts) - 1, random.randint(0, 5))))
    return [facts[start:end] for start, end in zip([0, *cuts], [*cuts, len(facts)], strict=True)]


def told(machine: Machine, facts: Sequence[Recorded]) -> tuple[asks.WorkflowCommand, ...]:
    machine.tell(facts)
    try:
        return machine.advance()
    finally:
        machine.close()


@QUICK
@given(program=programs(), seed=st.integers(0, 10**6), is_async=st.booleans(), cancels=st.booleans())
def test_a_replayed_history_asks_for_nothing_new_and_causes_nothing(
    program: Node, seed: int, is_async: bool, cancels: bool
) -> None:
    random = Random(seed)
    engine = run(program, random, is_async=is_async, cancels=cancels)
    play = Play(program, is_async=is_async)
    replayed = engine.new_machine(play)
    for portion in portions(engine.history, random):
        replayed.tell(portion)
    assert replayed.advance() == ()
    assert play.made == 0
    replayed.close()
    ends = engine.history[:-1]
    again = engine.new_machine(play)
    again.tell(ends)
    *_, ending = again.advance()
    again.close()
    assert engine.ended is not None
    if isinstance(ending, asks.Return):
        assert bytes(ending.result) == bytes(engine.ended.result)
    else:
        assert isinstance(ending, asks.Raise)
        assert ending.failure == engine.ended.failure


@QUICK
@given(program=programs(), seed=st.integers(0, 10**6), is_async=st.booleans(), cancels=st.booleans())
def test_wherever_a_history_stops_the_code_goes_on_as_it_did(
    program: Node, seed: int, is_async: bool, cancels: bool
) -> None:
    engine = run(program, Random(seed), is_async=is_async, cancels=cancels)
    for seq, commands in engine.advances:
        again = told(engine.new_machine(), engine.history[:seq])
        assert in_order(again) == in_order(commands)
    for seq in range(1, len(engine.history)):
        again = told(engine.new_machine(), engine.history[:seq])
        assert not any(isinstance(command, asks.Block) for command in again), again


def in_order(commands: Sequence[asks.WorkflowCommand]) -> list[Any]:
    """What is given up is ended as soon as its record is told, which may be read ahead: its place says nothing."""
    ends = [command for command in commands if isinstance(command, asks.CancelCall | asks.CancelTimer)]
    others = [command for command in commands if command not in ends]
    return [*(plain(command) for command in others), *sorted((plain(command) for command in ends), key=str)]


def plain(command: asks.WorkflowCommand) -> Any:
    """A command, as what of it can be compared."""
    return {name: value for name, value in vars_of(command) if name != "frames"}


def vars_of(command: asks.WorkflowCommand) -> list[tuple[str, Any]]:
    found = [(name, getattr(command, name)) for name in command.__struct_fields__]
    return [("type", type(command)), *((name, bytes(v) if hasattr(v, "__buffer__") else v) for name, v in found)]


CALLS_ONLY = ("call",)


@QUICK
@given(program=programs(CALLS_ONLY, ("seq", "gather", "try")), seed=st.integers(0, 10**6))
def test_a_gather_in_another_order_is_no_error(program: Node, seed: int) -> None:
    engine = run(program, Random(seed), reloads=False, fails=False)
    assert told(engine.new_machine(Play(turned_round(program))), engine.history) == ()
    for seq in range(2, len(engine.history)):
        again = told(engine.new_machine(Play(turned_round(program))), engine.history[:seq])
        assert not any(isinstance(command, asks.Block) for command in again), again


@QUICK
@given(program=programs(), seed=st.integers(0, 10**6), how=st.sampled_from(["removed", "renamed", "other input"]))
def test_an_activity_that_is_gone_or_changed_blocks_with_both_sides(program: Node, seed: int, how: str) -> None:
    random = Random(seed)
    engine = run(program, random, reloads=False)
    asked = {values.decode(e.input)["args"][0] for e in requests(engine) if len(values.decode(e.input)["args"]) == 1}
    calls = [leaf for leaf in leaves_of(program) if leaf.kind == "call" and leaf.number in asked]
    if not calls:
        return
    leaf = random.choice(calls)
    other = {
        "removed": Node("now", leaf.number),
        "renamed": leaf._replace(name="bcda"["abcd".index(leaf.name)]),
        "other input": leaf._replace(number=leaf.number + 1000),
    }[how]
    (block,) = told(engine.new_machine(Play(changed(program, leaf.number, other)), version=2), engine.history)
    assert isinstance(block, asks.Block)
    assert block.kind is BlockKind.NON_DETERMINISM
    assert "recorded by version 1; the code of version 2 " in block.message
    assert "the history has " in block.message


def requests(engine: Engine) -> list[events.ActivityRequested]:
    return [fact.event for fact in engine.history if isinstance(fact.event, events.ActivityRequested)]
