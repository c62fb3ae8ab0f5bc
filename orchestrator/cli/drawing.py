"""``orchestrator dags show``."""

import json

import click

from orchestrator.assembly.home import Home
from orchestrator.cli.options import dag_argument, with_home
from orchestrator.cli.render.console import out
from orchestrator.cli.render.graph import tree
from orchestrator.core.spec import DagSpec


@click.command("show")
@dag_argument
@click.option("--mermaid", "form", flag_value="mermaid", help="Print the graph as Mermaid text.")
@click.option("--dot", "form", flag_value="dot", help="Print the graph as Graphviz text.")
@with_home
def show(home: Home, dag_id: str, form: str | None) -> None:
    """Draw a DAG's tasks and what they wait for.

    The order of a workflow is in its code; of that, the activities are shown that it can call.

    \b
    Example:
      orchestrator dags show weather_report
      orchestrator dags show weather_report --dot | dot -Tsvg > weather_report.svg
    """
    spec = home.reads.spec(home.reads.dag(dag_id).version_id)
    match form:
        case "mermaid":
            click.echo(mermaid(spec))
        case "dot":
            click.echo(dot(spec))
        case _:
            out().print(tree(spec))


def mermaid(spec: DagSpec) -> str:
    """The graph for Mermaid; tasks are numbered, because their ids may not be Mermaid's."""
    number = {task.task_id: f"t{place}" for place, task in enumerate(spec.tasks)}
    nodes = [f"  {number[name]}[{_mermaid_text(name)}]" for name in number]
    edges = [f"  {number[up]} --> {number[task.task_id]}" for task in spec.tasks for up in task.upstream]
    return "\n".join(["graph LR", *nodes, *edges])


def _mermaid_text(name: str) -> str:
    return '"' + name.replace('"', "#quot;") + '"'


def dot(spec: DagSpec) -> str:
    """The graph for Graphviz."""
    nodes = [f"  {_dot_text(task.task_id)};" for task in spec.tasks]
    edges = [f"  {_dot_text(up)} -> {_dot_text(task.task_id)};" for task in spec.tasks for up in task.upstream]
    return "\n".join([f"digraph {_dot_text(spec.dag_id)} {{", "  rankdir=LR;", *nodes, *edges, "}"])


def _dot_text(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
