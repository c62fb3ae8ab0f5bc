"""``orchestrator venvs``."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from orchestrator.authoring.environments.cache import EnvironmentCache, Kept
from orchestrator.cli import edge
from orchestrator.cli.options import confirm, yes_option
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.cli.render.console import remark, say

_COLUMNS = ("key", "python", "builder", "requirements", "size_mb", "used_at")


@click.command("list")
@output_option
def list_venvs(output: Format) -> None:
    """List the environments that tasks have had built.

    \b
    Example:
      orchestrator venvs list
    """
    kept = _cache().environments()
    show_rows([_row(one) for one in kept], output, _COLUMNS, empty="There are no environments.")


@click.command("clean")
@click.option(
    "--unused-days",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Only those that no attempt has used for so many days.",
)
@yes_option
def clean(unused_days: int, yes: bool) -> None:
    """Remove environments; a task that needs one has it built again.

    One that an attempt uses now stays. What is left of builds that were cut short goes too.

    \b
    Example:
      orchestrator venvs clean --unused-days 30 -y
    """
    cache, since = _cache(), datetime.now(UTC) - timedelta(days=unused_days)
    old = [one.made.key for one in cache.environments() if one.used_at <= since]
    keys = [*old, *sorted(cache.left_behind())]
    if not keys:
        remark("There is nothing to remove.")
        return
    confirm(f"Remove {len(keys)} environments?", yes=yes)
    removed = sum(cache.remove(key) for key in keys)
    say(
        f"Removed {removed} environments."
        if removed == len(keys)
        else f"Removed {removed}; {len(keys) - removed} in use."
    )


def _cache() -> EnvironmentCache:
    return EnvironmentCache(edge.config().core.venv_cache_folder)


def _row(kept: Kept) -> dict[str, Any]:
    made = kept.made
    return {
        "key": made.key,
        "python": made.python,
        "builder": made.builder,
        "requirements": list(made.requirements),
        "packages": list(made.packages),
        "size_mb": round(kept.size / 1024**2, 1),
        "seconds": made.seconds,
        "made_at": made.made_at,
        "used_at": kept.used_at,
    }
