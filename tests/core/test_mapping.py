"""Mapping: how many instances there are, which of them wait for each other, and what each is given."""

import random
import time
from typing import Any

import pytest

from orchestrator.core.events import ActivityCleared, RunMoved
from orchestrator.core.extents import Extents
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.spec import (
    DagSpec,
    Fixed,
    GroupSpec,
    Length,
    LengthOf,
    Longest,
    Mapping,
    Shortest,
    Total,
    mapping_over,
)
from orchestrator.core.trigger_rules import Verdict
from orchestrator.names import TriggerRule
from tests.core.ledger import Ledger, tasks
from tests.core.mapped_world import Fails, Player, verdict_at_the_end

GROUP = (GroupSpec(group_id="g", mapping=mapping_over("list")),)
IN_G = {"group": "g", "scopes": ("g",)}


def shape(ledger: Ledger, task_id: str) -> Any:
    node = ledger.run.nodes[task_id]
    return node.shape, node.extents.levels if node.extents else None


def played(ledger: Ledger, body: Any, seed: int = 1) -> Ledger:
    Player(ledger, body, random.Random(seed)).play()
    return ledger


def test_instances_of_a_uniform_nest_lie_row_major() -> None:
    extents = Extents(((3,), (2,)))
    assert extents.size == 6
    assert [extents.outer(index, 1) for index in range(6)] == [0, 0, 1, 1, 2, 2]
    assert extents.inside(2, 1) == range(4, 6)
    assert extents.inside(0, 0) == range(6)


def test_instances_of_a_ragged_nest_lie_side_by_side() -> None:
    extents = Extents(((3,), (2, 1, 3), (2,)))
    assert extents.size == 12
    assert [extents.outer(index, 1) for index in range(12)] == [0] * 4 + [1] * 2 + [2] * 6
    assert extents.inside(2, 1) == range(6, 12)
    assert extents.inside(2, 1, 2) == range(3, 6)
    assert extents.outer(4, 1, 2) == 2


LENGTHS: list[tuple[Length, int]] = [
    (Fixed(4), 4),
    (LengthOf(task_id="list"), 3),
    (LengthOf(task_id="dict", key="rows"), 2),
    (Shortest((LengthOf(task_id="list"), Fixed(2))), 2),
    (Longest((LengthOf(task_id="list"), Fixed(5))), 5),
    (Total((LengthOf(task_id="list"), Fixed(2), LengthOf(task_id="dict", key="rows"))), 7),
    (Shortest(()), 0),
]


@pytest.mark.parametrize(("length", "count"), LENGTHS)
def test_a_task_has_as_many_instances_as_what_it_is_mapped_over(length: Length, count: int) -> None:
    ledger = Ledger(tasks("list", "dict", "sew: list dict", sew={"mapping": Mapping((length,))}))
    bodies = {"list": [1, 2, 3], "dict": {"rows": [1, 2]}}
    played(ledger, lambda task_id, _: bodies.get(task_id))
    assert shape(ledger, "sew")[0] == (count,)
    assert ledger.run.nodes["sew"].size == count


def test_several_inputs_are_combined_each_with_each_and_the_last_varies_fastest() -> None:
    ledger = Ledger(tasks("list", "sew: list", sew={"mapping": mapping_over(2, "list")}))
    played(ledger, lambda task_id, _: ["a", "b", "c"] if task_id == "list" else None)
    assert [ledger.run.measure.coordinates("sew", index) for index in range(6)] == [
        ((0, 0),),
        ((0, 1),),
        ((0, 2),),
        ((1, 0),),
        ((1, 1),),
        ((1, 2),),
    ]


def test_a_mapped_task_is_mapped_over_the_results_of_another_without_those_that_gave_none() -> None:
    ledger = Ledger(
        tasks("sew: ", "pack: sew", sew={"mapping": mapping_over(4)}, pack={"mapping": mapping_over("sew")})
    )
    played(ledger, lambda task_id, index: None if (task_id, index) == ("sew", 1) else index)
    assert shape(ledger, "pack")[0] == (3,)
    picked = [pick.map_index for index in range(3) for pick in ledger.run.measure.picks("pack", index)]
    assert picked == [0, 2, 3]


