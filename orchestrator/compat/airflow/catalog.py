"""The catalog: what each of Airflow's names is here, or one sentence that says why it is not."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from orchestrator.compat.airflow.differences import DIFFERENCES, NEVER_RAISED
from orchestrator.compat.airflow.entries import Absent, Entry, Table
from orchestrator.compat.airflow.features import FAMILIES
from orchestrator.compat.airflow.gone import GONE
from orchestrator.compat.airflow.interior import INTERIOR
from orchestrator.compat.airflow.tables.bridges import BRIDGES
from orchestrator.compat.airflow.tables.classic import CLASSIC
from orchestrator.compat.airflow.tables.definitions import DEFINITIONS
from orchestrator.compat.airflow.tables.program import PROGRAM
from orchestrator.compat.airflow.tables.scheduling import SCHEDULING
from orchestrator.compat.airflow.tables.sdk import SDK
from orchestrator.compat.airflow.tables.services import SERVICES
from orchestrator.compat.airflow.tables.standard import STANDARD
from orchestrator.compat.airflow.tables.toolbox import TOOLBOX
from orchestrator.nearest import did_you_mean

ROOT = "airflow"
TABLES: Table = {
    **CLASSIC,
    **SDK,
    **DEFINITIONS,
    **STANDARD,
    **SERVICES,
    **SCHEDULING,
    **TOOLBOX,
    **PROGRAM,
    **BRIDGES,
}

_NEVER_RAISED = "orchestrator.compat.airflow.exceptions:"
_PROVIDERS = "airflow.providers."
_FAMILIES_OF_PROVIDERS = frozenset({"apache", "atlassian", "cncf", "common", "dbt", "microsoft"})


class Served(NamedTuple):
    """``target`` is ``package.module:name``, or a module; ``difference`` what is else about it, a sentence without its
    subject, or nothing.
    """

    target: str
    difference: str = ""


class Missing(NamedTuple):
    """``sentence`` says what it is, that it is not there, and what to do; ``feature`` what it belongs to, in short."""

    sentence: str
    feature: str


Found: TypeAlias = Served | Missing


def find_module(module: str) -> Missing | None:
    """None where that module is served."""
    if module in TABLES:
        return None
    parents = itertools.accumulate(module.split("."), "{}.{}".format)
    for name in parents:
        if name in GONE:
            return _gone(module, GONE[name])
    return _unserved(module)


def find(module: str, name: str) -> Found:
    """What ``from module import name`` gives, where the module is served."""
    known = TABLES[module]
    if name in known:
        return _resolved(module, name, known[name])
    if f"{module}.{name}" in TABLES:
        return Served(f"{module}.{name}")
    if f"{module}:{name}" in GONE:
        return _gone(f"{module}.{name}", GONE[f"{module}:{name}"])
    below = find_module(f"{module}.{name}")
    return below if below is not None and below.feature != _UNKNOWN else _unknown(module, name)


def served_names(module: str) -> Iterator[str]:
    """The names of a served module that can be imported from it."""
    return (name for name in TABLES[module] if isinstance(find(module, name), Served))


_UNKNOWN = "names that Airflow does not have"


def _resolved(module: str, name: str, entry: Entry) -> Found:
    """Follows one of Airflow's names to the next."""
    place = f"{module}:{name}"
    while isinstance(entry, str) and entry.partition(":")[0] in TABLES:
        place = entry
        there, _, what = place.partition(":")
        if not what:
            break
        entry = TABLES[there][what]
    if isinstance(entry, Absent):
        return _absent(f"{module}.{name}", entry)
    difference = NEVER_RAISED if entry.startswith(_NEVER_RAISED) else ""
    return Served(entry, DIFFERENCES.get(place, difference))


def _absent(what: str, entry: Absent) -> Missing:
    return Missing(f"{what} is not supported here: it belongs to {entry.feature}; {entry.instead}", entry.feature)


def _gone(what: str, instead: str) -> Missing:
    return Missing(f"{what} is not in Airflow 3 any more either; use {instead}", "names that Airflow 3 has removed")


def _unserved(module: str) -> Missing:
    first = module.removeprefix(f"{ROOT}.").partition(".")[0]
    if module in INTERIOR:
        return _absent(module, INTERIOR[module])
    if module.startswith(_PROVIDERS):
        parts = module.removeprefix(_PROVIDERS).split(".")
        provider = ".".join(parts[: 2 if parts[0] in _FAMILIES_OF_PROVIDERS else 1])
        instead = "call the service's own client library in a @task function"
        if "notifications" in parts:
            instead = "send the message with AppriseNotifier of orchestrator.notifiers.apprise"
        return Missing(
            f"{module} is not served here: of Airflow's providers standard, apprise's notifier, http, smtp, common.sql "
            f"and common.io are; {instead}",
            f"the provider {provider}",
        )
    if first in FAMILIES:
        return Missing(
            f"{module} is of Airflow's own program, which is not here; remove the import",
            "the inner workings of Airflow",
        )
    return Missing(f"{module} is no public module of Airflow 3{did_you_mean(module, TABLES)}", _UNKNOWN)


def _unknown(module: str, name: str) -> Missing:
    near = did_you_mean(name, TABLES[module])
    return Missing(f"{module}.{name} is no public name of Airflow 3{near}", _UNKNOWN)
