"""Variables: what they hold, without what is secret in it, and the form of one."""

import os
from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.assembly.backing import backing_of
from orchestrator.assembly.home import Home
from orchestrator.assembly.named_values import ON_EXISTING, Imported, exported, import_variables, named_values
from orchestrator.assembly.secrecy import Shown, names_in, place_in, shown_value
from orchestrator.assembly.told_vault import ToldVariables
from orchestrator.assembly.vault import vault_of
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.variables import StoredVariable, VariableStore
from orchestrator.web.page import last

PER_PAGE = 100
_LONGEST = 2_000  # characters of a value in the list; its form has all of them


class VariableLine(msgspec.Struct, frozen=True, kw_only=True):
    """``is_overridden``: the environment of the server has one of that name, which tasks are given."""

    key: str
    description: str
    value: Shown
    is_overridden: bool


class VariablePage(msgspec.Struct, frozen=True, kw_only=True):
    """``environment`` are the names of the environment's own variables; ``backend`` what is asked before all else."""

    q: str
    number: int
    lines: list[VariableLine]
    total: int
    known: int
    environment: list[str]
    backend: str

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))

    @property
    def first(self) -> int:
        return (self.number - 1) * PER_PAGE + 1


class VariableForm(msgspec.Struct, frozen=True, kw_only=True):
    """``is_secret``: the value that is kept is not shown, and stays where none is written."""

    is_new: bool
    key: str = ""
    value: str = ""
    description: str = ""
    is_secret: bool = False
    shape: str = ""
    errors: Mapping[str, str] = {}


def variable_page(home: Home, q: str, number: int) -> VariablePage:
    """Those whose key or description has ``q`` in it; values are not searched, since they may be secret."""
    store = vault_of(home).variables
    found = store.found(q, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    if found.total and not found.page:
        return variable_page(home, q, -(-found.total // PER_PAGE))
    return VariablePage(
        q=q,
        number=number,
        lines=[_line(one) for one in found.page],
        total=found.total,
        known=found.known,
        environment=names_in(os.environ, "VAR"),
        backend=backend_of(home),
    )


def backend_of(home: Home) -> str:
    """The secrets backends of the home by name; "" where there is none."""
    backing = backing_of(home.config)
    plugins = [f"of the plugin {name}" for name, _ in backing.plugins]
    return ", ".join([backing.backend, *plugins] if backing.backend else plugins)


def _line(one: StoredVariable) -> VariableLine:
    shown = shown_value(one.key, one.value)
    if len(shown.text) > _LONGEST:
        shown = msgspec.structs.replace(shown, text=f"{shown.text[:_LONGEST]}…")
    return VariableLine(
        key=one.key,
        description=one.description or "",
        value=shown,
        is_overridden=place_in(os.environ, "VAR", one.key),
    )


def variable_form(home: Home, key: str) -> VariableForm:
    """The form of a variable that is there, or of a new one where no key is given."""
    store = vault_of(home).variables
    return _form(_stored(store, key)) if key else VariableForm(is_new=True)


def _form(one: StoredVariable) -> VariableForm:
    shown = shown_value(one.key, one.value)
    return VariableForm(
        is_new=False,
        key=one.key,
        value=shown.text if shown.is_whole else "",
        description=one.description or "",
        is_secret=not shown.is_whole,
        shape=shown.text if shown.is_json and not shown.is_whole else "",
    )


def _stored(store: VariableStore, key: str) -> StoredVariable:
    found = store.get(key)
    if found is None:
        raise NotFoundError(f"there is no variable {key[:250]!r}{did_you_mean(key[:250], store.keys())}")
    return found


def save_variable(home: Home, fields: Mapping[str, Sequence[str]]) -> VariableForm | None:
    """Make or change a variable; the form again, with what is wrong, where that cannot be."""
    store, key = vault_of(home).variables, last(fields, "key")
    value, description = last(fields, "value"), last(fields, "description").strip()
    is_new = last(fields, "is_new") == "true"
    form = VariableForm(is_new=True) if is_new else _form(_stored(store, key))
    form = msgspec.structs.replace(form, key=key, description=description)
    try:
        if is_new and store.get(key) is not None:
            raise ConflictError("there is a variable of that key already; change that one")
        if form.is_secret and not value:
            value = _stored(store, key).value
        ToldVariables(home).set_all({key: (value, description or None)}, by="")
    except (ConflictError, UsageError) as error:
        return msgspec.structs.replace(form, value="" if form.is_secret else value, errors={"key": str(error)})
    return None


def delete_variable(home: Home, key: str) -> None:
    store = vault_of(home).variables
    _stored(store, key)
    store.delete(key, by="")


class ImportForm(msgspec.Struct, frozen=True, kw_only=True):
    """``on_existing``: what is done with keys that are there already."""

    text: str = ""
    on_existing: str = "overwrite"
    errors: Mapping[str, str] = {}


def import_sent(home: Home, fields: Mapping[str, Sequence[str]]) -> Imported | ImportForm:
    """Set what a file holds; the form again, with what is wrong, where that cannot be."""
    text, on_existing = last(fields, "text"), last(fields, "on_existing")
    form = ImportForm(text=text, on_existing=on_existing if on_existing in ON_EXISTING else ON_EXISTING[0])
    try:
        return import_variables(ToldVariables(home), named_values(text, "this"), form.on_existing, by="")
    except (ConflictError, UsageError) as error:
        return msgspec.structs.replace(form, errors={"text": str(error)})


def export_file(home: Home) -> str:
    """A file of all variables but those in which something is secret: nobody is told that."""
    stored = vault_of(home).variables.all()
    return exported([one for one in stored if shown_value(one.key, one.value).is_whole])
