"""Where an author's files lie: dags_folder and plugins_folder, or a snapshot that holds the files of both."""

import os
from collections.abc import Iterator
from pathlib import Path

PLUGINS = ".plugins"
_absolute = os.path.abspath  # and not resolve(): what lies behind a link belongs to where the author sees it


class Roots:
    """The folders that local modules come from, and the one relative name that each file below them has.

    A file of dags_folder is named by its path below it, one of plugins_folder by its path below it after
    ``.plugins/``. In a snapshot, which is laid out by these names, every file keeps its name.
    """

    def __init__(self, folder: Path, plugins: Path | None = None) -> None:
        self.folder = Path(_absolute(folder))
        self.plugins = self.folder / PLUGINS if plugins is None else Path(_absolute(plugins))
        # The longer one first: plugins_folder may lie inside dags_folder, as it does in a snapshot.
        named = {str(self.folder): "", str(self.plugins): f"{PLUGINS}/"}
        self._prefixes = sorted(named.items(), key=lambda item: -len(item[0]))

    def __iter__(self) -> Iterator[tuple[Path, str]]:
        """Each folder, with what the names of its files begin with."""
        yield self.folder, ""
        yield self.plugins, f"{PLUGINS}/"

    def name(self, path: str) -> str | None:
        """The relative name of a path, made absolute by the working folder; None outside of both folders.

        ``<string>`` and its like, which Python gives to code that has no file, have none.
        """
        if path.startswith("<"):
            return None
        absolute = _absolute(path)
        for folder, prefix in self._prefixes:
            if absolute.startswith(f"{folder}/"):
                return prefix + absolute[len(folder) + 1 :]
        return None

    def path(self, name: str) -> Path:
        """Where the file of that relative name lies."""
        if name.startswith(f"{PLUGINS}/"):
            return self.plugins / name[len(PLUGINS) + 1 :]
        return self.folder / name

    def shorten(self, text: str) -> str:
        """``text`` with the folders' own paths taken out of it."""
        for folder, prefix in self._prefixes:
            text = text.replace(f"{folder}/", prefix)
        return text
