"""Code, airflow_like.cfg and the reference pages agree."""

import os
import re
import subprocess
import sys
from pathlib import Path

from orchestrator.cli.settings import default_file
from orchestrator.config import load_config, settings

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "orchestrator"


def test_the_shipped_file_is_what_the_code_declares() -> None:
    shipped = (ROOT / "airflow_like.cfg").read_text(encoding="utf-8")
    assert shipped == "\n".join(default_file()) + "\n", "write it with: orchestrator config list --defaults"


def test_the_shipped_file_sets_everything_to_its_default(tmp_path: Path) -> None:
    given = load_config({"ORCHESTRATOR_HOME": str(ROOT)}, ROOT)
    bare = load_config({"ORCHESTRATOR_HOME": str(tmp_path)}, ROOT)
    for setting in settings():
        assert len(given.given[setting.section, setting.key]) == 1
        assert str(given.value(setting)).replace(str(ROOT), str(tmp_path)) == str(bare.value(setting))


def test_every_setting_is_used_by_the_program() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if (PACKAGE / "config") not in path.parents
    )
    unused = [setting.name for setting in settings() if not re.search(rf"\b{setting.section}\.{setting.key}\b", code)]
    assert unused == []


def test_the_reference_pages_are_what_the_program_says() -> None:
    command = [sys.executable, "docs/write_reference.py", "--check"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
