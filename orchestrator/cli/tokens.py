"""``orchestrator tokens``."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import click

from orchestrator.account_ports import Token
from orchestrator.assembly.home import Home
from orchestrator.cli.options import completed, confirm, who, with_home, yes_option
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.console import remark, say
from orchestrator.cli.users import accounts, user_argument
from orchestrator.core.rights import grant_of
from orchestrator.exceptions import UsageError

TOKEN_COLUMNS = ("user", "name", "scopes", "expires_at", "last_used_at")
_lifetime = re.compile(r"(\d{1,6})([mhdw])", re.ASCII).fullmatch
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def token_row(token: Token) -> dict[str, Any]:
    """A token without its secret. ``scopes`` null: all that its user may."""
    return {
        "id": token.id,
        "user": token.user,
        "name": token.name,
        "scopes": None if token.scopes is None else [str(scope) for scope in token.scopes],
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    }


@completed
def token_names(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return (token.name for token in accounts(home).tokens(params["user"]))


@click.command("create")
@user_argument
@click.argument("name")
@click.option(
    "-s", "--scope", "scopes", multiple=True, metavar="ROLE[:PATTERN]", help="All that it may do; repeatable."
)
@click.option("--expires-in", metavar="TIME", help="Such as 12h, 30d or never; otherwise [auth] token_lifetime.")
@output_option
@with_home
def create(home: Home, user: str, name: str, scopes: tuple[str, ...], expires_in: str | None, output: Format) -> None:
    """Make a token, by which a program is let in as a user.

    It is shown this once. It may do what its user may, and with --scope only so much of it.

    \b
    Example:
      orchestrator tokens create ada ci --scope 'user:etl_*' --expires-in 30d
      orchestrator tokens create ada laptop -o json
    """
    token, secret = accounts(home).create_token(
        user,
        name,
        scopes=[grant_of(scope) for scope in scopes] or None,
        lifetime=None if expires_in is None else read_lifetime(expires_in),
        by=who(),
    )
    show_object(token_row(token) | {"token": secret}, output)
    remark("Keep the token now: it is not shown again.")


@click.command("list")
@click.option("-u", "--user", help="Only those of this user.")
@output_option
@with_home
def list_tokens(home: Home, user: str | None, output: Format) -> None:
    """List tokens, without what they open.

    \b
    Example:
      orchestrator tokens list --user ada
    """
    rows = [token_row(token) for token in accounts(home).tokens(user)]
    show_rows(rows, output, TOKEN_COLUMNS, empty="There are no tokens.")


@click.command("revoke")
@user_argument
@click.argument("name", shell_complete=token_names)
@yes_option
@with_home
def revoke(home: Home, user: str, name: str, yes: bool) -> None:
    """Revoke a token; servers heed that within five seconds.

    \b
    Example:
      orchestrator tokens revoke ada ci -y
    """
    confirm(f"Revoke the token {name!r} of {user!r}?", yes=yes)
    accounts(home).revoke_token(user, name, by=who())
    say(f"Revoked {name} of {user}.")


def read_lifetime(text: str) -> timedelta:
    """How long ``30d``, ``12h``, ``45m`` or ``2w`` is; zero, which is for ever, is ``never``."""
    if text.strip().lower() == "never":
        return timedelta(0)
    found = _lifetime(text.strip().lower())
    if found is None or int(found[1]) == 0:
        raise UsageError(f"{text[:40]!r} is no time to last; write it like 12h, 30d or never")
    return int(found[1]) * _UNITS[found[2]]
