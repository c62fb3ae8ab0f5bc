"""``orchestrator connections``."""

import json
from pathlib import Path
from typing import Any

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.told_vault import Kept, ToldConnections
from orchestrator.authoring.connection import Connection
from orchestrator.authoring.masking import STARS
from orchestrator.cli.options import completed, confirm, who, with_home, yes_option
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.console import remark
from orchestrator.cli.secret_files import read_file, write_file
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.nearest import did_you_mean

_COLUMNS = ["conn_id", "conn_type", "host", "schema", "login", "port", "password", "extra"]
_FIELDS = {
    "conn_type": "conn_type",
    "conn_host": "host",
    "conn_login": "login",
    "conn_password": "password",
    "conn_schema": "schema",
    "conn_port": "port",
}

id_argument = click.argument(
    "conn_id", metavar="CONN_ID", shell_complete=completed(lambda home, _params: _store(home).ids())
)


def _store(home: Home) -> ToldConnections:
    return home.part(ToldConnections)


@click.command("list")
@click.option("--show-values", is_flag=True, help="Show every field, also passwords.")
@click.option("--hide-sensitive", is_flag=True, help="With --show-values: show stars for passwords and extras.")
@output_option
@with_home
def list_connections(home: Home, show_values: bool, hide_sensitive: bool, output: Format) -> None:
    """List the connections of the database.

    \b
    Example:
      orchestrator connections list --show-values --hide-sensitive
    """
    if hide_sensitive and not show_values:
        raise click.UsageError("--hide-sensitive goes with --show-values", ctx=click.get_current_context())
    found = [one.read() for one in _store(home).all()]
    if show_values:
        rows = [_row(one, show_secrets=not hide_sensitive) for one in found]
    else:
        rows = [{"conn_id": one.conn_id, "conn_type": one.conn_type} for one in found]
    show_rows(rows, output, _COLUMNS if show_values else _COLUMNS[:2], empty="There are no connections.")


@click.command("get")
@id_argument
@click.option("--show-values", is_flag=True, help="Show passwords and extras too.")
@output_option
@with_home
def get(home: Home, conn_id: str, show_values: bool, output: Format) -> None:
    """Show one connection, as a task finds it.

    The secrets backends are asked first, then the environment (ORCHESTRATOR_CONN_ID, AIRFLOW_CONN_ID), then the
    database.

    \b
    Example:
      orchestrator connections get warehouse -o json
    """
    found = _store(home).lookup(conn_id)
    if found is None:
        raise _unknown(home, conn_id)
    show_object(_row(found.read(), show_secrets=show_values), output)


@click.command("add")
@id_argument
@click.option("--conn-uri", help="All fields as type://login:password@host:port/schema?extra=1.")
@click.option("--conn-json", help="All fields as a JSON object.")
@click.option("--conn-type", help="What it leads to, such as postgres or http.")
@click.option("--conn-description", help="What it is for.")
@click.option("--conn-host", help="Its host.")
@click.option("--conn-login", help="As whom.")
@click.option("--conn-password", help="The password.")
@click.option("--conn-schema", help="The database, or whatever its type calls a schema.")
@click.option("--conn-port", type=int, help="Its port.")
@click.option("--conn-extra", help="More fields, as a JSON object.")
@output_option
@with_home
def add(home: Home, /, conn_id: str, output: Format, **given: Any) -> None:
    """Add a connection to the database.

    \b
    Example:
      orchestrator connections add warehouse --conn-uri postgresql://etl:secret@db:5432/sales
    """
    _store(home).add(_kept(_made(conn_id, given)), by=who())
    found = _store(home).get(conn_id)
    assert found is not None
    show_object(_row(found.read(), show_secrets=False), output)


