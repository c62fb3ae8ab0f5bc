"""``orchestrator login``, ``logout`` and ``logins``: servers that commands work with from afar."""

import sys
from urllib.parse import urlsplit

import click

from orchestrator.assembly.line import Line, checked_url
from orchestrator.cli import edge
from orchestrator.cli.logins import Login, Logins, logins_file, read_logins, require_login, write_logins
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.cli.printable import one_line
from orchestrator.cli.render.console import remark, say
from orchestrator.exceptions import ForbiddenError, UsageError

_LONGEST_LINE = 4096
COLUMNS = ("name", "url", "ca", "is_default")


@click.command("login")
@click.argument("server", metavar="URL")
@click.option("-n", "--name", help="What to call it in --url; its host where this is left out.")
@click.option("--token-stdin", is_flag=True, help="Read the token from the standard input.")
def login(server: str, name: str | None, token_stdin: bool) -> None:
    """Keep a server's URL and a token, so that commands work with it from afar.

    A token is made in the pages, or by `orchestrator tokens create`. It is tried, and kept in a file that only you can
    read. Afterwards `--url NAME` is enough; on a machine without a home of its own commands go to the server that was
    logged in to last.

    \b
    Example:
      orchestrator login https://orchestrator.example.com --name prod
      orchestrator --url prod dags list
    """
    url = checked_url(server)
    kept = Login(name=name or urlsplit(url).netloc, url=url, token=_token(token_stdin), ca=edge.ca())
    _require_name(kept.name)
    _try(kept)
    write_logins(read_logins().including(kept))
    say(f"Logged in to {kept.url}; commands work with it by: orchestrator --url {kept.name}")


@click.command("logout")
@click.argument("server", metavar="[NAME|URL]", required=False)
@click.option("--all", "is_all", is_flag=True, help="Forget all of them.")
def logout(server: str | None, is_all: bool) -> None:
    """Forget a server and the token that lets you in.

    It is the one logged in to last, unless another is named. The token itself stays good until it expires;
    `orchestrator tokens revoke` ends it.

    \b
    Example:
      orchestrator logout prod
    """
    if is_all:
        write_logins(Logins())
        say("Logged out of all servers.")
        return
    found = require_login(server) if server else read_logins().default()
    if found is None:
        raise UsageError("there is no server to log out of")
    write_logins(read_logins().without(found))
    say(f"Logged out of {found.url}.")
    remark(f"Its token is good until it expires; end it with: orchestrator tokens revoke (in {found.name})")


@click.command("logins")
@output_option
def logins(output: Format) -> None:
    """List the servers that you have logged in to.

    Their tokens are not shown.

    \b
    Example:
      orchestrator logins
    """
    known = read_logins()
    rows = [
        {"name": one.name, "url": one.url, "ca": one.ca, "is_default": one == known.default()} for one in known.servers
    ]
    show_rows(rows, output, COLUMNS, empty=f"There are no logins in {logins_file()}.")


def _token(from_stdin: bool) -> str:
    if from_stdin:
        token = sys.stdin.readline(_LONGEST_LINE)
    elif sys.stdin.isatty():
        token = click.prompt("Token", hide_input=True, err=True)
    else:
        raise UsageError("there is nobody to ask for a token; give it with --token-stdin")
    if not token.strip().isascii() or not token.strip().isprintable() or not token.strip():
        raise UsageError("this is no token; it looks like orc_ and 43 letters, digits, dashes and underscores")
    return token.strip()


def _require_name(name: str) -> None:
    if not name.strip() or "/" in name or one_line(name) != name:
        raise UsageError(f"{name!r} is no name of a server; leave --name out, or write a word without slashes")


def _try(login: Login) -> None:
    """RemoteError where the server is not there or does not know the token; what it may do there is not asked."""
    line = Line(login.url, login.token, login.ca)
    try:
        line.ask("reads", "last_position", b"{}")
    except ForbiddenError:
        remark("The token is good, but whoever it is of has no right to anything there.")
    finally:
        line.close()
