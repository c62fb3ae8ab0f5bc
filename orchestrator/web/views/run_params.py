"""What a run was given, and the runs that it comes from or has started."""

import json
from typing import Any

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.run_spec import spec_version
from orchestrator.core.events import ChildStarted, RunCreated
from orchestrator.storage.facts import told
from orchestrator.storage.views import RunRow
from orchestrator.web.wording import segment

MOST_CHILDREN = 100
_LONGEST = 20_000


class ParamLine(msgspec.Struct, frozen=True, kw_only=True):
    """A param of the run's version, with its value as JSON; ``default`` is what it would have been, "" where it is."""

    name: str
    value: str
    default: str
    about: str


class Kin(msgspec.Struct, frozen=True, kw_only=True):
    """Another run; ``seq``: the fact of its history, or of this one's, that ties them together (0: none is known)."""

    dag_id: str
    run_id: str
    path: str
    seq: int
    name: str = ""


class RunParams(msgspec.Struct, frozen=True, kw_only=True):
    """``conf`` is JSON for people, "" where the run was given none. ``children`` are the first of those that it has
    started.
    """

    params: list[ParamLine]
    conf: str
    parent: Kin | None
    forked: Kin | None
    children: list[Kin]
    more_children: bool


def run_params(home: Home, run: RunRow) -> RunParams:
    conf: dict[str, Any] = msgspec.json.decode(home.reads.conf(run))
    created = home.reads.facts_at(run.run_key, [1])[1].event if run.run_key else None
    parent = created.parent if isinstance(created, RunCreated) else None
    forked = created.forked if isinstance(created, RunCreated) else None
    children = [] if run.is_pending else _children(home, run)
    return RunParams(
        params=_params(home, run, conf),
        conf=_json(conf) if conf else "",
        parent=None if parent is None else _kin(parent.dag_id, parent.run_id, parent.seq),
        forked=None if forked is None else _kin(forked.dag_id, forked.run_id, forked.seq),
        children=children[:MOST_CHILDREN],
        more_children=len(children) > MOST_CHILDREN,
    )


def _params(home: Home, run: RunRow, conf: dict[str, Any]) -> list[ParamLine]:
    spec = home.reads.spec(spec_version(home, run))
    schemas = spec.entrance.schema.get("properties", {}) if spec.entrance else spec.param_schemas
    names = dict.fromkeys([*spec.params, *schemas, *conf])
    return [_param(name, spec.params, schemas.get(name, {}), conf) for name in names]


def _param(name: str, defaults: dict[str, Any], schema: dict[str, Any], conf: dict[str, Any]) -> ParamLine:
    default = _json(defaults[name]) if name in defaults else _json(schema["default"]) if "default" in schema else ""
    value = _json(conf[name]) if name in conf else default
    return ParamLine(
        name=name, value=value, default="" if value == default else default, about=str(schema.get("description", ""))
    )


def _children(home: Home, run: RunRow) -> list[Kin]:
    facts = home.reads.stored(run.run_key, types=(ChildStarted.__name__,), limit=MOST_CHILDREN + 1)
    found = [(fact.seq, fact.event) for fact in map(told, facts)]
    return [
        _kin(event.dag_id, event.run_id, seq, event.child_id)
        for seq, event in found
        if isinstance(event, ChildStarted) and event.child_run_key
    ]


def _kin(dag_id: str, run_id: str, seq: int, name: str = "") -> Kin:
    path = f"/dags/{segment(dag_id)}/runs/{segment(run_id)}"
    return Kin(dag_id=dag_id, run_id=run_id, path=path, seq=seq, name=name)


def _json(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
