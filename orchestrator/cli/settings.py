"""``orchestrator config``."""

from collections.abc import Iterator
from typing import Any

import click
from click.shell_completion import CompletionItem

from orchestrator.cli import edge
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.config import SECTIONS, Config, Setting, censor, describe, is_secret, settings, write
from orchestrator.exceptions import NotFoundError
from orchestrator.nearest import did_you_mean


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    names = {f"{setting.section}.{setting.key}": setting.doc for setting in settings()}
    return [CompletionItem(name, help=doc) for name, doc in names.items() if name.startswith(incomplete)]


setting_argument = click.argument("name", metavar="SECTION KEY", nargs=-1, required=True, shell_complete=_complete)


@click.command("list")
@click.option("--section", help="Only the settings of this section.")
@click.option("--defaults", is_flag=True, help="Print airflow_like.cfg as it would be with every default.")
@output_option
def list_settings(section: str | None, defaults: bool, output: Format) -> None:
    """List every setting and its value.

    \b
    Example:
      orchestrator config list --section core
      orchestrator config list --defaults > airflow_like.cfg
    """
    if section is not None and section not in SECTIONS:
        raise NotFoundError(f"there is no section [{section}]{did_you_mean(section, SECTIONS)}")
    if defaults:
        click.echo("\n".join(default_file()))
        return
    config = edge.config()
    rows = [_row(config, setting) for setting in settings() if section in (None, setting.section)]
    show_rows(rows, output, ["section", "key", "value", "source"], empty="There are no settings.")


@click.command("get-value")
@setting_argument
def get_value(name: tuple[str, ...]) -> None:
    """Print the value of a setting.

    \b
    Example:
      orchestrator config get-value core dags_folder
    """
    config = edge.config()
    click.echo(write(config.value(find(name))))


@click.command("explain")
@setting_argument
@output_option
def explain(name: tuple[str, ...], output: Format) -> None:
    """Show a setting's value, meaning and where it was set.

    \b
    Example:
      orchestrator config explain core parallelism
    """
    config, setting = edge.config(), find(name)
    given = config.given.get((setting.section, setting.key), ())
    row = _row(config, setting) | {
        "overrides": [{"value": _shown(setting, one.text), "source": one.source.place} for one in given[1:]],
        "type": describe(setting),
        "variable": setting.variable,
        "meaning": setting.doc,
    }
    show_object(row if output in (Format.JSON, Format.YAML) else _readable(row), output)


def find(name: tuple[str, ...]) -> Setting:
    """The setting called ``section key``, ``section.key``, or ``key`` where only one is called so."""
    words = [word for part in name for word in part.split(".") if word]
    known = list(settings())
    found = [one for one in known if [one.section, one.key][-len(words) :] == words]
    if len(found) == 1:
        return found[0]
    wanted = ".".join(words)
    raise NotFoundError(
        f"there is no setting {wanted!r}{did_you_mean(wanted, (f'{s.section}.{s.key}' for s in known))}"
    )


def default_file() -> Iterator[str]:
    """The lines of an airflow_like.cfg that sets everything to its default."""
    yield "# Settings of the orchestrator. The folder of this file is its home: relative paths start here."
    yield "# An environment variable ORCHESTRATOR__SECTION__KEY overrides a setting of this file;"
    yield "# `orchestrator config explain KEY` says which value counts, and where it was set."
    section = ""
    for setting in settings():
        if setting.section != section:
            section = setting.section
            yield from ("", f"# {SECTIONS[section].__doc__}", f"[{section}]")
        yield from ("", f"# {setting.doc} ({describe(setting)})", f"{setting.key} = {write(setting.default)}")


def _row(config: Config, setting: Setting) -> dict[str, Any]:
    source = config.source(setting)
    return {
        "section": setting.section,
        "key": setting.key,
        "value": _shown(setting, write(config.value(setting))),
        "default": write(setting.default),
        "source": source.place or source.kind.value,
    }


def _shown(setting: Setting, text: str) -> str:
    return "***" if text and is_secret(setting) else censor(text)


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    overrides = [f"{one['value']} ({one['source']})" for one in row["overrides"]]
    return row | {"overrides": overrides}
