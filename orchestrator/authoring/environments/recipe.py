"""Recipe: what an environment is built from, and the key under which it is kept."""

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LAYOUT = 1  # of what is kept; another number keeps apart what was built before
_COMMENT = re.compile(r"(^|\s)#.*$")
_ABSOLUTE = re.compile(r"(?:^|(?<=[\s=@])|(?<=file://))(/[^\s;\[\]'\"]+)")
_NESTED = re.compile(r"-(?:r|c|-requirement|-constraint)\b")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides what is in an environment.

    ``requirements`` are lines as pip reads them. ``python_version`` is None for the Python that runs now.
    ``index_urls`` is None where the machine's own settings say, and empty where no index may be asked. ``cache_key``
    is text of the author's that keeps environments apart.
    """

    requirements: tuple[str, ...] = ()
    python_version: str | None = None
    system_site_packages: bool = True
    options: tuple[str, ...] = ()
    index_urls: tuple[str, ...] | None = None
    cache_key: str = ""

    @property
    def is_for_this_python(self) -> bool:
        """Whether the Python that runs now is of the version that is asked for."""
        if self.python_version is None:
            return True
        asked = self.python_version.split(".")
        return platform.python_version_tuple()[: len(asked)] == tuple(asked)

    @property
    def key(self) -> str:
        """The same for all recipes that come to the same environment: 20 hexadecimal digits.

        Files and folders that a requirement names by their absolute path count with what is in them.
        """
        own = [str(Path(sys.executable).resolve()), platform.python_version()]
        parts: list[Any] = [
            _LAYOUT,
            sorted(self.requirements),
            own if self.is_for_this_python else self.python_version,
            self.system_site_packages,
            self.options,
            self.index_urls,
            self.cache_key,
            [digest for line in sorted(self.requirements) for digest in _contents(line)],
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]


def requirement_lines(requirements: str | Sequence[str] | None) -> tuple[str, ...]:
    """The lines of one text, or of several, without comments and empty ones; a backslash at its end joins a line with
    the next.
    """
    texts = [requirements] if isinstance(requirements, str) else requirements or ()
    lines = (line for text in texts for line in str(text).replace("\\\n", " ").splitlines())
    return tuple(line for raw in lines if (line := _COMMENT.sub("", raw).strip()))


def _contents(line: str) -> Iterator[str]:
    for match in _ABSOLUTE.finditer(line):
        path = Path(match[1])
        if path.is_dir():
            yield _digest(
                f"{file.relative_to(path)} {file.stat().st_size} {file.stat().st_mtime_ns}\n".encode()
                for file in sorted(path.rglob("*"))
                if file.is_file()
            )
        elif path.is_file():
            data = path.read_bytes()
            yield _digest([data])
            if _NESTED.match(line):
                for nested in requirement_lines(data.decode("utf-8", "replace")):
                    yield from _contents(nested)


def _digest(pieces: Iterator[bytes] | list[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()
