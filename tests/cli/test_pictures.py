"""A DAG as a picture."""

import random
import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from orchestrator.cli.drawing import drawn
from orchestrator.cli.picture.svg import svg
from orchestrator.core.picture.layout import Rect, arrange
from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec, mapping_over
from orchestrator.exceptions import UsageError
from orchestrator.names import TriggerRule
from orchestrator.testing.home import LiveHome

MANY = mapping_over("shop.pick")
SHOP = DagSpec(
    dag_id="shop",
    tasks=(
        TaskSpec(task_id="open", is_setup=True),
        TaskSpec(task_id="shop.pick", operator="FileSensor", group="shop", upstream=("open",)),
        TaskSpec(task_id="shop.each", group="shop", upstream=("shop.pick",), mapping=MANY),
        TaskSpec(task_id="pay", upstream=("shop.each", "open"), labels={"open": 'a <b> & "c"'}),
        TaskSpec(task_id="close", upstream=("pay",), is_teardown=True),
        TaskSpec(task_id="tell", upstream=("pay",), trigger_rule=TriggerRule.ALL_DONE, display_name="Erzähl \x07 ☃"),
    ),
    groups=(GroupSpec(group_id="shop", display_name="The <shop>"),),
)


def texts(picture: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


def random_dag(seed: int) -> DagSpec:
    dice = random.Random(seed)
    groups = [GroupSpec(group_id="g"), GroupSpec(group_id="g.h", parent="g"), GroupSpec(group_id="k")]
    tasks: list[TaskSpec] = []
    for number in range(dice.randrange(1, 40)):
        before = [task.task_id for task in tasks]
        upstream = tuple(dice.sample(before, k=min(len(before), dice.choice((0, 1, 1, 2, 3)))))
        group = dice.choice(["", "", "g", "g.h", "k"])
        tasks.append(TaskSpec(task_id=f"{group}.t{number}" if group else f"t{number}", group=group, upstream=upstream))
    return DagSpec(dag_id="random", tasks=tuple(tasks), groups=tuple(groups))


def overlap(one: Rect, other: Rect) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (beside or one.y + one.height <= other.y or other.y + other.height <= one.y)


def inside(inner: Rect, outer: Rect) -> bool:
    return (
        outer.x <= inner.x
        and outer.y <= inner.y
        and inner.x + inner.width <= outer.x + outer.width + 0.01
        and inner.y + inner.height <= outer.y + outer.height + 0.01
    )


@pytest.mark.parametrize("seed", range(30))
def test_no_task_covers_another_and_each_stands_in_the_box_of_its_group(seed: int) -> None:
    spec = random_dag(seed)
    sizes = {task.task_id: (100.0, 40.0) for task in spec.tasks} | {
        group.group_id: (80.0, 0.0) for group in spec.groups
    }
    plane = arrange(spec, sizes, {})
    rects = {task.task_id: plane.rects[task.task_id] for task in spec.tasks}
    assert [pair for pair in combinations(rects, 2) if overlap(rects[pair[0]], rects[pair[1]])] == []
    for task in spec.tasks:
        for group in spec.groups:
            if group.group_id in plane.rects:
                is_in = task.group == group.group_id or task.group.startswith(f"{group.group_id}.")
                box = plane.rects[group.group_id]
                assert inside(rects[task.task_id], box) if is_in else not overlap(rects[task.task_id], box)
    assert all(inside(rect, Rect(0, 0, plane.width, plane.height)) for rect in plane.rects.values())


def test_what_comes_later_stands_further_to_the_right() -> None:
    sizes = {task.task_id: (100.0, 40.0) for task in SHOP.tasks} | {"shop": (80.0, 0.0)}
    rects = arrange(SHOP, sizes, {}).rects
    for task in SHOP.tasks:
        for up in task.upstream:
            assert rects[up].x + rects[up].width < rects[task.task_id].x


def test_a_picture_says_what_there_is_to_know_of_each_task() -> None:
    said = texts(svg(SHOP))
    assert said[:2] == ["shop", "6 tasks"]
    assert {"open", "pick", "each", "pay", "close", "The <shop>", 'a <b> & "c"'} <= set(said)
    assert {"PythonOperatorsetup", "PythonOperatormapped", "PythonOperatorteardown", "PythonOperatorall_done"} <= set(
        said
    )
    assert "Erzähl   ☃" in said
    assert said[-2:] == ["python", "sensor"]


def test_a_picture_without_tasks_or_edges_is_one_too() -> None:
    ET.fromstring(svg(DagSpec(dag_id="nothing", tasks=())))
    activities = tuple(TaskSpec(task_id=f"a{number}", operator="activity", is_activity=True) for number in range(9))
    assert "a8" in texts(svg(DagSpec(dag_id="calls", tasks=activities)))


def test_a_thousand_tasks_are_drawn_in_a_moment() -> None:
    names = [f"t{number}" for number in range(1000)]
    tasks = tuple(TaskSpec(task_id=name, upstream=tuple(names[max(0, n - 3) : n])) for n, name in enumerate(names))
    assert len(texts(svg(DagSpec(dag_id="long", tasks=tasks)))) > 2000


def test_the_ending_of_the_file_says_what_it_is() -> None:
    assert drawn(SHOP, ".svg").startswith(b"<svg ")
    assert drawn(SHOP, ".PNG").startswith(b"\x89PNG\r\n")
    assert drawn(SHOP, ".dot").startswith(b"digraph ")
    assert drawn(SHOP, ".mmd").startswith(b"graph LR")
    with pytest.raises(UsageError, match=r"\.svg, \.png, \.dot or \.mmd, not \.jpg"):
        drawn(SHOP, ".jpg")


def test_a_png_that_cannot_be_made_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(UsageError, match=r"pip install 'orchestrator\[pictures\]'"):
        drawn(SHOP, ".png")


def test_a_graph_that_is_too_large_for_a_png_says_so() -> None:
    tasks = tuple(TaskSpec(task_id=f"t{n}", upstream=(f"t{n - 1}",) if n else ()) for n in range(120))
    with pytest.raises(UsageError, match=r"save it as \.svg"):
        drawn(DagSpec(dag_id="long", tasks=tasks), ".png")


def test_a_picture_is_saved_from_the_command_line(tmp_path) -> None:
    with LiveHome(tmp_path) as home:
        home.write_dag("shop.py", "from orchestrator import DAG\nwith DAG('shop'):\n    pass\n")
        home.run("db", "migrate")
        home.start()
        home.wait_for("the DAG is listed", lambda: home.ask("dags", "list"))
        saved = home.run("dags", "show", "shop", "--save", str(tmp_path / "shop.svg"))
        assert saved.returncode == 0, saved.stderr
        assert texts((tmp_path / "shop.svg").read_text())[0] == "shop"
        assert home.run("dags", "show", "shop", "--save", "x.svg", "--dot").returncode == 2
        nowhere = home.run("dags", "show", "shop", "--save", "/no/such/folder/x.svg")
        assert (nowhere.returncode, "/no/such/folder/x.svg" in nowhere.stderr) == (1, True)
