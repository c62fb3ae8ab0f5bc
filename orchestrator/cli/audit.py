"""``orchestrator audit``."""

import re
from typing import Any

import click

from orchestrator.assembly.auditing import proof_of
from orchestrator.assembly.home import Home
from orchestrator.cli.dates import read_date
from orchestrator.cli.options import dag_ids, with_home
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.console import say
from orchestrator.exceptions import StorageCorruptError, UsageError
from orchestrator.storage.audit import Seal
from orchestrator.storage.audit_chain import Verification
from orchestrator.storage.audit_reads import AuditFilter
from orchestrator.storage.views import AuditRow

COLUMNS = ("id", "at", "who", "via", "action", "dag_id", "run_id", "outcome")
_seal = re.compile(r"(\d{1,18}):([0-9a-f]{64}|)", re.ASCII).fullmatch


def audit_row(line: AuditRow) -> dict[str, Any]:
    """A line of the log. ``reason`` says why something was refused, ``details`` what was asked for."""
    return {
        "id": line.id,
        "at": line.at,
        "who": line.who,
        "via": line.via or None,
        "action": line.action,
        "dag_id": line.dag_id,
        "run_id": line.run_id,
        "outcome": line.outcome,
        "reason": line.refusal,
        "details": line.body,
    }


@click.command("list")
@click.option("-u", "--user", help="What this user did, or was refused.")
@click.option("-a", "--action", help="Only this action, such as trigger_run or sign_in.")
@click.option("--dag", "dag_id", shell_complete=dag_ids, help="Only what was done to this DAG.")
@click.option("--run", "run_id", help="Only what was done to this run.")
@click.option("--since", metavar="DATE", help="From then on.")
@click.option("--until", metavar="DATE", help="Before then.")
@click.option("--before-id", type=int, help="Older than this line, for the next page.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many lines.")
@output_option
@with_home
def list_audit(
    home: Home,
    /,
    since: str | None,
    until: str | None,
    before_id: int | None,
    limit: int,
    output: Format,
    **equal: str | None,
) -> None:
    """List who did what, the newest first.

    \b
    Example:
      orchestrator audit list --user ada --since 2026-11-01
      orchestrator audit list --action sign_in -o json
    """
    first, last = (None if text is None else read_date(text, home.config) for text in (since, until))
    which = AuditFilter(who=equal.pop("user"), **equal, since=first, until=last)
    rows = [audit_row(line) for line in home.reads.audit(which, before_id=before_id, limit=limit)]
    show_rows(rows, output, COLUMNS, empty="There are no such lines.")


@click.command("verify")
@click.option("--seal", metavar="ID:HASH", help="What an earlier verification printed and you kept elsewhere.")
@output_option
@with_home
def verify_audit(home: Home, seal: str | None, output: Format) -> None:
    """Check that no line of the log was changed, taken out, moved or added past the program.

    Keep the seal that it prints somewhere else, and give it the next time: it also shows whether somebody wrote
    the whole log anew.

    \b
    Example:
      orchestrator audit verify
      orchestrator audit verify --seal "$(cat /mnt/elsewhere/seal)"
    """
    found = home.part(proof_of).whole(None if seal is None else read_seal(seal))
    if output is Format.TABLE and not found.breaks:
        say(f"The audit log holds: {found.lines} lines. Its seal is {found.seal}")
    else:
        show_object(_report(found), output)
    if found.breaks:
        more = f", and {len(found.breaks) - 1} more" if len(found.breaks) > 1 else ""
        raise StorageCorruptError(f"the audit log does not hold: {found.breaks[0].what}{more}")


def read_seal(text: str) -> Seal:
    """The seal that an earlier verification printed."""
    found = _seal(text.strip())
    if found is None:
        raise UsageError(f"{text[:80]!r} is no seal; give what `audit verify` printed: a number, a colon and a hash")
    return Seal(id=int(found[1]), hash=found[2])


def _report(found: Verification) -> dict[str, Any]:
    return {
        "lines": found.lines,
        "holds": not found.breaks,
        "seal": str(found.seal),
        "breaks": [{"id": one.id, "what": one.what} for one in found.breaks],
    }
