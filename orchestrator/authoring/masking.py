"""Masking: secrets that this process has read are three stars wherever it writes."""

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import quote, quote_plus

STARS = "***"
SENSITIVE_WORDS = (
    "access_token",
    "api_key",
    "apikey",
    "authorization",
    "connection_string",
    "keyfile_dict",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "proxies",
    "secret",
    "service_account",
    "token",
)
"""What the name of a secret contains; Airflow's list."""

_SHORTEST = 5  # a shorter one would be found in the middle of ordinary words
_SHORTEST_LINE = 16


def is_sensitive(name: object) -> bool:
    """Whether what is called so is a secret."""
    words = str(name).casefold()
    return any(word in words for word in SENSITIVE_WORDS)


class _Secrets:
    """Those of this process."""

    known: ClassVar[set[str]] = set()
    pattern: ClassVar[re.Pattern[str] | None] = None
    pattern_of_bytes: ClassVar[re.Pattern[bytes] | None] = None


def mask_secret(secret: Any, name: str | None = None) -> None:
    """Show three stars instead of ``secret`` from now on; inside of dicts and lists what has a sensitive name.

    With a ``name``, only where that is a secret's. Secrets of fewer than five characters are shown as they are.
    """
    fresh = {spelling for text in _secrets(secret, name) for spelling in _spellings(text)} - _Secrets.known
    if fresh:
        _Secrets.known = _Secrets.known | fresh
        longest_first = sorted(_Secrets.known, key=len, reverse=True)
        _Secrets.pattern = re.compile("|".join(map(re.escape, longest_first)))
        encoded = (word.encode("utf-8", "backslashreplace") for word in longest_first)
        _Secrets.pattern_of_bytes = re.compile(b"|".join(map(re.escape, encoded)))


def masked(text: str) -> str:
    """``text`` without the secrets that this process has read."""
    return text if _Secrets.pattern is None else _Secrets.pattern.sub(STARS, text)


def masked_bytes(data: bytes) -> bytes:
    """The same for UTF-8."""
    return data if _Secrets.pattern_of_bytes is None else _Secrets.pattern_of_bytes.sub(STARS.encode(), data)


def masked_value(value: Any, name: object = "") -> Any:
    """A JSON value without secrets; what has a sensitive name is one as a whole."""
    if isinstance(value, dict):
        return {masked(str(key)): masked_value(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [masked_value(item, name) for item in value]
    if value not in (None, "") and is_sensitive(name):
        return STARS
    return masked(value) if isinstance(value, str) else value


def _secrets(secret: Any, name: str | None) -> Iterator[str]:
    if isinstance(secret, dict):
        for key, value in secret.items():
            yield from _secrets(value, name if name and is_sensitive(name) else str(key))
    elif isinstance(secret, (list, tuple, set)):
        for value in secret:
            yield from _secrets(value, name)
    elif isinstance(secret, str) and (name is None or is_sensitive(name)):
        yield secret


def _spellings(text: str) -> Iterator[str]:
    """How a secret may stand in what is written: as it is, in a URL, in JSON, in Python's own words, line by line."""
    lines = text.splitlines() if "\n" in text else []
    for part in (text, text.strip(), *(line.strip() for line in lines if len(line.strip()) >= _SHORTEST_LINE)):
        if len(part) >= _SHORTEST:
            yield from (part, quote(part, safe=""), quote(part), quote_plus(part), json.dumps(part)[1:-1])
            yield from (repr(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1])
