"""Writes what the reference pages take from the program: every command, every setting, every name of Airflow's.

``python docs/write_reference.py`` writes; with ``--check`` it changes nothing and fails where a page is out of date.
A page's own text stands outside the two marks and is left alone.
"""

import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from orchestrator.api.document import api_document
from orchestrator.authoring.airflow_context import ABSENT_WORDS
from orchestrator.cli import orchestrator
from orchestrator.cli.lazy import Branch, Leaf
from orchestrator.cli.tree import COMMANDS
from orchestrator.compat.airflow.catalog import TABLES, Missing, Served, find, served_names
from orchestrator.compat.airflow.differences import DAG_SETTINGS, DIFFERENCES, IN_EVERY_FILE, NEVER_RAISED, SETTINGS
from orchestrator.compat.airflow.entries import Absent
from orchestrator.compat.airflow.gone import GONE
from orchestrator.config import SECTIONS, describe, settings, write
from orchestrator.plugins.hooks import HOOKS

REFERENCE = Path(__file__).parent / "reference"
BEGIN, END = "<!-- written by docs/write_reference.py -->", "<!-- end of what is written -->"


def main(arguments: list[str]) -> int:
    pages = {"configuration.md": configuration(), "cli.md": commands(), "airflow-compat.md": airflow_names()}
    pages["hooks.md"], pages["rest-api.md"] = hooks(), routes()
    stale = [name for name, lines in pages.items() if not is_current(REFERENCE / name, lines, arguments)]
    for name in stale:
        click.echo(f"docs/reference/{name} is out of date; run: python docs/write_reference.py", err=True)
    return 1 if stale else 0


def is_current(page: Path, lines: Iterator[str], arguments: list[str]) -> bool:
    """Whether the page says what the program does; it is made so unless ``--check`` is given."""
    before = page.read_text(encoding="utf-8")
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    after = f"{head}{BEGIN}\n\n" + "\n".join(lines) + f"\n{END}{tail}"
    if "--check" in arguments:
        return after == before
    page.write_text(after, encoding="utf-8")
    return True


def hooks() -> Iterator[str]:
    """A section for each hook: what it is given, what it gives, and when it is called."""
    for name, hook in HOOKS.items():
        signature = inspect.signature(hook)
        given = [one.replace(annotation=_plain(one.annotation)) for one in list(signature.parameters.values())[1:]]
        gives = signature.replace(parameters=given, return_annotation=_plain(signature.return_annotation))
        text = str(gives).replace("'", "")
        yield from (f"## {name}", "", f"`{name}{text}`", "", *inspect.cleandoc(hook.__doc__ or "").splitlines(), "")


def _plain(annotation: object) -> str:
    """A type as its author reads it."""
    if annotation is None:
        return "None"
    is_plain = isinstance(annotation, type) and not hasattr(annotation, "__args__")
    text = annotation.__name__ if is_plain else str(annotation)
    return re.sub(r"(?:\w+\.)+(\w+)", r"\1", text)


