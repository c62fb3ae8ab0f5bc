"""``orchestrator api-server``."""

import socket
import sys
import threading
from datetime import timedelta

import click
from fastapi import FastAPI
from msgspec.structs import replace

from orchestrator.api.server import run_api_server
from orchestrator.assembly.accounts import make_accounts
from orchestrator.assembly.home import Home
from orchestrator.assembly.port import listen, url_of
from orchestrator.cli import edge
from orchestrator.cli.journal import notice, start_journal
from orchestrator.cli.program import main
from orchestrator.config import Config
from orchestrator.web.door import HomeDoor
from orchestrator.web.site import make_site


@click.command("api-server")
@click.option("-H", "--host", metavar="ADDRESS", help="Where to listen, in place of [api] host.")
@click.option("-p", "--port", type=click.IntRange(0, 65535), help="In place of [api] port; 0 takes any that is free.")
@click.option("--while-stdin-is-open", is_flag=True, hidden=True, help="End when whoever started this is gone.")
@click.option("--on", "descriptor", type=int, hidden=True, help="The socket to serve on, which is open already.")
def api_server(host: str | None, port: int | None, while_stdin_is_open: bool, descriptor: int | None) -> None:
    """Serve the pages and the REST API.

    `orchestrator standalone` does so besides everything else; this command is for a home whose parts run apart. It
    ends on SIGTERM or Ctrl-C.

    \b
    Example:
      orchestrator api-server --port 9090
    """
    config = _with_place(edge.config(), host, port)
    start_journal(config)
    stop = threading.Event()
    if while_stdin_is_open:
        threading.Thread(target=_wait_for_end_of_stdin, args=[stop], daemon=True).start()
    if descriptor is not None:
        with socket.socket(fileno=descriptor) as listener:
            run_api_server(config, listener, site_of, stop=stop, idle=config.api.idle_seconds)
        return
    with listen(config) as listener:
        url = url_of(listener)
        idle = timedelta(0)
        run_api_server(config, listener, site_of, stop=stop, idle=idle, on_ready=lambda: notice(f"pages are at {url}"))


def site_of(home: Home) -> FastAPI:
    """The pages and the REST API, for the accounts of the home."""
    return make_site(home, HomeDoor(make_accounts(home.config, home.engine), home.config))


def serve_on(descriptor: int) -> int:
    """The process that ``standalone`` starts: on its socket, until nobody asks or standalone is gone."""
    return main(["api-server", "--while-stdin-is-open", "--on", str(descriptor)])


def _with_place(config: Config, host: str | None, port: int | None) -> Config:
    api = config.api
    api = replace(api, host=api.host if host is None else host, port=api.port if port is None else port)
    return replace(config, api=api)


def _wait_for_end_of_stdin(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()
