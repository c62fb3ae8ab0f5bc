"""``orchestrator completion``."""

import click
from click.shell_completion import get_completion_class

from orchestrator.cli.program import NAME, orchestrator

_VARIABLE = f"_{NAME.upper()}_COMPLETE"


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands in your shell.

    It completes commands, options, and the ids of DAGs, tasks and runs from the database.

    \b
    Example:
      eval "$(orchestrator completion bash)"                                         # in ~/.bashrc
      eval "$(orchestrator completion zsh)"                                          # in ~/.zshrc
      orchestrator completion fish > ~/.config/fish/completions/orchestrator.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, shell
    click.echo(kind(orchestrator, {}, NAME, _VARIABLE).source())
