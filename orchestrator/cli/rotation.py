"""``orchestrator rotate-fernet-key``."""

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.vault import vault_of
from orchestrator.cli.options import who, with_home
from orchestrator.cli.render.console import remark


@click.command("rotate-fernet-key")
@with_home
def rotate_fernet_key(home: Home) -> None:
    """Encrypt every variable and connection anew, with the first key of [core] fernet_key.

    Put the new key first, a comma and the old one behind it; run this; then take the old one away.

    \b
    Example:
      orchestrator rotate-fernet-key
    """
    vault = vault_of(home, by=who())
    variables, connections = vault.variables.rotate(), vault.connections.rotate()
    remark(f"{variables} variables and {connections} connections are encrypted with the first key now.")
