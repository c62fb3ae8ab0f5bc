"""``orchestrator variables``."""

import json
from pathlib import Path
from typing import Any

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.named_values import ON_EXISTING, exported, import_variables
from orchestrator.assembly.told_vault import ToldVariables
from orchestrator.authoring.masking import STARS, is_sensitive
from orchestrator.authoring.variable import parsed
from orchestrator.cli.options import completed, confirm, who, with_home, yes_option
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.printable import json_text
from orchestrator.cli.render.console import remark
from orchestrator.cli.secret_files import read_file, write_file
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.nearest import did_you_mean

key_argument = click.argument("key", shell_complete=completed(lambda home, _params: _store(home).keys()))
json_option = click.option("-j", "--json", "is_json", is_flag=True, help="The value is JSON.")


def _store(home: Home) -> ToldVariables:
    return home.part(ToldVariables)


@click.command("list")
@click.option("--show-values", is_flag=True, help="Show values too, but those whose name says that they are secret.")
@click.option("--hide-sensitive", is_flag=True, help="With --show-values: show stars for every value.")
@output_option
@with_home
def list_variables(home: Home, show_values: bool, hide_sensitive: bool, output: Format) -> None:
    """List the variables of the database.

    \b
    Example:
      orchestrator variables list --show-values
    """
    if hide_sensitive and not show_values:
        raise click.UsageError("--hide-sensitive goes with --show-values", ctx=click.get_current_context())
    rows: list[dict[str, Any]] = []
    for one in _store(home).all() if show_values else ():
        value = STARS if hide_sensitive or is_sensitive(one.key) else one.value
        rows.append({"key": one.key, "val": value, "description": one.description})
    if not show_values:
        rows = [{"key": key} for key in _store(home).keys()]  # noqa: SIM118 - no mapping
    show_rows(rows, output, ["key", "val", "description"][: 3 if show_values else 1], empty="There are no variables.")


@click.command("get")
@key_argument
@click.option("-d", "--default", help="What to print where there is no such variable.")
@json_option
@with_home
def get(home: Home, key: str, default: str | None, is_json: bool) -> None:
    """Print the value of a variable, as a task finds it.

    The secrets backends are asked first, then the environment (ORCHESTRATOR_VAR_KEY, AIRFLOW_VAR_KEY), then the
    database.

    \b
    Example:
      orchestrator variables get city --default Oslo
    """
    found = _store(home).lookup(key)
    if found is None and default is None:
        raise NotFoundError(f"there is no variable {key!r}{did_you_mean(key, _store(home).keys())}")
    text = str(default) if found is None else found
    click.echo(json_text(json.dumps(parsed(key, text), indent=2)) if is_json else text)


@click.command("set")
@key_argument
@click.argument("value")
@click.option("--description", help="What it is for.")
@json_option
@output_option
@with_home
def set_variable(home: Home, key: str, value: str, description: str | None, is_json: bool, output: Format) -> None:
    """Create a variable, or change its value.

    Without --description a variable keeps the one that it has.

    \b
    Example:
      orchestrator variables set city Oslo --description "where the weather is"
      orchestrator variables set limits '{"rows": 1000}' --json
    """
    if is_json:
        value = json.dumps(_json(value))
    store = _store(home)
    if description is None:
        before = store.get(key)
        description = None if before is None else before.description
    store.set_all({key: (value, description)}, by=who())
    show_object({"key": key, "description": description}, output)


@click.command("delete")
@key_argument
@yes_option
@with_home
def delete(home: Home, key: str, yes: bool) -> None:
    """Delete a variable.

    \b
    Example:
      orchestrator variables delete city -y
    """
    store = _store(home)
    known = store.keys()
    if key not in known:
        raise NotFoundError(f"there is no variable {key!r}{did_you_mean(key, known)}")
    confirm(f"Delete the variable {key!r}?", yes=yes)
    store.delete(key, by=who())


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-a",
    "--action-on-existing-key",
    "action",
    type=click.Choice(ON_EXISTING),
    default="overwrite",
    show_default=True,
    help="What to do with a key that is there already.",
)
@with_home
def import_(home: Home, file: Path, action: str) -> None:
    """Set the variables that a file holds.

    FILE is a JSON object, or lines of KEY=VALUE if it ends in .env. All of it is taken in, or nothing.

    \b
    Example:
      orchestrator variables import variables.json -a skip
    """
    found = read_file(file)
    done = import_variables(_store(home), found, action, by=who())
    skipped = f", {done.skipped} that were there already are as they were" if done.skipped else ""
    remark(f"{done.taken} variables set{skipped}.")


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@with_home
def export(home: Home, file: Path) -> None:
    """Write every variable of the database into a file, as JSON and decrypted; - is the terminal.

    \b
    Example:
      orchestrator variables export variables.json
    """
    found = _store(home).all()
    write_file(file, exported(found))
    remark(f"{len(found)} variables written to {file}.")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"VALUE is no JSON: {error}") from None
