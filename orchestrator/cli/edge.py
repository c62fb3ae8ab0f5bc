"""The edge: where a command learns of this process's environment."""

import os
from pathlib import Path

import click

from orchestrator.config import Config, load_config
from orchestrator.exceptions import UsageError

URL = "ORCHESTRATOR_URL"
CA = "ORCHESTRATOR_CA"


def here() -> Path:
    """The working folder."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the working folder is gone; change to one that exists") from None


def config() -> Config:
    """The settings of this machine's home; UsageError where the command was told to work with one elsewhere."""
    if url() is not None:
        raise UsageError(f"this command works on the machine of the home itself; leave --url and {URL} away")
    return own_config()


def own_config() -> Config:
    """This machine's settings, whatever home the command works with."""
    return load_config(os.environ, here())


def url() -> str | None:
    """Where the server is, if the home lies elsewhere."""
    return _given("url") or os.environ.get(URL) or None


def ca() -> str | None:
    """The file of certificates that servers are trusted by, in place of the system's."""
    found = _given("ca") or os.environ.get(CA)
    return str(Path(found).absolute()) if found else None


def _given(option: str) -> str | None:
    """What was said before the command."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.find_root().params.get(option)
