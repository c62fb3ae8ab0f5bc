"""Form fields: what a run takes, as fields that a person fills in, made from JSON Schema; and what they filled in, as
JSON. Schemas are used as Airflow's forms use them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from orchestrator.assembly.typed_json import read_json
from orchestrator.authoring.fitting import misfit
from orchestrator.core import forms
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import UsageError

PREFIX = "param."
_MISSING = "this has to be filled in"
_INPUTS = {"date": "date", "time": "time", "date-time": "datetime-local", "email": "email", "uri": "url"}

Schema = Mapping[str, Any]
Sent = Mapping[str, Sequence[str]]
Wanted: TypeAlias = Iterable[tuple[str, dict[str, Any], Any, bool]]
"""By name: the schema, the default or UNSET, and whether it has to be there."""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field. ``kind`` is what is drawn: checkbox, select, many, lines, text, json, number, or a type of input.

    ``options`` are (value sent, what it says, whether it is chosen). ``value`` is the text in it.
    """

    name: str
    title: str
    kind: str
    schema: dict[str, Any]
    needed: bool
    value: str = ""
    checked: bool = False
    options: tuple[tuple[str, str, bool], ...] = ()
    examples: tuple[str, ...] = ()
    about: str = ""
    section: str = ""
    error: str = ""

    @property
    def sent_as(self) -> str:
        """The name under which a browser sends it."""
        return PREFIX + self.name


def fields_of(spec: DagSpec) -> list[Field]:
    """The fields of a DAG's params or of a workflow's parameters, filled with what is theirs by default."""
    return _fields(_wanted(spec))


def fields_of_form(params: Mapping[str, forms.Field]) -> list[Field]:
    """The fields of a question to a person."""
    return _fields(_asked(params))


def filled_in(spec: DagSpec, sent: Sent) -> tuple[list[Field], dict[str, Any]]:
    """The fields as they were sent, each with what is wrong with it; and, by name, the values that are other than the
    default ones."""
    return _filled_in(_wanted(spec), sent)


def filled_in_form(params: Mapping[str, forms.Field], sent: Sent) -> tuple[list[Field], dict[str, Any]]:
    """The same of an answer."""
    return _filled_in(_asked(params), sent)


def filled_with(fields: Iterable[Field], given: Sent) -> list[Field]:
    """The fields with what a link says beforehand, as text; others stay as they are."""
    return [_with(field, given[field.sent_as][-1]) if field.sent_as in given else field for field in fields]


def _with(field: Field, text: str) -> Field:
    options = tuple((value, says, says == text) for value, says, _ in field.options)
    return msgspec.structs.replace(field, value=text, checked=text.lower() in ("true", "1"), options=options)


def _fields(wanted: Wanted) -> list[Field]:
    return [
        _field(name, schema, default, needed=needed)
        for name, schema, default, needed in wanted
        if "const" not in schema
    ]


def _filled_in(wanted: Wanted, sent: Sent) -> tuple[list[Field], dict[str, Any]]:
    shown, values = [], {}
    for name, schema, default, needed in wanted:
        if "const" in schema:
            continue
        field = _field(name, schema, default, needed=needed)
        try:
            value = _value(field, sent)
        except UsageError as error:
            shown.append(_again(field, sent, str(error)))
            continue
        wrong = misfit(schema, value)
        shown.append(_again(field, sent, "" if wrong is None else wrong.message))
        if default is msgspec.UNSET or value != default:
            values[name] = value
    return shown, values


def _asked(params: Mapping[str, forms.Field]) -> Wanted:
    for name, field in params.items():
        schema = field.schema or _like(field.value)
        about = {"description": field.description} if field.description and "description" not in schema else {}
        yield name, schema | about, field.value, field.is_needed and not _may_be_null(schema)


def _wanted(spec: DagSpec) -> Wanted:
    if spec.entrance is not None:
        schema = spec.entrance.schema
        for name, part in schema.get("properties", {}).items():
            default = spec.params.get(name, part.get("default", msgspec.UNSET))
            yield name, _meant(part, schema), default, name in schema.get("required", ())
        return
    for name in [*spec.params, *(name for name in spec.param_schemas if name not in spec.params)]:
        schema = spec.param_schemas.get(name, {})
        default = spec.params.get(name, msgspec.UNSET)
        yield name, schema or _like(default), default, not _may_be_null(schema or _like(default))


def _meant(part: dict[str, Any], root: Schema) -> dict[str, Any]:
    """What a reference refers to, with the definitions that it refers to in its turn."""
    if isinstance(name := part.get("$ref"), str):
        part = root.get("$defs", {}).get(name.rpartition("/")[2], {})
    return part | ({"$defs": root["$defs"]} if "$defs" in root else {})


