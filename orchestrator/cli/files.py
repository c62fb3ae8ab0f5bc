"""``orchestrator dags list-import-errors`` and ``report``: how the DAG files were read."""

import click

from orchestrator.assembly.home import Home
from orchestrator.cli import rows
from orchestrator.cli.options import with_home
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.cli.printable import printable
from orchestrator.cli.render.console import out, remark


@click.command("list-import-errors")
@output_option
@with_home
def list_import_errors(home: Home, output: Format) -> None:
    """List the DAG files that cannot be read.

    \b
    Example:
      orchestrator dags list-import-errors -o json
    """
    errors = home.reads.import_errors()
    show_rows(
        [rows.error_row(error) for error in errors], output, rows.ERROR_COLUMNS, empty="Every DAG file could be read."
    )
    if output is Format.TABLE:
        for error in errors:
            for line in error.failure.frames:
                out().print(f"  {printable(line)}", style="dim", markup=False)
        for warned in home.reads.import_warnings():
            remark(f"warning: {warned.file}:{warned.failure.line}: {printable(warned.failure.message)}")


@click.command("report")
@output_option
@with_home
def report(home: Home, output: Format) -> None:
    """Show how long each DAG file took to read.

    \b
    Example:
      orchestrator dags report
    """
    files = sorted(home.reads.files(), key=lambda file: -file.duration)
    show_rows([rows.file_row(file) for file in files], output, rows.FILE_COLUMNS, empty="No DAG file was read yet.")
