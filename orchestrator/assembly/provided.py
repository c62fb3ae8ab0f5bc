"""Provided: the optional packages that more of this program works with, installed or not."""

import re
from importlib.metadata import PackageNotFoundError, metadata, requires, version

import msgspec

PROGRAM = "orchestrator"
_NOT_FOR_USERS = frozenset({"dev", "examples", "pictures"})
_requirement = re.compile(r"([A-Za-z0-9._-]+).*extra == ['\"]([^'\"]+)['\"]").match


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A package of an extra; ``version`` is None where it is not installed."""

    extra: str
    package: str
    version: str | None
    description: str


def providers() -> list[Provider]:
    """By extra and package."""
    found = (_requirement(text) for text in _required())
    pairs = sorted({(one[2], one[1]) for one in found if one and one[2] not in _NOT_FOR_USERS})
    return [_provider(extra, package) for extra, package in pairs]


def _required() -> list[str]:
    try:
        return requires(PROGRAM) or []
    except PackageNotFoundError:  # it runs from a folder of its sources
        return []


def _provider(extra: str, package: str) -> Provider:
    try:
        summary = str(metadata(package)["Summary"] or "")
        return Provider(extra=extra, package=package, version=version(package), description=summary)
    except PackageNotFoundError:
        return Provider(extra=extra, package=package, version=None, description="")
