"""A home with plugins, and the command line that looks at it."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROGRAM = [sys.executable, "-c", "import sys; from orchestrator.cli import main; sys.exit(main())"]


class PluggedHome:
    """A folder with dags/ and plugins/."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dags = folder / "dags"
        self.plugins = folder / "plugins"
        self.dags.mkdir()
        self.plugins.mkdir()

    def plugin(self, name: str, source: str) -> None:
        path = self.plugins / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")

    def dag(self, name: str, source: str) -> None:
        (self.dags / name).write_text(textwrap.dedent(source), encoding="utf-8")

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        return subprocess.run(
            [*PROGRAM, *words],
            env={**inherited, "ORCHESTRATOR_HOME": str(self.folder), **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def said(self, *words: str, **environment: str) -> str:
        done = self.run(*words, **environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listed(self, **environment: str) -> Mapping[str, Any]:
        """What `plugins list` says, by name."""
        rows = json.loads(self.said("plugins", "list", "-o", "json", **environment))
        return {row["name"]: row for row in rows}
