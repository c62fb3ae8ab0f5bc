"""Files of variables or connections, which hold secrets."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from orchestrator.exceptions import UsageError


def read_file(file: Path) -> dict[str, Any]:
    """What a file holds by name: a JSON object, or lines of NAME=VALUE where its name ends in ``.env``."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no UTF-8'}") from None
    return _lines(file, text) if file.suffix == ".env" else _object(file, text)


def _lines(file: Path, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, equals, value = line.strip().partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals or name in found:
            raise UsageError(f"{file}:{number}: {'it is there twice' if equals else 'expected NAME=VALUE'}")
        found[name] = value
    return found


def _object(file: Path, text: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for name in {name for name, _ in pairs}:
            if sum(name == other for other, _ in pairs) > 1:
                raise UsageError(f"{file}: {name!r} stands in it twice")
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=once)
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(f"{file} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{file} is no JSON object with a name for each value")
    return found


def write_file(file: Path, text: str) -> None:
    """For its owner's eyes only; ``-`` is the terminal."""
    if str(file) == "-":
        sys.stdout.write(text)
        return
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    with os.fdopen(number, "w", encoding="utf-8") as written:
        os.fchmod(number, 0o600)
        written.write(text)
