"""``/pools``."""

from fastapi import APIRouter

from orchestrator.api.asked import Asked
from orchestrator.api.bulk import Things, do_all
from orchestrator.api.cutting import Keys, cut
from orchestrator.api.models.admin import Pool, PoolBody, PoolCollection, PoolPatch, pool_of
from orchestrator.api.models.bulk import BulkBody, BulkResponse
from orchestrator.api.paging import Paged, Pattern
from orchestrator.assembly.home import Home
from orchestrator.core.rights import Right
from orchestrator.exceptions import ConflictError, ForbiddenError, NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.listing import fits
from orchestrator.storage.views import PoolRow

router = APIRouter(tags=["Pool"])

_KEYS: Keys[PoolRow] = {"name": lambda row: row.name, "slots": lambda row: row.slots}


@router.get("/pools")
def get_pools(home: Asked, paging: Paged, pool_name_pattern: Pattern = None) -> PoolCollection:
    """List the pools, with the slots that open attempts hold."""
    found = [row for row in home.reads.pools() if fits(pool_name_pattern, row.name)]
    return PoolCollection(pools=[pool_of(row) for row in cut(found, paging, _KEYS)], total_entries=len(found))


@router.get("/pools/{pool_name:path}")
def get_pool(home: Asked, pool_name: str) -> Pool:
    """A pool."""
    return pool_of(_find(home, pool_name))


@router.post("/pools", status_code=201)
def post_pool(home: Asked, body: PoolBody) -> Pool:
    """Make a pool."""
    if any(row.name == body.name for row in home.reads.pools()):
        raise _may_change(home) or ConflictError(f"there is a pool {body.name!r} already; change it by PATCH")
    home.records.set_pool(body.name, body.slots, body.description, by="")
    return _changed(home, body.name)


@router.patch("/pools")
def bulk_pools(home: Asked, body: BulkBody[PoolBody]) -> BulkResponse:
    """Make, change and delete several pools."""
    if not home.who.may(Right.EDIT):
        raise ForbiddenError(f"{home.who.name} may not change what belongs to all DAGs")
    things = Things[PoolBody](
        what="pools",
        name_of=lambda one: one.name,
        known=lambda: [row.name for row in home.reads.pools()],
        put=lambda one: home.records.set_pool(one.name, one.slots, one.description, by=""),
        delete=lambda name: home.records.delete_pool(name, by=""),
    )
    done = do_all(body, things)
    home.ring()
    return done


@router.patch("/pools/{pool_name:path}")
def patch_pool(home: Asked, pool_name: str, body: PoolPatch) -> Pool:
    """Change a pool."""
    row = _find(home, pool_name)
    slots = row.slots if body.slots is None else body.slots
    home.records.set_pool(pool_name, slots, row.description if body.description is None else body.description, by="")
    return _changed(home, pool_name)


@router.delete("/pools/{pool_name:path}", status_code=204)
def delete_pool(home: Asked, pool_name: str) -> None:
    """Delete a pool."""
    home.records.delete_pool(pool_name, by="")
    home.ring()


def _find(home: Home, name: str) -> PoolRow:
    rows = {row.name: row for row in home.reads.pools()}
    if name not in rows:
        raise NotFoundError(f"there is no pool {name!r}{did_you_mean(name, rows)}")
    return rows[name]


def _changed(home: Home, name: str) -> Pool:
    home.ring()
    return pool_of(_find(home, name))


def _may_change(home: Home) -> ForbiddenError | None:
    if home.who.may(Right.EDIT):
        return None
    return ForbiddenError(f"{home.who.name} may not change what belongs to all DAGs")
