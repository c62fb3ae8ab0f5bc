"""The first admin of a home, whom ``standalone`` has made in a process of its own."""

from orchestrator.assembly.accounts import FIRST_ADMIN, make_accounts
from orchestrator.assembly.home import open_home
from orchestrator.cli import edge
from orchestrator.cli.journal import notice


def make() -> None:
    """Make one in a home that has no users, and tell the password: it is kept nowhere."""
    with open_home(edge.config()) as home:
        password = make_accounts(home.config, home.engine).ensure_admin()
    if password is not None:
        notice(f"sign in as {FIRST_ADMIN} with the password {password}, which is told this once")
