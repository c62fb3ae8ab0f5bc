"""``orchestrator runs replay``."""

import contextlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import msgspec

from orchestrator.assembly.code_at_hand import Code, code_of_file, code_of_version
from orchestrator.assembly.folding import Tell
from orchestrator.assembly.holding import Held, Source, held
from orchestrator.assembly.home import Home, open_home
from orchestrator.cli import edge
from orchestrator.cli.exits import FAILED
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dags_then_runs
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.render.bar import progress_bar
from orchestrator.cli.render.console import say
from orchestrator.config import Config
from orchestrator.core.reasons import listed
from orchestrator.exceptions import ConflictError, NotFoundError, StorageError, UsageError
from orchestrator.storage.transcripts import Transcript

_code_file = click.Path(path_type=Path)


_Homes = Callable[[], Home]


@click.command("replay")
@click.argument("words", metavar="DAG [RUN] | FILE", nargs=-1, required=True, shell_complete=dags_then_runs)
@click.option("--code", type=_code_file, metavar="FILE.py", help="Against this DAG file, or the files of this folder.")
@click.option("--version", "number", type=click.IntRange(min=1), help="Against this version of the DAG.")
@output_option
def replay(words: tuple[str, ...], code: Path | None, number: int | None, output: Format) -> None:
    """Hold a recorded run against the DAG as it is now.

    FILE is an exported run. Nothing runs and nothing is recorded. Of a static DAG it says which recorded tasks the
    graph has no place for, and what would run now; the code of a workflow is replayed. Exits 0 where it fits, else 1.

    \b
    Example:
      orchestrator runs replay order_1001
      orchestrator runs replay order.jsonl --code dags/order_1001.py
    """
    if code is not None and number is not None:
        raise UsageError("say --code or --version, not both")
    config = edge.config()
    with contextlib.ExitStack() as stack:
        home = cache(lambda: stack.enter_context(open_home(config)))
        with progress_bar("Reading the history") as tell:
            source = _source(home, words, tell)
        today = stack.enter_context(_code(config, home, source.run.dag_id, code, number))
        with progress_bar("Replaying the code") as tell:
            found = held(config, source, today, tell)
    if output is Format.TABLE:
        _print(found)
    else:
        show_object(_object(found), output)
    if not found.fits:
        click.get_current_context().exit(FAILED)


def _source(home: _Homes, words: tuple[str, ...], tell: Tell) -> Source:
    """A file where the one word names one, else a DAG and its run."""
    match words:
        case (word,) if _is_file(word):
            return Source.of_file(Transcript(Path(word)), tell)
        case (dag_id,):
            return _recorded(home(), dag_id, None, tell)
        case (dag_id, run_id):
            return _recorded(home(), dag_id, run_id, tell)
        case _:
            raise UsageError("say a DAG and at most one RUN, or the FILE of an exported run")


def _is_file(word: str) -> bool:
    return Path(word).is_file() or "/" in word or Path(word).suffix in (".json", ".jsonl")


def _recorded(home: Home, dag_id: str, run_id: str | None, tell: Tell) -> Source:
    run = find_run(home, dag_id, run_id)
    if run.is_pending:
        raise ConflictError(f"nothing is recorded of run {run.run_id!r} yet: {run.reason}")
    return Source.of_run(home, run, tell)


@contextlib.contextmanager
def _code(config: Config, home: _Homes, dag_id: str, path: Path | None, number: int | None) -> Iterator[Code]:
    """A database is opened only where the code is in one: a test of a file needs none."""
    if path is not None:
        with code_of_file(config, path, dag_id) as code:
            yield code
        return
    try:
        code = code_of_version(home(), dag_id, number)
    except (NotFoundError, StorageError) as error:
        raise NotFoundError(f"{error}, or name the DAG file with --code") from error
    yield code


def _object(found: Held) -> dict[str, Any]:
    return {"fits": found.fits, "sentences": found.sentences} | msgspec.structs.asdict(found)


def _print(found: Held) -> None:
    what = f"{found.run_id} of {found.dag_id}, {found.facts} facts, against {found.code}"
    if found.fits:
        say(f"It fits: {what}.")
    else:
        say(f"It does not fit: {what}.", style="bold red")
    for sentence in found.sentences:
        say(f"  {sentence}")
    if found.block is not None:
        for frame in found.block.frames:
            for line in frame.splitlines():
                say(f"    {line}", style="dim")
    for note in found.notes:
        say(f"Note: {note}.")
    if found.runs_now:
        say(f"It would go on with {listed(list(found.runs_now), 10)}.")
    if found.runs_later:
        say(f"After that: {listed(list(found.runs_later), 10)}.")