def test_the_parts_of_a_chain_know_which_result_each_takes() -> None:
    both = Total((LengthOf(task_id="list"), LengthOf(task_id="sew")))
    ledger = Ledger(
        tasks("list", "sew", "pack: list sew", sew={"mapping": mapping_over(2)}, pack={"mapping": Mapping((both,))})
    )
    played(ledger, lambda task_id, index: [1, 2, 3] if task_id == "list" else index)
    measure = ledger.run.measure
    assert [[(p.position, p.map_index) for p in measure.picks("pack", index)] for index in range(5)] == [
        [],
        [],
        [],
        [(0, 0)],
        [(1, 1)],
    ]


def test_an_instance_of_a_group_waits_for_its_own_instance_only() -> None:
    ledger = Ledger(tasks("list", "cut: list", "sew: cut", "pack: sew", cut=IN_G, sew=IN_G), groups=GROUP)
    player = Player(ledger, lambda task_id, _: [1, 2, 3] if task_id == "list" else None)
    player.settle()
    player.end_one()
    player.settle()
    assert ledger.states() == {
        "list": "success",
        "cut": "queued queued queued",
        "sew": "none none none",
        "pack": "none",
    }
    player.waiting = [("cut", 1)]
    player.end_one()
    player.settle()
    assert ledger.states()["sew"] == "none queued none"


def test_what_fails_in_one_instance_of_a_group_leaves_the_others_alone() -> None:
    def body(task_id: str, index: int) -> Any:
        if (task_id, index) == ("cut", 1):
            raise Fails
        return [1, 2, 3] if task_id == "list" else None

    ledger = Ledger(
        tasks(
            "list",
            "cut: list",
            "sew: cut",
            "pack: sew",
            cut=IN_G,
            sew=IN_G,
            pack={"trigger_rule": TriggerRule.ALL_DONE},
        ),
        groups=GROUP,
    )
    played(ledger, body)
    assert ledger.states() == {
        "list": "success",
        "cut": "success failed success",
        "sew": "success upstream_failed success",
        "pack": "success",
    }


def test_a_branch_inside_of_a_group_chooses_for_its_own_instance() -> None:
    ledger = Ledger(
        tasks("list", "fork: list", "left: fork", "right: fork", fork=IN_G, left=IN_G, right=IN_G), groups=GROUP
    )

    def body(task_id: str, index: int) -> Any:
        if task_id == "fork":
            return {"skip": ["left"] if index % 2 else ["right"]}
        return [1, 2, 3] if task_id == "list" else None

    played(ledger, body)
    assert ledger.states()["left"] == "success skipped success"
    assert ledger.states()["right"] == "skipped success skipped"


def test_a_task_mapped_inside_of_a_group_has_as_many_instances_as_its_own_list_has_items() -> None:
    inner = {**IN_G, "mapping": mapping_over("cut")}
    ledger = Ledger(tasks("list", "cut: list", "sew: cut", "pack: sew", cut=IN_G, sew=inner, pack=IN_G), groups=GROUP)

    def body(task_id: str, index: int) -> Any:
        if task_id == "cut":
            return [[1, 2], [], [1, 2, 3]][index]
        return [1, 2, 3] if task_id == "list" else None

    played(ledger, body)
    assert shape(ledger, "sew") == ((6,), ((3,), (2, 1, 3)))
    assert ledger.states()["sew"] == "success success skipped success success success"
    assert ledger.states()["pack"] == "success skipped success"
    assert [ledger.run.measure.coordinates("sew", index) for index in (0, 1, 3, 5)] == [
        ((0,), (0,)),
        ((0,), (1,)),
        ((2,), (0,)),
        ((2,), (2,)),
    ]


def test_a_failure_in_one_instance_leaves_what_is_mapped_inside_of_the_others_alone() -> None:
    inner = {**IN_G, "mapping": mapping_over("cut")}

    def body(task_id: str, index: int) -> Any:
        if (task_id, index) == ("cut", 0):
            raise Fails
        return [1, 2, 3] if task_id == "list" else [1, 2]

    for seed in range(6):
        ledger = Ledger(tasks("list", "cut: list", "sew: cut", cut=IN_G, sew=inner), groups=GROUP)
        played(ledger, body, seed)
        assert ledger.states()["sew"] == "upstream_failed success success success success"


def test_nothing_to_map_over_skips_the_whole_group() -> None:
    ledger = Ledger(tasks("list", "cut: list", "sew: cut", "pack: sew", cut=IN_G, sew=IN_G), groups=GROUP)
    played(ledger, lambda *_: [])
    assert ledger.states() == {"list": "success", "cut": "skipped", "sew": "skipped", "pack": "skipped"}


