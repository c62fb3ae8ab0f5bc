"""Plugin modules: the code of plugins, run, and what it offers; as it is now, or as a version's snapshot has it."""

import contextlib
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from orchestrator.authoring.masking import masked
from orchestrator.dagbag.blame import blame
from orchestrator.dagbag.roots import PLUGINS, Roots
from orchestrator.exceptions import DagError, DagImportError
from orchestrator.plugins.airflow_plugin import airflow_plugins, taken
from orchestrator.plugins.candidates import Candidate, installed
from orchestrator.plugins.plugin import Plugin


def load_plugins(candidate: Candidate, roots: Roots) -> list[Plugin]:
    """The plugins of a candidate: its own hooks, and the AirflowPlugins in it. Imports have to find its modules.

    DagImportError with file and line says why it cannot be one.
    """
    with blaming(candidate, roots):
        found = _object(candidate)
        _check_place(candidate, found, roots)
        return _plugins_in(candidate, found)


@contextlib.contextmanager
def blaming(candidate: Candidate, roots: Roots) -> Iterator[None]:
    """Whatever the candidate's code raises inside is a DagImportError with its place in that code."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise _blamed(error, candidate, roots) from error


def module_of(candidate: Candidate) -> object:
    """What the candidate is, loaded."""
    return _object(candidate)


def _object(candidate: Candidate) -> object:
    if candidate.is_installed:
        [entry, *_] = installed(candidate.name)
        return entry.load()
    return import_module(candidate.name)


def _check_place(candidate: Candidate, found: object, roots: Roots) -> None:
    """What is installed comes before a file of the same name, which would never be imported."""
    if not candidate.is_installed and roots.name(str(getattr(found, "__file__", ""))) is None:
        raise DagError(
            f"Python has another module {candidate.name!r}, which is the one that is imported; rename the file"
        )


def _plugins_in(candidate: Candidate, found: object) -> list[Plugin]:
    airflow = airflow_plugins(found) if isinstance(found, ModuleType) else []
    own = Plugin(candidate.name, [found])
    others = [taken(one) for one in airflow]
    return [own, *others] if own.hooks or not others else others


def _blamed(error: BaseException, candidate: Candidate, roots: Roots) -> DagImportError:
    source = candidate.source if candidate.is_installed else f"{PLUGINS}/{candidate.source}"
    found = blame(error, source, roots)
    return DagImportError(
        masked(found.message).replace("put its file into the DAGs folder", "put its file into the plugins folder"),
        file=(found.file or source).removeprefix(f"{PLUGINS}/"),
        line=found.line,
        frames=tuple(masked(frame).replace(f'"{PLUGINS}/', '"') for frame in found.frames),
    )
