"""How a DAG with groups, labels and setups is drawn."""

import pytest
from rich.console import Console

from orchestrator.cli.drawing import dot, mermaid
from orchestrator.cli.render.graph import tree
from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec
from orchestrator.names import TriggerRule

SPEC = DagSpec(
    dag_id="shop",
    tasks=(
        TaskSpec(task_id="pick", operator="Branch"),
        TaskSpec(task_id="load.a", group="load", upstream=("pick",), labels={"pick": "all [of] it"}),
        TaskSpec(task_id="load.deep.b", group="load.deep", upstream=("load.a",), display_name='The "b"'),
        TaskSpec(task_id="last", upstream=("load.deep.b",), labels={"load.deep.b": "ok"}),
        TaskSpec(task_id="down", upstream=("last", "pick"), is_teardown=True, labels={"pick": "early"}),
        TaskSpec(task_id="odd", upstream=("last",), trigger_rule=TriggerRule.ALL_DONE),
    ),
    groups=(
        GroupSpec(group_id="load", tooltip="everything"),
        GroupSpec(group_id="load.deep", parent="load", display_name="Deep"),
    ),
)


def printed(*, folded: bool = False) -> list[str]:
    console = Console(width=120, color_system=None)
    with console.capture() as captured:
        console.print(tree(SPEC, folded=folded))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_groups_are_boxes_in_the_tree_and_what_follows_stands_below_them() -> None:
    lines = printed()
    assert lines[:2] == ["shop", "└── pick  Branch"]
    assert lines[2].startswith("    └── ╭─ load ─")
    assert any("│ everything" in line for line in lines)
    assert any("load.a  PythonOperator  waits for pick (all [of] it)" in line for line in lines)
    assert any("╭─ load.deep Deep ─" in line for line in lines)
    last = next(line for line in lines if "last  PythonOperator" in line)
    assert last == "        └── last  PythonOperator  waits for load.deep.b (ok)"


def test_folded_groups_are_one_line_each() -> None:
    assert printed(folded=True) == [
        "shop",
        "└── pick  Branch",
        "    └── load  group of 2 tasks",
        "        └── last  PythonOperator  waits for load.deep.b (ok)",
        "            ├── down  PythonOperator  teardown  waits for last, pick (early)",
        "            └── odd  PythonOperator  all_done",
    ]


def test_a_label_stands_before_a_task_that_hangs_below_its_only_upstream() -> None:
    spec = DagSpec(dag_id="d", tasks=(TaskSpec(task_id="a"), TaskSpec(task_id="b", upstream=("a",), labels={"a": "x"})))
    console = Console(width=80, color_system=None)
    with console.capture() as captured:
        console.print(tree(spec))
    assert captured.get().splitlines()[2].rstrip() == "    └── x:  b  PythonOperator"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            mermaid(SPEC),
            [
                '  subgraph g0["load"]',
                '    t1["load.a"]',
                '    subgraph g1["Deep"]',
                '      t2["The #quot;b#quot;"]',
                "    end",
                '  t0 -->|"all [of] it"| t1',
                "  t1 --> t2",
            ],
        ),
        (
            dot(SPEC),
            [
                '  subgraph "cluster_load" { label="load";',
                '    "load.a";',
                '    subgraph "cluster_load.deep" { label="Deep";',
                '      "load.deep.b" [label="The \\"b\\""];',
                '  "pick" -> "load.a" [label="all [of] it"];',
            ],
        ),
    ],
)
def test_other_programs_are_given_groups_and_labels_too(text: str, lines: list[str]) -> None:
    assert [line for line in lines if line not in text.splitlines()] == []