@pytest.mark.parametrize(("fails", "state"), [(True, "upstream_failed"), (False, "upstream_failed")])
def test_what_a_group_is_mapped_over_may_be_no_list_at_all(fails: bool, state: str) -> None:
    ledger = Ledger(tasks("list", "cut: list", "sew: cut", cut=IN_G, sew=IN_G), groups=GROUP)

    def body(*_: Any) -> Any:
        if fails:
            raise Fails
        return 7

    played(ledger, body)
    assert ledger.states()["cut"] == ledger.states()["sew"] == state


def test_a_rule_that_fires_early_does_not_run_a_task_before_its_list_is_there() -> None:
    early = {"mapping": mapping_over("list"), "trigger_rule": TriggerRule.ONE_SUCCESS}
    ledger = Ledger(tasks("quick", "list", "sew: quick list", sew=early))
    player = Player(ledger, lambda task_id, _: [1, 2] if task_id == "list" else None)
    player.settle()
    player.waiting = ["quick", "list"] and [("quick", -1), ("list", -1)]
    player.dice = random.Random(0)
    player.waiting, rest = [("quick", -1)], [("list", -1)]
    player.end_one()
    player.settle()
    assert ledger.states()["sew"] == "none"
    player.waiting = rest
    player.play()
    assert ledger.states()["sew"] == "success success"


def test_a_list_that_is_made_anew_gives_its_mapped_task_another_shape() -> None:
    ledger = Ledger(tasks("list", "sew: list", "pack: sew", sew={"mapping": mapping_over("list")}))
    lengths = [3, 2, 4]
    player = Player(ledger, lambda task_id, _: [0] * lengths[0] if task_id == "list" else None)
    player.play()
    for length in (2, 4):
        lengths.pop(0)
        size = ledger.run.nodes["sew"].size
        ledger.add(
            ActivityCleared(task_id="list"),
            ActivityCleared(task_id="sew", map_index=0, count=size),
            ActivityCleared(task_id="pack"),
        )
        player.play()
        assert ledger.states() == {"list": "success", "sew": " ".join(["success"] * length), "pack": "success"}
    attempts = [ledger.activity("sew", index).attempt for index in range(4)]
    assert attempts == [3, 3, 2, 1], "a number of an attempt is never used twice"
    assert ledger.activity("sew", 2).generation > 1


def test_a_task_cleared_in_one_instance_of_a_group_runs_there_alone() -> None:
    ledger = Ledger(tasks("list", "cut: list", "sew: cut", cut=IN_G, sew=IN_G), groups=GROUP)
    player = Player(ledger, lambda task_id, _: [1, 2, 3] if task_id == "list" else None)
    player.play()
    player.ran.clear()
    ledger.add(ActivityCleared(task_id="cut", map_index=1), ActivityCleared(task_id="sew", map_index=1))
    player.play()
    assert player.ran == [("cut", 1), ("sew", 1)]


# ── random worlds ────────────────────────────────────────────────────────────────────────────────────────

RULES = [
    TriggerRule.ALL_SUCCESS,
    TriggerRule.ALL_SUCCESS,
    TriggerRule.ALL_DONE,
    TriggerRule.NONE_FAILED,
    TriggerRule.ONE_SUCCESS,
    TriggerRule.ONE_FAILED,
    TriggerRule.ALWAYS,
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS,
]


