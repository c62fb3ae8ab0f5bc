"""``orchestrator version``."""

import platform
from importlib import metadata

import click

from orchestrator.cli.output import Format, output_option, show_object

DISTRIBUTION = "orchestrator"


@click.command("version")
@output_option
def version(output: Format) -> None:
    """Print the version.

    \b
    Example:
      orchestrator version -o json
    """
    try:
        number = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        number = "not installed, run from its source"
    if output is Format.TABLE:
        click.echo(number)
    else:
        show_object({"version": number, "python": platform.python_version()}, output)
