"""``/variables``."""

from fastapi import APIRouter

from orchestrator.api.asked import Asked
from orchestrator.api.cutting import Keys, cut, fits
from orchestrator.api.models.admin import Variable, VariableBody, VariableCollection, VariablePatch
from orchestrator.api.paging import Paged, Pattern
from orchestrator.assembly.home import Home
from orchestrator.assembly.vault import vault_of
from orchestrator.authoring.masking import STARS, is_sensitive
from orchestrator.exceptions import ConflictError, NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.variables import StoredVariable, VariableStore

router = APIRouter(tags=["Variable"])

_KEYS: Keys[StoredVariable] = {"key": lambda one: one.key, "description": lambda one: one.description}


@router.get("/variables")
def get_variables(home: Asked, paging: Paged, variable_key_pattern: Pattern = None) -> VariableCollection:
    """List the variables."""
    found = [one for one in _store(home).all() if fits(variable_key_pattern, one.key)]
    return VariableCollection(variables=[_told(one) for one in cut(found, paging, _KEYS)], total_entries=len(found))


@router.get("/variables/{variable_key:path}")
def get_variable(home: Asked, variable_key: str) -> Variable:
    """A variable."""
    return _told(_find(_store(home), variable_key))


@router.post("/variables", status_code=201)
def post_variable(home: Asked, body: VariableBody) -> Variable:
    """Make a variable."""
    store = _store(home)
    if store.get(body.key) is not None:
        raise ConflictError(f"there is a variable {body.key!r} already; change it by PATCH")
    store.set(body.key, body.value, body.description, by="")
    return _told(_find(store, body.key))


@router.patch("/variables/{variable_key:path}")
def patch_variable(home: Asked, variable_key: str, body: VariablePatch) -> Variable:
    """Change a variable."""
    store = _store(home)
    was = _find(store, variable_key)
    value = was.value if body.value is None else body.value
    store.set(variable_key, value, was.description if body.description is None else body.description, by="")
    return _told(_find(store, variable_key))


@router.delete("/variables/{variable_key:path}", status_code=204)
def delete_variable(home: Asked, variable_key: str) -> None:
    """Delete a variable."""
    store = _store(home)
    _find(store, variable_key)
    store.delete(variable_key, by="")


def _store(home: Home) -> VariableStore:
    return vault_of(home).variables


def _find(store: VariableStore, key: str) -> StoredVariable:
    found = store.get(key)
    if found is None:
        raise NotFoundError(f"there is no variable {key!r}{did_you_mean(key, store.keys())}")
    return found


def _told(one: StoredVariable) -> Variable:
    value = STARS if is_sensitive(one.key) else one.value
    return Variable(key=one.key, value=value, description=one.description)
