"""What -o means: the same rows as a table, JSON, YAML or plain columns."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import click
import msgspec

from orchestrator.cli.printable import json_text
from orchestrator.cli.render.console import remark
from orchestrator.cli.render.table import print_object, print_plain, print_plain_object, print_table
from orchestrator.cli.yaml import to_yaml

Row = Mapping[str, Any]
F = TypeVar("F", bound=Callable[..., Any])


class Format(StrEnum):
    """How a result is shown."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    PLAIN = "plain"


def output_option(command: F) -> F:
    """Give a command ``-o``; it arrives as ``output``."""
    option = click.option(
        "-o",
        "--output",
        type=click.Choice([format_.value for format_ in Format]),
        default=Format.TABLE.value,
        show_default=True,
        callback=lambda _ctx, _param, value: Format(value),
        help="How to show the result; json prints JSON and nothing else.",
    )
    return option(command)


def json_option(command: F) -> F:
    """Give a command whose result is one JSON value ``-o``; it arrives as ``output``."""
    choices = click.Choice([Format.JSON.value, Format.YAML.value])
    return click.option("-o", "--output", type=choices, default="json", show_default=True, help="How to show it.")(
        command
    )


def show_json(data: bytes, output: str) -> None:
    """One JSON value as it is recorded, or as YAML."""
    sys.stdout.write(to_yaml(json.loads(data)) if output == "yaml" else json_text(data.decode("utf-8")) + "\n")


def show_rows(rows: Sequence[Row], output: Format, columns: Sequence[str], *, empty: str) -> None:
    """Show a list. ``columns`` are what a table has room for; ``empty`` is the remark where there are no rows."""
    match output:
        case Format.JSON:
            print_json(list(rows))
        case Format.YAML:
            sys.stdout.write(to_yaml(plain_data(list(rows))))
        case Format.TABLE | Format.PLAIN if not rows:
            remark(empty)
        case Format.TABLE:
            print_table(rows, columns)
        case Format.PLAIN:
            print_plain(rows, columns)


def show_object(row: Row, output: Format, fields: Sequence[str] = ()) -> None:
    """Show one thing. ``fields`` are those that a table shows; none means all."""
    match output:
        case Format.JSON:
            print_json(row)
        case Format.YAML:
            sys.stdout.write(to_yaml(plain_data(row)))
        case Format.TABLE:
            print_object({name: row[name] for name in fields or row})
        case Format.PLAIN:
            print_plain_object({name: row[name] for name in fields or row})


def print_json(value: Any) -> None:
    """JSON, indented, on stdout."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(json_text(text) + "\n")


def plain_data(value: Any) -> Any:
    """Structs, moments and enums as JSON values."""
    return json.loads(msgspec.json.encode(value))
