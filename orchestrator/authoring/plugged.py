"""What a template takes of plugins: looked up as its file is parsed, so that the plugin is part of the version."""

import contextlib
import re
from collections.abc import Container

from orchestrator.authoring import macros
from orchestrator.authoring.extensions import current_extensions

_MACROS = re.compile(r"\bmacros\.([A-Za-z]\w*)")
_FILTER = re.compile(r"(?<!\|)\|\s*([A-Za-z_]\w*)")


def take_plugins(text: str, filters: Container[str]) -> None:
    """Ask for the plugins that ``text`` names; ``filters`` are those that are no plugin's.

    One that is not there, or does not work, is told of when the template is rendered.
    """
    extensions = current_extensions()
    with contextlib.suppress(Exception):
        for name in set(_MACROS.findall(text)) - set(macros.__all__):
            extensions.macros(name)
    with contextlib.suppress(Exception):
        for name in sorted(set(_FILTER.findall(text))):
            if name not in filters:
                extensions.filter(name)