def world(dice: random.Random) -> Ledger:
    """Lists outside, a group mapped over one of them, in it perhaps another one, and tasks everywhere."""
    outer = Mapping((random_length(dice, ["list", "wide"]),))
    deep = dice.random() < 0.5
    groups = [GroupSpec(group_id="g", mapping=outer)]
    scopes = {"g": ("g",), "h": ("g",)}
    if deep:
        groups.append(GroupSpec(group_id="h", parent="g", mapping=Mapping((random_length(dice, ["list", "g0"]),))))
        scopes["h"] = ("g", "h")
    edges, fields = ["list", "wide: list"], {"wide": {"mapping": mapping_over(dice.randint(1, 3))}}
    known = ["list", "wide"]
    for name in ["g0", "g1", "g2", "h0", "h1", "o0", "o1"]:
        inside = {"g": ("g",), "h": scopes["h"], "o": ()}[name[0]]
        producers = [p for p in known if p in ("list", "wide", "g0")]
        own = Mapping((random_length(dice, producers),)) if dice.random() < 0.35 and name != "g0" else None
        ups = {name for name in known if dice.random() < 0.4}
        ups |= {part.task_id for f in (own.factors if own else ()) for part in leaves(f)}
        if name[0] != "o" and not any(
            up[0] == name[0] for up in ups
        ):  # a root of its group waits for what that is over
            ups |= {
                leaf.task_id for group in groups if group.mapping for f in group.mapping.factors for leaf in leaves(f)
            }
            ups &= set(known)
        rule = dice.choice(RULES) if ups else TriggerRule.ALL_SUCCESS
        edges.append(f"{name}: {' '.join(sorted(ups))}")
        fields[name] = {"mapping": own, "scopes": inside, "group": inside[-1] if inside else "", "trigger_rule": rule}
        known.append(name)
    return Ledger(tasks(*edges, **fields), groups=tuple(groups))


def random_length(dice: random.Random, names: list[str]) -> Length:
    kind = dice.random()
    if kind < 0.2:
        return Fixed(dice.randint(0, 3))
    if kind < 0.8 or len(names) < 2:
        return LengthOf(task_id=dice.choice(names))
    return dice.choice([Shortest, Longest, Total])((LengthOf(task_id=names[0]), LengthOf(task_id=names[-1])))


def leaves(length: Length) -> list[LengthOf]:
    if isinstance(length, LengthOf):
        return [length]
    return [] if isinstance(length, Fixed) else [leaf for part in length.parts for leaf in leaves(part)]


def random_body(dice: random.Random) -> Any:
    def body(_task_id: str, _index: int) -> Any:
        if dice.random() < 0.15:
            raise Fails
        return [0] * dice.randint(0, 3) if dice.random() < 0.85 else None

    return body


def account(run: Run) -> dict[str, list[str]]:
    return {name: [str(a.state) for _, a in sorted(node.activities())] for name, node in run.nodes.items()}


@pytest.mark.parametrize("seed", range(150))
def test_in_random_worlds_each_instance_runs_just_when_its_own_upstreams_let_it(seed: int) -> None:
    dice = random.Random(seed)
    ledger = world(dice)
    player = Player(ledger, random_body(dice), dice)
    run = player.play()
    for name, node in run.nodes.items():
        for index in node.indexes():
            verdict = verdict_at_the_end(run, name, index)
            if (name, index) in player.ran:
                assert verdict is Verdict.RUN, (name, index, ledger.states())
            elif verdict is Verdict.RUN:
                assert node.task.depth, "one that is mapped over nothing, or over no list, is the only exception"
    assert account(ledger.replayed()) == account(run)
    assert run.unfinished == 0


@pytest.mark.parametrize("seed", range(100))
def test_a_random_world_goes_on_after_a_crash_anywhere(seed: int) -> None:
    dice = random.Random(seed)
    ledger = world(dice)
    player = Player(ledger, random_body(dice), dice)
    player.settle()
    while player.waiting:
        player.end_one()
        if dice.random() < 0.5:
            ledger.run = ledger.replayed()
        player.settle()
    assert ledger.run.is_ended
    for name, node in ledger.run.nodes.items():
        for index in node.indexes():
            if (name, index) in player.ran:
                assert verdict_at_the_end(ledger.run, name, index) is Verdict.RUN


@pytest.mark.parametrize("seed", range(150))
def test_what_is_cleared_in_a_random_world_runs_again_under_the_same_rules(seed: int) -> None:
    dice = random.Random(seed)
    ledger = world(dice)
    player = Player(ledger, random_body(dice), dice)
    for _ in range(3):
        run = player.play()
        first = dice.choice(["list", "wide", "g0", "g1", "h0", "o0"])
        for name in {first, *run.plan.behind(first)}:
            indexes = run.nodes[name].indexes()
            ledger.add(ActivityCleared(task_id=name, map_index=indexes.start, count=len(indexes)))
        player.ran = []
    player.play()
    is_judged_rightly(player)


def is_judged_rightly(player: Player) -> None:
    """Each that ran since ``player.ran`` was emptied had to, and a replay comes to the same."""
    run = player.ledger.run
    assert run.unfinished == 0
    for name, index in player.ran:
        if index in run.nodes[name].indexes():
            assert verdict_at_the_end(run, name, index) is Verdict.RUN, (name, index, player.ledger.states())
    assert account(player.ledger.replayed()) == account(run)