def routes() -> Iterator[str]:
    """A table for each kind of resource: every route, with what it does and what it is asked with."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, methods in api_document()["paths"].items():
        for method, route in methods.items():
            asked = [one["name"] for one in route.get("parameters", ()) if one["in"] == "query"]
            said = inspect.cleandoc(route.get("description", "")).replace("\n", " ").replace("|", "\\|").replace("``", "`")
            names = ", ".join(f"`{name}`" for name in asked)
            shown = path.removeprefix("/api/v2")
            found[route["tags"][0]].append(f"| {method.upper()} `{shown}` | {said} | {names} |")
    for tag, rows in found.items():
        yield from (f"## {tag}", "", "| route | what it does | query parameters |", "| --- | --- | --- |", *rows, "")


def configuration() -> Iterator[str]:
    """A table for each section."""
    section = ""
    for setting in settings():
        if setting.section != section:
            yield from ("",) if section else ()
            section = setting.section
            yield from (f"## {section}", "", str(SECTIONS[section].__doc__), "")
            yield from ("| key | default | takes | meaning |", "| --- | --- | --- | --- |")
        yield f"| `{setting.key}` | `{write(setting.default)}` | {describe(setting)} | {setting.doc} |"
    yield ""


def commands() -> Iterator[str]:
    """A section for each group, and in it one for each command."""
    root = click.Context(orchestrator, info_name="orchestrator")
    for name, entry in COMMANDS.items():
        yield from (f"## orchestrator {name}", "")
        if isinstance(entry, Branch):
            yield from (entry.summary, "")
            for verb, leaf in entry.commands.items():
                group = click.Context(click.Group(name), info_name=name, parent=root)
                yield from (f"### {name} {verb}", "", *command(leaf, verb, group))
        else:
            yield from command(entry, name, root)


def command(leaf: Leaf, name: str, parent: click.Context) -> Iterator[str]:
    """Its usage, its help and its options."""
    found = leaf.load()
    context = click.Context(found, info_name=name, parent=parent)
    prose, _, examples = inspect.cleandoc(found.help or "").partition("\b\nExample:\n")
    usage = " ".join([context.command_path, *found.collect_usage_pieces(context)])
    yield from ("```", usage, "```", "", prose.strip(), "", "```bash", inspect.cleandoc(examples).strip(), "```", "")
    options = [one for one in found.params if isinstance(one, click.Option) and not one.hidden]
    if options:
        yield from ("| option | meaning |", "| --- | --- |")
        yield from (option(one) for one in options)
        yield ""


def option(one: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in one.opts)
    choices = " " + " \\| ".join(one.type.choices) if isinstance(one.type, click.Choice) else ""
    value = "" if one.is_flag or choices else f" {one.metavar or one.type.name.upper()}"
    default = f" (default: {one.default})" if one.show_default else ""
    return f"| {names}{value}{choices} | {one.help}{default} |"


def airflow_names() -> Iterator[str]:
    """What is served of each of Airflow's modules, what means something else, and what is missing."""
    yield from ("## What differs in every file", "", *(f"- {sentence}" for sentence in IN_EVERY_FILE), "")
    yield from ("## What differs by name", "", "| name | here it |", "| --- | --- |")
    yield from (f"| {code([place.replace(':', '.')])} | {words} |" for place, words in sorted(DIFFERENCES.items()))
    yield from ("", "These exceptions are there to be raised and caught by name, and nothing here raises them:", "")
    yield from (code(sorted(never_raised())) + ".",)
    yield from ("", "Settings that are taken and change nothing:", "", "| setting | here it |", "| --- | --- |")
    yield from (f"| `{name}` of tasks | {words} |" for name, words in SETTINGS.items())
    yield from (f"| `{name}` of DAGs | {words} |" for name, words in DAG_SETTINGS.items())
    yield from ("", "## What the context has not", "", "| word | why, or what to do |", "| --- | --- |")
    yield from (f"| `{word}` | {words} |" for word, words in ABSENT_WORDS.items())
    yield from ("", "## What is served", "", "| module | names |", "| --- | --- |")
    served = {module: sorted(served_names(module)) for module in sorted(TABLES)}
    yield from (f"| `{module}` | {code(names)} |" for module, names in served.items() if names)
    yield from ("", "## What is missing", "", "| it belongs to | instead | names |", "| --- | --- | --- |")
    yield from (f"| {one.feature} | {one.instead} | {code(names)} |" for one, names in sorted(missing_names().items()))
    yield from ("", "## What Airflow 3 has removed", "", "| name | instead |", "| --- | --- |")
    yield from (f"| {code([place.replace(':', '.')])} | {instead} |" for place, instead in sorted(GONE.items()))
    yield ""


def never_raised() -> set[str]:
    """The exceptions that are names only."""
    found = ((name, find(module, name)) for module, names in TABLES.items() for name in names)
    return {name for name, one in found if isinstance(one, Served) and one.difference == NEVER_RAISED}


def missing_names() -> dict[Absent, list[str]]:
    """The names that are not served, each once, under what they belong to."""
    found: defaultdict[Absent, set[str]] = defaultdict(set)
    for module, names in TABLES.items():
        for name, entry in names.items():
            if isinstance(entry, Absent) and isinstance(find(module, name), Missing):
                found[entry].add(name)
    return {entry: sorted(names) for entry, names in found.items()}


def code(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
