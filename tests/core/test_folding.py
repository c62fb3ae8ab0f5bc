"""A DAG whose groups are folded, and the rest of it that is drawn."""

import random

from orchestrator.core.picture.cards import rooms, sizes
from orchestrator.core.picture.folding import folded
from orchestrator.core.picture.layout import arrange
from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec, mapping_over

SPEC = DagSpec(
    dag_id="shop",
    tasks=(
        TaskSpec(task_id="open"),
        TaskSpec(task_id="g.pick", group="g", upstream=("open",), labels={"open": "early"}),
        TaskSpec(task_id="g.h.pack", group="g.h", upstream=("g.pick",)),
        TaskSpec(task_id="aside", upstream=("g.pick",)),
        TaskSpec(task_id="close", upstream=("g.h.pack", "aside"), labels={"g.h.pack": "late"}),
    ),
    groups=(
        GroupSpec(group_id="g", display_name="The goods", mapping=mapping_over(3)),
        GroupSpec(group_id="g.h", parent="g"),
    ),
)


def upstreams(spec: DagSpec) -> dict[str, set[str]]:
    return {task.task_id: set(task.upstream) for task in spec.tasks}


def test_nothing_is_folded_where_nothing_is_asked_for() -> None:
    assert folded(SPEC, ()) == (SPEC, {})
    assert folded(SPEC, {"unknown"}) == (SPEC, {})


def test_a_folded_group_stands_where_its_tasks_stood_with_their_edges_and_labels() -> None:
    spec, inside = folded(SPEC, {"g.h"})
    assert inside == {"g.h": ["g.h.pack"]}
    assert upstreams(spec) == {
        "open": set(),
        "g.pick": {"open"},
        "g.h": {"g.pick"},
        "aside": {"g.pick"},
        "close": {"g.h", "aside"},
    }
    card = spec.task("g.h")
    assert (card.group, card.display_name) == ("g", "h")
    assert spec.task("close").labels == {"g.h": "late"}
    assert [group.group_id for group in spec.groups] == ["g"]


def test_the_outer_of_two_folded_groups_hides_the_inner_one() -> None:
    spec, inside = folded(SPEC, {"g", "g.h"})
    assert inside == {"g": ["g.pick", "g.h.pack"]}
    assert upstreams(spec) == {"open": set(), "g": {"open"}, "aside": {"g"}, "close": {"g", "aside"}}
    assert spec.task("g").mapping == mapping_over(3)
    assert spec.task("g").display_name == "The goods"
    assert spec.groups == ()


def test_whatever_is_folded_everything_has_its_place_and_no_edge_leads_nowhere() -> None:
    for seed in range(60):
        dice = random.Random(seed)
        groups = ("", "g", "g.h", "k")
        tasks: list[TaskSpec] = []
        for number in range(dice.randrange(1, 30)):
            before = [task.task_id for task in tasks]
            upstream = tuple(dice.sample(before, k=min(len(before), dice.choice((0, 1, 2)))))
            group = dice.choice(groups)
            tasks.append(TaskSpec(task_id=f"{group}.{number}".lstrip("."), group=group, upstream=upstream))
        spec = DagSpec(
            dag_id="any",
            tasks=tuple(tasks),
            groups=(GroupSpec(group_id="g"), GroupSpec(group_id="g.h", parent="g"), GroupSpec(group_id="k")),
        )
        shown, inside = folded(spec, dice.sample(("g", "g.h", "k"), k=dice.randrange(4)))
        plane = arrange(shown, sizes(shown), rooms(shown))
        names = {task.task_id for task in shown.tasks}
        assert names <= plane.rects.keys()
        assert all(up in names and up != task.task_id for task in shown.tasks for up in task.upstream)
        hidden = {task_id for members in inside.values() for task_id in members}
        assert hidden | names == {task.task_id for task in tasks} | inside.keys()
        assert not hidden & names
