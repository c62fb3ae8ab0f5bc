"""Pages: where people reach the pages of this program, for links that tasks send."""

from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote, urlencode

from orchestrator.exceptions import UsageError


class _Kept:
    """The address of this process, the same in all of its threads."""

    base_url: ClassVar[str] = ""


def keep_base_url(url: str) -> str:
    """Let this be the address from now on; which it was before."""
    before, _Kept.base_url = _Kept.base_url, url
    return before


def answer_url(
    dag_id: str,
    run_id: str,
    task_id: str,
    map_index: int,
    *,
    base_url: str | None,
    options: Sequence[str] = (),
    params_input: Mapping[str, object] | None = None,
) -> str:
    """The page where the task's question is answered, with what is chosen and filled in there already; UsageError where
    no address is known.
    """
    base = (base_url or _Kept.base_url).rstrip("/")
    if not base:
        raise UsageError("no address of the pages is known; give base_url, or set [api] base_url")
    given: list[tuple[str, object]] = [("map_index", map_index)] if map_index >= 0 else []
    given += [("_options", option) for option in options]
    given += [(f"param.{name}", value) for name, value in (params_input or {}).items()]
    places = (quote(place, safe=":~") for place in (dag_id, run_id, task_id))
    path = "/dags/{}/runs/{}/tasks/{}/answer".format(*places)
    return f"{base}{path}" + (f"?{urlencode(given)}" if given else "")
