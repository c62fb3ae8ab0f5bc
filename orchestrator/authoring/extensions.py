"""What plugins add to templates; whoever runs an author's code says where they are."""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol


class Extensions(Protocol):
    """The plugins of the version that runs now."""

    def macros(self, plugin: str) -> Any | None:
        """An object whose attributes are the macros of that plugin; None if there is no such plugin."""

    def filter(self, name: str) -> Callable[..., Any] | None:
        """The filter of that name; None if no plugin has one."""


class NoExtensions:
    """Where there are no plugins."""

    def macros(self, plugin: str) -> Any | None:  # noqa: ARG002 - the protocol
        return None

    def filter(self, name: str) -> Callable[..., Any] | None:  # noqa: ARG002 - the protocol
        return None


class _Kept:
    """Those of this process now."""

    extensions: ClassVar[Extensions] = NoExtensions()


def keep_extensions(extensions: Extensions) -> Extensions:
    """Let templates use these from now on; those that they used before."""
    before, _Kept.extensions = _Kept.extensions, extensions
    return before


def current_extensions() -> Extensions:
    """Those of the version that runs now."""
    return _Kept.extensions
