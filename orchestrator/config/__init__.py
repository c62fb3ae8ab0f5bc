"""The settings: what there is, what each is set to, and who set it."""

from orchestrator.config.loading import (
    FILE_NAME,
    HOME_VARIABLE,
    Config,
    Given,
    Source,
    SourceKind,
    find_home,
    load_config,
)
from orchestrator.config.settings import PREFIX, SECTIONS, Setting, settings
from orchestrator.config.values import censor, describe, is_secret, write

__all__ = [
    "FILE_NAME",
    "HOME_VARIABLE",
    "PREFIX",
    "SECTIONS",
    "Config",
    "Given",
    "Setting",
    "Source",
    "SourceKind",
    "censor",
    "describe",
    "find_home",
    "is_secret",
    "load_config",
    "settings",
    "write",
]
