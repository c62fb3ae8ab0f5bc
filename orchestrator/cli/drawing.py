"""``orchestrator dags show``."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from orchestrator.assembly.home import Home
from orchestrator.cli.options import dag_argument, with_home
from orchestrator.cli.picture.png import png
from orchestrator.cli.picture.svg import svg
from orchestrator.cli.render.console import out, remark
from orchestrator.cli.render.graph import tree
from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec
from orchestrator.exceptions import UsageError


@click.command("show")
@dag_argument
@click.option("--mermaid", "form", flag_value="mermaid", help="Print the graph as Mermaid text.")
@click.option("--dot", "form", flag_value="dot", help="Print the graph as Graphviz text.")
@click.option(
    "-s",
    "--save",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the graph into a file: .svg, .png, .dot or .mmd.",
)
@click.option("--fold", is_flag=True, help="Show each group as one line.")
@with_home
def show(home: Home, dag_id: str, form: str | None, save: Path | None, fold: bool) -> None:
    """Draw a DAG's tasks and what they wait for.

    Groups are boxes around their tasks; the label of an edge stands beside its task. The order of a workflow is in its
    code; of that, the activities are shown that it can call.

    \b
    Example:
      orchestrator dags show weather_report
      orchestrator dags show weather_report --save weather_report.svg
    """
    if save is not None and (form is not None or fold):
        raise UsageError("--save draws what the ending of the file says; leave out the other option")
    spec = home.reads.spec(home.reads.dag(dag_id).version_id)
    if save is not None:
        save.write_bytes(drawn(spec, save.suffix))
        remark(f"Drew {dag_id} into {save}.")
        return
    match form:
        case "mermaid":
            click.echo(mermaid(spec))
        case "dot":
            click.echo(dot(spec))
        case _:
            out().print(tree(spec, folded=fold))


def drawn(spec: DagSpec, suffix: str) -> bytes:
    """The content of a file of that ending; UsageError where there is no such picture."""
    match suffix.lower():
        case ".svg":
            return svg(spec).encode()
        case ".png":
            return png(svg(spec))
        case ".dot" | ".gv":
            return f"{dot(spec)}\n".encode()
        case ".mmd" | ".mermaid":
            return f"{mermaid(spec)}\n".encode()
        case _:
            raise UsageError(
                f"a DAG is drawn into .svg, .png, .dot or .mmd, not {suffix or 'a file without an ending'}"
            )


def mermaid(spec: DagSpec) -> str:
    """The graph for Mermaid; tasks and groups are numbered, because their ids may not be Mermaid's."""
    number = {task.task_id: f"t{place}" for place, task in enumerate(spec.tasks)}
    numbered = {group.group_id: f"g{place}" for place, group in enumerate(spec.groups)}

    def node(task: TaskSpec) -> str:
        return f"{number[task.task_id]}[{_mermaid_text(_shown(task.task_id, task.display_name))}]"

    def opening(group: GroupSpec) -> str:
        return f"subgraph {numbered[group.group_id]}[{_mermaid_text(_shown(group.group_id, group.display_name))}]"

    def edge(task: TaskSpec, up: str) -> str:
        label = f"|{_mermaid_text(task.labels[up])}|" if up in task.labels else ""
        return f"  {number[up]} -->{label} {number[task.task_id]}"

    nodes = _nested(spec, "", node, opening, "end")
    return "\n".join(["graph LR", *nodes, *(edge(task, up) for task in spec.tasks for up in task.upstream)])


def _mermaid_text(name: str) -> str:
    return '"' + name.replace('"', "#quot;").replace("\n", " ") + '"'


def dot(spec: DagSpec) -> str:
    """The graph for Graphviz; a group is a cluster."""

    def node(task: TaskSpec) -> str:
        label = f" [label={_dot_text(task.display_name)}]" if task.display_name else ""
        return f"{_dot_text(task.task_id)}{label};"

    def opening(group: GroupSpec) -> str:
        name, label = f"cluster_{group.group_id}", _shown(group.group_id, group.display_name)
        return f"subgraph {_dot_text(name)} {{ label={_dot_text(label)};"

    def edge(task: TaskSpec, up: str) -> str:
        label = f" [label={_dot_text(task.labels[up])}]" if up in task.labels else ""
        return f"  {_dot_text(up)} -> {_dot_text(task.task_id)}{label};"

    nodes = _nested(spec, "", node, opening, "}")
    edges = [edge(task, up) for task in spec.tasks for up in task.upstream]
    return "\n".join([f"digraph {_dot_text(spec.dag_id)} {{", "  rankdir=LR;", *nodes, *edges, "}"])


def _dot_text(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


def _shown(name: str, display_name: str | None) -> str:
    return display_name or name


def _nested(
    spec: DagSpec, level: str, node: Callable[[TaskSpec], str], opening: Callable[[GroupSpec], str], closing: str
) -> list[str]:
    """The lines of the tasks and groups on a level, a group's own between what opens and what closes it."""
    lines = [f"  {node(task)}" for task in spec.tasks if task.group == level]
    for group in spec.groups:
        if group.parent == level:
            inner = _nested(spec, group.group_id, node, opening, closing)
            lines += [f"  {opening(group)}", *(f"  {line}" for line in inner), f"  {closing}"]
    return lines
