"""``orchestrator users``."""

import sys
from typing import Any

import click

from orchestrator.account_ports import User
from orchestrator.assembly.accounts import Accounts, accounts_of
from orchestrator.assembly.home import Home
from orchestrator.cli.options import completed, confirm, who, with_home, yes_option
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.console import say
from orchestrator.core.rights import grant_of
from orchestrator.core.sign_in import user_name
from orchestrator.exceptions import UsageError

USER_COLUMNS = ("username", "roles", "is_active", "last_sign_in")
_LONGEST_LINE = 4096

user_argument = click.argument(
    "user", shell_complete=completed(lambda home, _params: (user.name for user in accounts(home).users()))
)
grant_argument = click.argument("role", metavar="ROLE[:PATTERN]")
stdin_option = click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")


def accounts(home: Home) -> Accounts:
    return home.part(accounts_of)


def user_row(user: User) -> dict[str, Any]:
    """A user. ``roles`` were granted by hand, ``group_roles`` follow from the groups of their provider."""
    return {
        "username": user.name,
        "roles": [str(grant) for grant in user.grants],
        "group_roles": [str(grant) for grant in user.mapped],
        "is_active": user.is_active,
        "has_password": user.has_password,
        "issuer": None if user.identity is None else user.identity.issuer,
        "created_at": user.created_at,
        "password_changed_at": user.password_changed_at,
        "last_sign_in": user.last_sign_in_at,
    }


@click.command("list")
@output_option
@with_home
def list_users(home: Home, output: Format) -> None:
    """List the users, and what they may do.

    \b
    Example:
      orchestrator users list
    """
    rows = [user_row(user) for user in accounts(home).users()]
    show_rows(rows, output, USER_COLUMNS, empty="There are no users.")


@click.command("create")
@click.argument("user")
@click.option("-r", "--role", "roles", multiple=True, metavar="ROLE[:PATTERN]", help="What to grant; may be repeated.")
@stdin_option
@click.option("--no-password", is_flag=True, help="They sign in through a provider, or use tokens only.")
@output_option
@with_home
def create(
    home: Home, user: str, roles: tuple[str, ...], password_stdin: bool, no_password: bool, output: Format
) -> None:
    """Create a user.

    A role is viewer (sees), user (also starts runs), operator (also changes them, pools, variables and connections) or
    admin. With a PATTERN it is one on the DAGs whose id fits it: * stands for any text, ? for one character.

    \b
    Example:
      orchestrator users create ada --role operator
      orchestrator users create bob --role viewer --role 'operator:etl_*' --password-stdin
    """
    if password_stdin and no_password:
        raise click.UsageError("--no-password has no --password-stdin", ctx=click.get_current_context())
    user, grants = user_name(user), [grant_of(role) for role in roles]
    password = None if no_password else read_password(password_stdin)
    show_object(user_row(accounts(home).create_user(user, password, grants, by=who())), output)


@click.command("delete")
@user_argument
@yes_option
@with_home
def delete(home: Home, user: str, yes: bool) -> None:
    """Delete a user, with their tokens and sessions.

    What they did stays in the histories of runs and in the audit log.

    \b
    Example:
      orchestrator users delete ada -y
    """
    found = accounts(home).user(user)
    confirm(f"Delete the user {found.name!r} with all of their tokens?", yes=yes)
    accounts(home).delete_user(user, by=who())
    say(f"Deleted {user}.")


@click.command("passwd")
@user_argument
@stdin_option
@with_home
def passwd(home: Home, user: str, password_stdin: bool) -> None:
    """Set a user's password.

    Their sessions end; where sign-in had failed too often, they need not wait any longer.

    \b
    Example:
      orchestrator users passwd ada
    """
    accounts(home).user(user)
    accounts(home).set_password(user, read_password(password_stdin), by=who())
    say(f"Set the password of {user}.")


@click.command("grant")
@user_argument
@grant_argument
@output_option
@with_home
def grant(home: Home, user: str, role: str, output: Format) -> None:
    """Grant a role, on all DAGs or on those whose id fits a pattern.

    \b
    Example:
      orchestrator users grant ada 'operator:etl_*'
    """
    accounts(home).grant(user, grant_of(role), by=who())
    show_object(user_row(accounts(home).user(user)), output)


@click.command("revoke")
@user_argument
@grant_argument
@output_option
@with_home
def revoke(home: Home, user: str, role: str, output: Format) -> None:
    """Take a role away, as it was granted.

    \b
    Example:
      orchestrator users revoke ada 'operator:etl_*'
    """
    if not accounts(home).revoke(user, grant_of(role), by=who()):
        held = ", ".join(map(str, accounts(home).user(user).grants)) or "nothing"
        raise UsageError(f"{user!r} was not granted {role!r}, but {held}")
    show_object(user_row(accounts(home).user(user)), output)


@click.command("enable")
@user_argument
@with_home
def enable(home: Home, user: str) -> None:
    """Let a user come in again.

    \b
    Example:
      orchestrator users enable ada
    """
    say(f"Enabled {user}." if accounts(home).set_active(user, True, by=who()) else f"{user} is enabled already.")


@click.command("disable")
@user_argument
@with_home
def disable(home: Home, user: str) -> None:
    """Keep a user out: their sessions end, and their tokens let nobody in.

    \b
    Example:
      orchestrator users disable ada
    """
    say(f"Disabled {user}." if accounts(home).set_active(user, False, by=who()) else f"{user} is disabled already.")


@click.command("sign-out")
@user_argument
@with_home
def sign_out(home: Home, user: str) -> None:
    """End all sessions of a user.

    \b
    Example:
      orchestrator users sign-out ada
    """
    say(f"Ended {accounts(home).end_sessions(user, by=who())} sessions of {user}.")


def read_password(from_stdin: bool) -> str:
    """A password that is typed twice at the terminal, or a line of the standard input; never an argument."""
    if from_stdin:
        return sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("there is nobody to ask for a password; give it with --password-stdin")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    return password
