"""``/variables``."""

from fastapi import APIRouter

from orchestrator.api.asked import Asked
from orchestrator.api.bulk import Things, do_all
from orchestrator.api.cutting import Keys, cut
from orchestrator.api.models.admin import Variable, VariableBody, VariableCollection, VariablePatch
from orchestrator.api.models.bulk import BulkBody, BulkResponse
from orchestrator.api.paging import Paged, Pattern
from orchestrator.assembly.told_vault import ToldVariables
from orchestrator.exceptions import ConflictError, NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.listing import fits
from orchestrator.storage.variables import StoredVariable

router = APIRouter(tags=["Variable"])

_KEYS: Keys[StoredVariable] = {"key": lambda one: one.key, "description": lambda one: one.description}


@router.get("/variables")
def get_variables(home: Asked, paging: Paged, variable_key_pattern: Pattern = None) -> VariableCollection:
    """List the variables."""
    found = [one for one in ToldVariables(home).all() if fits(variable_key_pattern, one.key)]
    return VariableCollection(variables=[_told(one) for one in cut(found, paging, _KEYS)], total_entries=len(found))


@router.get("/variables/{variable_key:path}")
def get_variable(home: Asked, variable_key: str) -> Variable:
    """A variable."""
    return _told(_find(ToldVariables(home), variable_key))


@router.post("/variables", status_code=201)
def post_variable(home: Asked, body: VariableBody) -> Variable:
    """Make a variable."""
    store = ToldVariables(home)
    if store.get(body.key) is not None:
        raise ConflictError(f"there is a variable {body.key!r} already; change it by PATCH")
    store.set_all({body.key: (body.value, body.description)}, by="")
    return _told(_find(store, body.key))


@router.patch("/variables")
def bulk_variables(home: Asked, body: BulkBody[VariableBody]) -> BulkResponse:
    """Make, change and delete several variables."""
    store = ToldVariables(home)
    things = Things[VariableBody](
        what="variables",
        name_of=lambda one: one.key,
        known=store.keys,
        put=lambda one: store.set_all({one.key: (one.value, one.description)}, by=""),
        delete=lambda key: store.delete(key, by=""),
    )
    return do_all(body, things)


@router.patch("/variables/{variable_key:path}")
def patch_variable(home: Asked, variable_key: str, body: VariablePatch) -> Variable:
    """Change a variable."""
    store = ToldVariables(home)
    was = _find(store, variable_key)
    value = was.value if body.value is None else body.value
    about = was.description if body.description is None else body.description
    store.set_all({variable_key: (value, about)}, by="")
    return _told(_find(store, variable_key))


@router.delete("/variables/{variable_key:path}", status_code=204)
def delete_variable(home: Asked, variable_key: str) -> None:
    """Delete a variable."""
    store = ToldVariables(home)
    _find(store, variable_key)
    store.delete(variable_key, by="")


def _find(store: ToldVariables, key: str) -> StoredVariable:
    found = store.get(key)
    if found is None:
        raise NotFoundError(f"there is no variable {key!r}{did_you_mean(key, store.keys())}")
    return found


def _told(one: StoredVariable) -> Variable:
    return Variable(key=one.key, value=one.value, description=one.description)