def _like(default: Any) -> dict[str, Any]:
    """The schema of a param without one: whatever is like its default."""
    match default:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case float():
            return {"type": "number"}
        case str():
            return {"type": "string"}
        case dict():
            return {"type": "object"}
        case list():
            return {"type": "array", "items": {}}
        case _:
            return {}


def _types(schema: Schema) -> set[str]:
    kind = schema.get("type", [])
    if isinstance(kind, str):
        return {kind}
    found = set(kind)
    for choice in schema.get("anyOf", []):
        found |= _types(choice)
    return found


def _may_be_null(schema: Schema) -> bool:
    return "null" in _types(schema) or (not _types(schema) and "enum" not in schema) or None in schema.get("enum", ())


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        return "select"
    types = _types(schema) - {"null"}
    if types == {"boolean"}:
        return "checkbox"
    if types and types <= {"integer", "number"}:
        return "number"
    if types == {"array"} and "examples" in schema:
        return "many"
    if types == {"array"} and schema.get("items", {"type": "string"}).get("type") == "string":
        return "lines"
    if types == {"string"}:
        return "multiline" if schema.get("format") == "multiline" else _INPUTS.get(schema.get("format", ""), "text")
    return "json"


def _field(name: str, schema: dict[str, Any], default: Any, *, needed: bool) -> Field:
    kind = _kind(schema)
    return Field(
        name=name,
        title=str(schema.get("title", name)),
        kind=kind,
        schema=schema,
        needed=needed and kind != "checkbox",
        value=_text(kind, default),
        checked=default is True,
        options=_options(schema, kind, default),
        examples=tuple(map(str, schema.get("examples", ()))) if kind == "text" else (),
        about=str(schema.get("description") or schema.get("description_md") or ""),
        section=str(schema.get("section", "")),
    )


def _text(kind: str, value: Any) -> str:
    if value is msgspec.UNSET or value is None or kind in ("checkbox", "select", "many"):
        return ""
    if kind == "lines" and isinstance(value, list):
        return "\n".join(map(str, value))
    if kind == "datetime-local":
        return str(value)[:16]
    return _json(value, indent=2) if kind == "json" or not isinstance(value, str) else value


def _options(schema: Schema, kind: str, chosen: Any) -> tuple[tuple[str, str, bool], ...]:
    if kind == "select":
        display = schema.get("values_display", {})
        return tuple(
            (str(at), str(display.get(_key(value), "nothing" if value is None else value)), value == chosen)
            for at, value in enumerate(schema["enum"])
        )
    if kind == "many":
        among = chosen if isinstance(chosen, list) else []
        display = schema.get("values_display", {})
        return tuple((str(v), str(display.get(str(v), v)), v in among) for v in schema["examples"])
    return ()


def _key(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _value(field: Field, sent: Sent) -> Any:
    """What was sent, as JSON; UsageError says what is wrong with the text."""
    texts = sent.get(field.sent_as, ())
    if field.kind == "checkbox":
        return bool(texts)
    if field.kind == "many":
        return list(texts) if texts or "null" not in _types(field.schema) else None
    text = (texts[-1] if texts else "").replace("\r\n", "\n")
    if field.kind == "select":
        return _chosen(field.schema["enum"], text)
    if not text.strip() and field.kind not in ("text", "multiline", "lines"):
        return _nothing(field)
    return _read(field, text)


def _nothing(field: Field) -> Any:
    if _may_be_null(field.schema):
        return None
    raise UsageError(_MISSING)


def _chosen(values: Sequence[Any], text: str) -> Any:
    if not text.isdecimal() or int(text) >= len(values):
        raise UsageError("choose one of these")
    return values[int(text)]


def _read(field: Field, text: str) -> Any:
    match field.kind:
        case "number":
            return _number(field.schema, text.strip())
        case "json":
            return read_json(text, "this")
        case "lines":
            return [line for line in text.split("\n") if line.strip()] or _empty(field, [])
        case "datetime-local":
            return f"{text}:00Z" if len(text) == 16 else text
        case _:
            return text or _empty(field, "")


def _empty(field: Field, nothing: Any) -> Any:
    if "null" in _types(field.schema):
        return None
    if field.needed and field.schema.get("minLength") != 0 and not field.value and nothing == "":
        raise UsageError(_MISSING)
    return nothing


def _number(schema: Schema, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        if "number" not in _types(schema):
            raise UsageError("write a whole number, such as 3") from None
    value = read_json(text, "this")
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise UsageError("write a number, such as 0.5")
    return value


def _again(field: Field, sent: Sent, error: str) -> Field:
    """The field as it was sent."""
    texts = sent.get(field.sent_as, ())
    chosen = set(texts)
    options = tuple((value, says, value in chosen) for value, says, _ in field.options)
    value = texts[-1] if texts else ""
    return msgspec.structs.replace(field, value=value, checked=bool(texts), options=options, error=error)


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
