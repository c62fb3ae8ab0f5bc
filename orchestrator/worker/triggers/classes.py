"""Classes of triggers, by the dotted path that ``serialize`` gives."""

import sys
from importlib import import_module
from pathlib import Path

from orchestrator.authoring.trigger import BaseTrigger
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import UsageError


def trigger_class(classpath: str) -> type[BaseTrigger]:
    """The class; UsageError where there is none, or it is no trigger's."""
    module, _, name = classpath.rpartition(".")
    if not module:
        raise UsageError(f"the classpath of a trigger must be module.Class, not {classpath!r}")
    try:
        found = getattr(import_module(module), name, None)
    except ImportError as error:
        raise UsageError(
            f"the trigger {classpath} cannot be imported: {error}; have serialize() name its module as an import "
            f"statement would"
        ) from error
    if not (isinstance(found, type) and issubclass(found, BaseTrigger)):
        raise UsageError(f"{classpath} is no class that is derived from BaseTrigger; have serialize() name that class")
    return found


def is_local(classpath: str, code: str) -> bool:
    """Whether that module, which has been imported, is one of the files in the folder ``code``."""
    file = getattr(sys.modules.get(classpath.rpartition(".")[0]), "__file__", None)
    return isinstance(file, str) and Roots(Path(code)).name(file) is not None
