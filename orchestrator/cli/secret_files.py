"""Files of variables or connections, which hold secrets."""

import os
import sys
from pathlib import Path
from typing import Any

from orchestrator.assembly.named_values import named_values
from orchestrator.exceptions import UsageError


def read_file(file: Path) -> dict[str, Any]:
    """What a file holds by name: a JSON object, or lines of NAME=VALUE where its name ends in ``.env``."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is no UTF-8'}") from None
    return _lines(file, text) if file.suffix == ".env" else named_values(text, str(file))


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
