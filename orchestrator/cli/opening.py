"""Opening the home that a command works with: this machine's, or that of a server."""

import os

from orchestrator.assembly.home import Home, open_home
from orchestrator.cli import edge
from orchestrator.cli.lazy import loaded
from orchestrator.exceptions import UsageError

_TOKEN = "ORCHESTRATOR_TOKEN"  # noqa: S105 - the name of the variable


def asked_home() -> Home:
    """The home that --url names, or else this machine's."""
    server = edge.url()
    if server is None:
        return open_home(edge.config())
    token = os.environ.get(_TOKEN, "")
    if not token:
        hint = "`orchestrator tokens create` makes one"
        raise UsageError(f"{server} lets in whoever has a token: put it into {_TOKEN}; {hint}")
    home = loaded("orchestrator.assembly.remote:open_remote")(edge.own_config(), server, token)
    assert isinstance(home, Home)
    return home