@pytest.mark.parametrize("seed", range(150))
def test_a_random_world_that_is_reset_plays_on_from_there(seed: int) -> None:
    dice = random.Random(seed)
    ledger = world(dice)
    player = Player(ledger, random_body(dice), dice)
    player.play()
    for _ in range(3):
        player.ran = []
        ledger.reset(dice.randint(1, len(ledger.facts)))
        player.play()
        is_judged_rightly(player)


@pytest.mark.parametrize("seed", range(150))
def test_a_random_world_goes_on_as_another_version_of_itself(seed: int) -> None:
    """Each version has the same tasks with other edges, rules, lists and groups.

    What was done and is not cleared may find that it has other instances, after what follows it has run.
    """
    dice = random.Random(seed)
    ledger = world(dice)
    player = Player(ledger, random_body(dice), dice)
    player.play()
    for version in (1, 2):
        ledger.plans.append(Plan(world(dice).plans[0].spec, version))
        player.ran = []
        ledger.move(RunMoved(version_id=version, fingerprint=f"v{version}"), version)
        first = dice.choice(sorted(ledger.run.nodes))
        for name in {first, *ledger.run.plan.behind(first)}:
            indexes = ledger.run.nodes[name].indexes()
            ledger.add(ActivityCleared(task_id=name, map_index=indexes.start, count=len(indexes)))
        if ledger.run.is_ended:
            continue  # nothing of what was chosen had been done
        player.play()
        assert ledger.run.unfinished == 0
        assert account(ledger.replayed()) == account(ledger.run)


@pytest.mark.parametrize("clear", ["end", "m"])
def test_another_version_with_a_longer_list_runs_what_is_new_before_what_follows(clear: str) -> None:
    ledger = Ledger(tasks("m", "end: m", m={"mapping": mapping_over(2)}))
    ledger.plans.append(Plan(DagSpec(dag_id="shop", tasks=tasks("m", "end: m", m={"mapping": mapping_over(3)})), 1))
    player = Player(ledger, lambda _, __: None)
    player.play()
    ledger.move(RunMoved(version_id=1, fingerprint="v1"), 1)
    ledger.add(ActivityCleared(task_id=clear, map_index=0 if clear == "m" else -1))
    player.ran = []
    player.play()
    assert player.ran[-1] == (("end", -1) if clear == "end" else ("m", 2))
    assert ledger.states() == {"m": "success success success", "end": "success"}


def test_a_run_does_not_end_while_a_list_that_was_made_anew_brings_more_to_do() -> None:
    lengths = iter([1, 3])
    ledger = Ledger(tasks("list", "m: list", m={"mapping": mapping_over("list")}))
    player = Player(ledger, lambda name, _: [0] * next(lengths) if name == "list" else None)
    player.play()
    ledger.add(ActivityCleared(task_id="list", map_index=-1))
    player.play()
    assert ledger.states()["m"] == "success success success"


class InOrder(random.Random):
    """Whatever was handed out first ends first, as it mostly does."""

    def randrange(self, *_bounds: Any) -> int:
        return 0


@pytest.mark.parametrize("clear", [False, True], ids=["played", "cleared and played"])
def test_four_times_the_instances_take_about_four_times_as_long(clear: bool) -> None:
    """Of a task mapped inside of a mapped group, and what gathers it: one look at all for each would take sixteen times
    as long.
    """

    def seconds(count: int) -> float:
        inner = {**IN_G, "mapping": mapping_over("cut")}
        ledger = Ledger(
            tasks("list", "cut: list", "sew: cut", "pack: sew", "end: pack", cut=IN_G, sew=inner, pack=IN_G),
            groups=GROUP,
        )
        player = Player(ledger, lambda name, _: list(range(count)) if name == "list" else [1], InOrder())
        began = time.process_time()
        player.play()
        for name in ("cut", "sew", "pack", "end") if clear else ():
            indexes = ledger.run.nodes[name].indexes()
            ledger.add(ActivityCleared(task_id=name, map_index=indexes.start, count=len(indexes)))
        if clear:
            player.play()
        return time.process_time() - began

    assert min(seconds(2400) for _ in range(2)) < 10 * min(seconds(600) for _ in range(3))
