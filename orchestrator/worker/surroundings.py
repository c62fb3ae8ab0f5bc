"""Surroundings: what a body may change about its process, put back for the next one."""

import os


class Surroundings:
    """The environment variables and the working folder. What else a body changes, isolation="fork" keeps apart."""

    def __init__(self) -> None:
        self._folder = os.getcwd()  # noqa: PTH109 - looked at after every body
        self._variables = dict(_variables())

    def note(self) -> None:
        """Remember the variables as they are now: the author's file may have set some when it was loaded."""
        self._variables = dict(_variables())

    def restore(self) -> None:
        """Put back what has changed since ``note``."""
        if _variables() != self._variables:
            os.environb.clear()
            os.environb.update(self._variables)
        if _folder() != self._folder:
            os.chdir(self._folder)


def _variables() -> dict[bytes, bytes]:
    # Its own dict of bytes: reading them one by one would cost as much as all the rest of an empty body.
    return os.environ._data  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001


def _folder() -> str:
    """Where the process is; empty if that folder is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - as above
    except FileNotFoundError:
        return ""
