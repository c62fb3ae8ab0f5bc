"""What becomes of a folder of DAG files that were written for Airflow: ``python -m benchmarks.airflow_files FOLDER``.

Each file stands alone in a home of its own, with whatever is no Python file beside it and the packages below its
folder. It is checked with ``compat check``, and each DAG of a file that misses nothing is run once by ``dags test``.
Nothing is asked of a network but what the files ask for themselves.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_PATIENCE = float(os.environ.get("PATIENCE", "180"))


class Trial(NamedTuple):
    """What one file came to; ``ended`` says for each of its DAGs how its run ended."""

    verdict: str
    findings: tuple[str, ...] = ()
    ended: tuple[tuple[str, str], ...] = ()


def tried(file: Path) -> Trial:
    """Check the file, and run its DAGs."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copytree(file.parent, home / "dags", ignore=lambda at, names: _others(file, at, names))
        (home / "airflow_like.cfg").touch()
        said = _run(home, "compat", "check", str(home / "dags" / file.name))
        if said is None or not said.stdout:
            return Trial("no answer")
        [checked] = json.loads(said.stdout)["files"]
        findings = tuple(f"{one['line']}: {one['message']}" for one in checked["findings"])
        if checked["verdict"] == "missing":
            return Trial("missing", findings)
        return Trial(checked["verdict"], findings, tuple((dag, _ending(home, dag)) for dag in checked["dags"]))


def _others(file: Path, at: str, names: list[str]) -> set[str]:
    """The DAG files beside this one."""
    return {name for name in names if Path(at) == file.parent and name.endswith(".py") and name != file.name}


def _ending(home: Path, dag: str) -> str:
    said = _run(home, "dags", "test", dag)
    if said is None:
        return f"still runs after {_PATIENCE:.0f} s"
    try:
        run: dict[str, Any] = json.loads(said.stdout)
    except ValueError:
        return said.stderr.strip().splitlines()[-1]
    failed = [task["task_id"] for task in run["tasks"] if task["state"] == "failed"]
    return f"{run['state']}: {', '.join(sorted(set(failed)))}" if failed else str(run["state"])


def _run(home: Path, *words: str) -> subprocess.CompletedProcess[str] | None:
    command = [sys.executable, "-m", "orchestrator", *words, "-o", "json"]
    env = {**os.environ, "ORCHESTRATOR_HOME": str(home)}
    try:
        return subprocess.run(
            command, env=env, cwd=home, capture_output=True, text=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return None


def lines(folder: Path, file: Path, trial: Trial) -> Iterator[str]:
    """What is printed of one file."""
    yield f"{file.relative_to(folder)}  {trial.verdict}"
    yield from (f"    {finding}" for finding in trial.findings if trial.verdict == "missing")
    yield from (f"    {dag}  {ending}" for dag, ending in trial.ended)


def main(folder: Path) -> None:
    """Print each file as it is done, and the sums at the end."""
    verdicts, endings = Counter[str](), Counter[str]()
    for file in sorted(folder.rglob("*.py")):
        if file.name == "__init__.py" or (file.parent / "__init__.py").exists():
            continue  # a module that DAG files import
        trial = tried(file)
        verdicts[trial.verdict] += 1
        endings.update(ending.partition(":")[0] for _, ending in trial.ended)
        print("\n".join(lines(folder, file, trial)), flush=True)
    print(f"\n{verdicts.total()} files: {dict(verdicts.most_common())}")
    print(f"{endings.total()} DAGs: {dict(endings.most_common())}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
