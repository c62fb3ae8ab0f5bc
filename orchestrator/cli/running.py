"""``orchestrator run FILE``: a DAG file as a script, where ``import airflow`` means this program."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import click
import msgspec

from orchestrator.assembly.typed_json import read_object
from orchestrator.authoring.collecting import collecting
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.trying import Wishes, noting_trials
from orchestrator.cli.exits import FAILED
from orchestrator.cli.script import try_out
from orchestrator.compat.airflow.finder import serve_airflow
from orchestrator.dagbag.blame import blame
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import DagError, NotFoundError, OrchestratorError, UsageError
from orchestrator.names import RunState
from orchestrator.nearest import did_you_mean


@click.command("run", context_settings={"ignore_unknown_options": True})
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
@click.option("-d", "--dag-id", metavar="DAG", help="Which of the file's DAGs to run.")
@click.option("-c", "--conf", metavar="JSON", help="The run's input: a JSON object.")
def run(file: Path, arguments: tuple[str, ...], dag_id: str | None, conf: str | None) -> None:
    """Run a DAG file as a script.

    As `python FILE` does it, but for one thing: `import airflow` means this program where Airflow is not installed. A
    file that calls `dag.test()` itself, below `if __name__ == "__main__":`, is given the ARGUMENTS and does as it
    says. Of any other the one DAG is run, or the one that is named; with --dag-id or --conf the file's own call is
    left out. Tasks run in this process, so that a debugger can stop in them. Exits 0 only if the run succeeds.

    \b
    Example:
      orchestrator run dags/order_1001.py --conf '{"amount": 42}'
    """
    is_chosen = dag_id is not None or conf is not None
    wishes = Wishes(run_conf=msgspec.json.decode(read_object(conf, "--conf")) if conf else None)
    path = file.absolute()
    with _as_script(path, arguments), collecting() as made, noting_trials() as tried:
        _execute(path, path.stem if is_chosen else "__main__")
        if tried and not is_chosen:
            return
        ended = try_out(_chosen([dag for dag in made if dag.fileloc == str(path)], path, dag_id), wishes)
    click.get_current_context().exit(0 if ended.state is RunState.SUCCESS else FAILED)


@contextmanager
def _as_script(path: Path, arguments: Sequence[str]) -> Iterator[None]:
    """What a script sees of its process: its arguments, and the modules beside it."""
    before = sys.argv, sys.path[:]
    sys.argv, sys.path[:] = [str(path), *arguments], [str(path.parent), *sys.path]
    serve_airflow()
    try:
        yield
    finally:
        sys.argv, sys.path[:] = before


def _execute(path: Path, name: str) -> None:
    """Run the file's code in a new module of that name, which stays for as long as this process does."""
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    module = sys.modules[name] = ModuleType(name)
    module.__file__ = str(path)
    try:
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - it is what was asked for
    except OrchestratorError:
        raise
    except Exception as error:
        raise blame(error, path.name, Roots(path.parent)) from error


def _chosen(dags: Sequence[DAG], path: Path, dag_id: str | None) -> DAG:
    by_id = {dag.dag_id: dag for dag in dags}
    if dag_id is not None and dag_id not in by_id:
        raise NotFoundError(f"{path} defines no DAG {dag_id!r}{did_you_mean(dag_id, by_id)}")
    if not by_id:
        raise DagError(f"{path.name} defines no DAG; a function under @dag makes one only when it is called")
    if dag_id is None and len(by_id) > 1:
        raise UsageError(f"{path.name} defines {', '.join(sorted(by_id))}; choose one with --dag-id")
    return by_id[dag_id or next(iter(by_id))]
