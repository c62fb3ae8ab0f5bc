"""The edge: where a command learns of this process's environment."""

import os
from pathlib import Path

from orchestrator.config import Config, load_config
from orchestrator.exceptions import UsageError


def here() -> Path:
    """The working folder."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the working folder is gone; change to one that exists") from None


def config() -> Config:
    """The settings that this command works with."""
    return load_config(os.environ, here())
