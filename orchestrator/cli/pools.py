"""``orchestrator pools``."""

import click

from orchestrator.assembly.home import Home
from orchestrator.cli import rows
from orchestrator.cli.options import completed, confirm, who, with_home, yes_option
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.exceptions import NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.views import PoolRow

_MOST_SLOTS = 2**31 - 1

pool_argument = click.argument(
    "pool", shell_complete=completed(lambda home, _params: (pool.name for pool in home.reads.pools()))
)


@click.command("list")
@output_option
@with_home
def list_pools(home: Home, output: Format) -> None:
    """List the pools.

    \b
    Example:
      orchestrator pools list
    """
    pools = home.reads.pools()
    show_rows([rows.pool_row(pool) for pool in pools], output, rows.POOL_COLUMNS, empty="There are no pools.")


@click.command("get")
@pool_argument
@output_option
@with_home
def get(home: Home, pool: str, output: Format) -> None:
    """Show one pool.

    \b
    Example:
      orchestrator pools get default_pool -o json
    """
    show_object(rows.pool_row(_find(home, pool)), output)


@click.command("set", context_settings={"ignore_unknown_options": True})  # so that -1 is a number
@pool_argument
@click.argument("slots", type=click.IntRange(min=-1, max=_MOST_SLOTS))
@click.argument("description", required=False)
@output_option
@with_home
def set_pool(home: Home, pool: str, slots: int, description: str | None, output: Format) -> None:
    """Create a pool, or change its slots.

    SLOTS is how many slots its activities may hold at once; -1 means no limit. Without a DESCRIPTION a pool keeps the
    one that it has.

    \b
    Example:
      orchestrator pools set warehouse 4 "connections to the warehouse"
      orchestrator pools set default_pool -1
    """
    if description is None:
        description = next((one.description for one in home.reads.pools() if one.name == pool), "")
    elif description.startswith("-"):
        raise click.UsageError(f"there is no option {description!r}", ctx=click.get_current_context())
    home.records.set_pool(pool, slots, description, by=who())
    home.ring()
    show_object(rows.pool_row(_find(home, pool)), output)


@click.command("delete")
@pool_argument
@yes_option
@with_home
def delete(home: Home, pool: str, yes: bool) -> None:
    """Delete a pool.

    Tasks that name it wait until it is there again.

    \b
    Example:
      orchestrator pools delete warehouse -y
    """
    _find(home, pool)
    confirm(f"Delete the pool {pool!r}?", yes=yes)
    home.records.delete_pool(pool, by=who())
    home.ring()


def _find(home: Home, name: str) -> PoolRow:
    pools = {pool.name: pool for pool in home.reads.pools()}
    if name not in pools:
        raise NotFoundError(f"there is no pool {name!r}{did_you_mean(name, pools)}")
    return pools[name]