@click.command("delete")
@id_argument
@yes_option
@with_home
def delete(home: Home, conn_id: str, yes: bool) -> None:
    """Delete a connection.

    \b
    Example:
      orchestrator connections delete warehouse -y
    """
    if conn_id not in _store(home).ids():
        raise _unknown(home, conn_id)
    confirm(f"Delete the connection {conn_id!r}?", yes=yes)
    _store(home).delete(conn_id, by=who())


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--overwrite", is_flag=True, help="Change connections that are there already.")
@with_home
def import_(home: Home, file: Path, overwrite: bool) -> None:
    """Add the connections that a file holds.

    FILE is a JSON object of connections by id, each an object of fields or a URI; or lines of CONN_ID=URI if it ends
    in .env.

    \b
    Example:
      orchestrator connections import connections.json --overwrite
    """
    store = _store(home)
    made = [_imported(conn_id, value) for conn_id, value in read_file(file).items()]
    known = set(store.ids())
    taken = [one for one in made if overwrite or one.conn_id not in known]
    for one in taken:
        store.add(_kept(one), overwrite=overwrite, by=who())
    skipped = f", {len(made) - len(taken)} that were there already are as they were" if len(taken) < len(made) else ""
    remark(f"{len(taken)} connections added{skipped}.")


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--file-format", type=click.Choice(["json", "env"]), help="By default what FILE ends in, else json.")
@click.option("--serialization-format", type=click.Choice(["uri", "json"]), help="How env writes each; uri by default.")
@with_home
def export(home: Home, file: Path, file_format: str | None, serialization_format: str | None) -> None:
    """Write every connection of the database into a file, decrypted; - is the terminal.

    \b
    Example:
      orchestrator connections export connections.env --serialization-format json
    """
    kind = file_format or ("env" if file.suffix == ".env" else "json")
    if serialization_format and kind != "env":
        raise click.UsageError("--serialization-format goes with the format env", ctx=click.get_current_context())
    found = [one.read() for one in _store(home).all()]
    if kind == "json":
        text = json.dumps({one.conn_id: json.loads(one.as_json()) for one in found}, indent=2) + "\n"
    else:
        written = {one.conn_id: one.as_json() if serialization_format == "json" else one.get_uri() for one in found}
        text = "".join(f"{conn_id}={line}\n" for conn_id, line in written.items())
    write_file(file, text)
    remark(f"{len(found)} connections written to {file}.")


def _made(conn_id: str, given: dict[str, Any]) -> Connection:
    uri, as_json = given.pop("conn_uri"), given.pop("conn_json")
    fields = {name: given[name] for name in _FIELDS if given[name] is not None}
    if (uri is None) + (as_json is None) + (not fields) != 2:
        raise UsageError("say what the connection is with one of --conn-uri, --conn-json, or --conn-type and the like")
    if uri is not None:
        made = Connection.from_uri(uri, conn_id)
    elif as_json is not None:
        made = Connection.from_json(as_json, conn_id)
    else:
        made = Connection(conn_id, **{_FIELDS[name]: value for name, value in fields.items()})
    if not made.conn_type:
        raise UsageError("a connection needs a type; add --conn-type")
    made.description = given["conn_description"] or made.description
    if given["conn_extra"] is not None:
        made.extra = _json_object(given["conn_extra"])
    return made


def _kept(one: Connection) -> Kept:
    return Kept(conn_id=one.conn_id, fields=one.as_json())


def _json_object(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UsageError("--conn-extra is no JSON object")
    return text


def _imported(conn_id: str, value: Any) -> Connection:
    return Connection.from_text(value if isinstance(value, str) else json.dumps(value), conn_id)


def _row(one: Connection, *, show_secrets: bool) -> dict[str, Any]:
    if show_secrets:
        return one.to_dict() | {"uri": one.get_uri()}
    row = one.to_dict()
    return row | {"password": STARS if one.password else one.password, "extra": STARS if one.extra else one.extra}


def _unknown(home: Home, conn_id: str) -> NotFoundError:
    return NotFoundError(f"there is no connection {conn_id!r}{did_you_mean(conn_id, _store(home).ids())}")
