"""Stock: the activities and signals that the workflows of a file can use.

They are those that the file and the local modules which it loads make, and those that these modules, or the module of
a workflow, have by name or in a module that they have by name. That is told by looking at the modules and not by who
was imported first, so it is the same in every process: an installed package is loaded once, by whichever file is first.
"""

from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any

from orchestrator.authoring.activity import Activity
from orchestrator.authoring.inventory import Made
from orchestrator.authoring.signal import Signal
from orchestrator.authoring.workflow_dag import WorkflowDag
from orchestrator.dagbag.roots import Roots


def stock_of(
    made: Sequence[Made], loaded: Iterable[ModuleType], workflows: Iterable[WorkflowDag], roots: Roots
) -> list[Made]:
    """In the order in which they were made, then by where they were found; each once."""
    own = [one for one in made if roots.name(one.place.file) is not None]
    spaces = [vars(module) for module in loaded] + [dag.names for dag in workflows]
    found = [one for space in spaces for one in _offered(space)]
    return list({id(one): one for one in (*own, *found)}.values())


def _offered(space: dict[str, Any]) -> Iterator[Made]:
    """What a module has by name, itself or in a module that it has by name."""
    for value in list(space.values()):
        if isinstance(value, Activity | Signal):
            yield value
        elif isinstance(value, ModuleType):
            yield from (one for one in list(vars(value).values()) if isinstance(one, Activity | Signal))
