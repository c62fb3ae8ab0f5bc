"""Small functions of ``airflow.utils`` that files for Airflow take with them."""

import os
import random
import re
import socket
import string
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from itertools import chain, filterfalse, tee
from typing import Any, TypeVar

import networkx as nx

from orchestrator.authoring.alerts import addresses as listed
from orchestrator.authoring.dag import DAG
from orchestrator.exceptions import CycleError

_Item = TypeVar("_Item")
_TRUE = frozenset({"on", "t", "true", "y", "yes", "1"})
_NAMES: Mapping[str, tuple[str, str]] = {
    "dag_email": ("task", "email"),
    "dag_owner": ("task", "owner"),
    "dag_id": ("task_instance", "dag_id"),
    "task_id": ("task_instance", "task_id"),
    "logical_date": ("dag_run", "logical_date"),
    "try_number": ("task_instance", "try_number"),
    "dag_run_id": ("dag_run", "run_id"),
}


def is_container(obj: Any) -> bool:
    """Whether it has items, and is no text."""
    return hasattr(obj, "__iter__") and not isinstance(obj, str)


def chunks(items: Sequence[_Item], chunk_size: int) -> Generator[Sequence[_Item], None, None]:
    """Parts of that many items, the last of them perhaps shorter."""
    if chunk_size <= 0:
        raise ValueError("the size of a chunk is at least 1")
    for start in range(0, len(items), chunk_size):
        yield items[start : start + chunk_size]


def as_flattened_list(iterable: Iterable[Iterable[_Item]]) -> list[_Item]:
    """The items of all of them."""
    return list(chain.from_iterable(iterable))


def partition(pred: Callable[[_Item], bool], iterable: Iterable[_Item]) -> tuple[Iterable[_Item], Iterable[_Item]]:
    """Those for which it is false, and those for which it is true."""
    first, second = tee(iterable)
    return filterfalse(pred, first), filter(pred, second)


def merge_dicts(dict1: Mapping[Any, Any], dict2: Mapping[Any, Any]) -> dict[Any, Any]:
    """Both, at any depth; where both have a key that is no dict, the second counts."""
    merged = dict(dict1)
    for key, value in dict2.items():
        merged[key] = merge_dicts(merged[key], value) if key in merged and isinstance(value, dict) else value
    return merged


def prune_dict(val: Any, mode: str = "strict") -> Any:
    """Without what is None at any depth; with ``mode="truthy"``, without all that is empty or false."""
    if mode not in ("strict", "truthy"):
        raise ValueError(f"mode is strict or truthy, not {mode!r}")

    def stays(one: Any) -> bool:
        return one is not None if mode == "strict" else bool(one)

    if isinstance(val, dict):
        pruned = {key: prune_dict(one, mode) for key, one in val.items() if stays(one)}
        return {key: one for key, one in pruned.items() if stays(one)}
    if isinstance(val, list):
        return [one for one in (prune_dict(item, mode) for item in val if stays(item)) if stays(one)]
    return val


def exactly_one(*args: Any) -> bool:
    """Whether one of them is true, and only one."""
    if args and is_container(args[0]):
        raise ValueError("give the items one by one: exactly_one(*items)")
    return sum(map(bool, args)) == 1


def at_most_one(*args: Any) -> bool:
    """Whether no two of them are true."""
    if args and is_container(args[0]):
        raise ValueError("give the items one by one: at_most_one(*items)")
    return sum(map(bool, args)) <= 1


def convert_camel_to_snake(camel_str: str) -> str:
    """``CamelCase`` as ``camel_case``."""
    return re.sub(r"(?!^)([A-Z]+)", r"_\1", camel_str).lower()


def get_random_string(length: int = 8, choices: str = string.ascii_letters + string.digits) -> str:
    """So many characters, taken at random; they keep no secret."""
    return "".join(random.choices(choices, k=length))


def to_boolean(astring: str | None) -> bool:
    """Whether a text says yes."""
    return astring is not None and astring.strip().lower() in _TRUE


def get_hostname() -> str:
    """The full name of this machine."""
    return socket.getfqdn()


def get_host_ip_address() -> str:
    """Its address."""
    return socket.gethostbyname(socket.getfqdn())


def import_string(dotted_path: str) -> Any:
    """What stands at ``package.module.name``; ImportError where nothing does."""
    module, _, name = dotted_path.rpartition(".")
    if not module:
        raise ImportError(f"{dotted_path!r} names no module; write package.module.name")
    try:
        return getattr(import_module(module), name)
    except AttributeError:
        raise ImportError(f"the module {module!r} has no {name!r}") from None


def qualname(o: Any) -> str:
    """The dotted path of a function, a class or an object's class."""
    named = o if hasattr(o, "__qualname__") else type(o)
    return f"{named.__module__}.{named.__qualname__}"


def get_email_address_list(addresses: str | Iterable[str]) -> list[str]:
    """E-mail addresses, from a text with commas or semicolons between them, or from a list of such."""
    return list(listed(addresses))


def check_cycle(dag: DAG) -> None:
    """CycleError if the tasks of the DAG wait for each other in a circle."""
    edges = ((upstream, task.task_id) for task in dag.tasks for upstream in task.upstream_task_ids)
    graph: nx.DiGraph[str] = nx.DiGraph(edges)
    if not nx.is_directed_acyclic_graph(graph):
        raise CycleError([edge[0] for edge in nx.find_cycle(graph)], file=dag.fileloc)


@contextmanager
def patch_environ(new_env_variables: Mapping[str, str]) -> Iterator[None]:
    """These environment variables, inside of the block."""
    before = {name: os.environ.get(name) for name in new_env_variables}
    os.environ.update(new_env_variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def context_merge(context: dict[str, Any], *args: Any, **kwargs: Any) -> None:
    """``context.update(…)``."""
    context.update(*args, **kwargs)


def context_to_airflow_vars(context: Mapping[str, Any], in_env_var_format: bool = False) -> dict[str, str]:
    """What an attempt is called, as texts by ``airflow.ctx.dag_id``, or by ``AIRFLOW_CTX_DAG_ID``."""
    found = {}
    for name, (subject, attribute) in _NAMES.items():
        value = getattr(context.get(subject), attribute, None)
        if value:
            found[f"AIRFLOW_CTX_{name.upper()}" if in_env_var_format else f"airflow.ctx.{name}"] = _text(value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return ",".join(value) if isinstance(value, list | tuple) else str(value)
