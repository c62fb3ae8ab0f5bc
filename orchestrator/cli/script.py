"""``dag.test()``: a DAG that its own file tries out, when that is run as a script."""

import os
import re
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from orchestrator.assembly.hand import Hand
from orchestrator.assembly.in_hand import rehearse_in_hand
from orchestrator.assembly.typed_json import raw
from orchestrator.authoring.conf import check_conf
from orchestrator.authoring.dag import DAG, own_zone
from orchestrator.authoring.trying import Wishes
from orchestrator.cli.exits import FAILED, end
from orchestrator.cli.given_secrets import given_in
from orchestrator.cli.journal import notice, show_task_logs
from orchestrator.cli.options import who
from orchestrator.cli.output import Format
from orchestrator.cli.rehearsal import report, watched
from orchestrator.config import Config, load_config
from orchestrator.config.loading import FILE_NAME, HOME_VARIABLE
from orchestrator.core.requests import TriggerRun
from orchestrator.core.run_types import on_trial
from orchestrator.exceptions import UsageError
from orchestrator.names import RunState, RunType
from orchestrator.storage.views import RunRow


def try_out(dag: DAG, wishes: Wishes) -> RunRow:
    """Run it once and show how that goes; the run at its end.

    Where the author's script is to end with it: SystemExit unless the run succeeds, and for what is wrong one line on
    stderr in the place of a traceback.
    """
    try:
        ended = _run(dag, wishes)
    except (Exception, KeyboardInterrupt) as error:
        if not wishes.ends_program:
            raise
        _leave(end(error))
    if wishes.ends_program and ended.state is not RunState.SUCCESS:
        _leave(FAILED)
    return ended


def _leave(status: int) -> NoReturn:
    sys.stdout.flush()
    raise SystemExit(status) from None


def _run(dag: DAG, wishes: Wishes) -> RunRow:
    if wishes.use_executor:
        raise UsageError(
            "test(use_executor=True) has no meaning here: tasks run in this process, so that a debugger can stop in "
            "them; to try the executor, start `orchestrator standalone`"
        )
    hand = Hand(dag, _marked(dag, wishes))
    config = config_at(hand.folder)
    request = _request(dag, wishes)
    given = given_in(wishes.variable_file_path, wishes.conn_file_path)
    with rehearse_in_hand(config, hand, given, notice=notice) as rehearsal:
        home = rehearsal.home
        check_conf(home.reads.dag(dag.dag_id).header, msgspec.json.decode(request.conf))
        show_task_logs()
        home.requests.submit(request, request.run_uid)
        run = home.reads.run(dag.dag_id, request.run_id)
        ended = watched(rehearsal, run, Format.TABLE)
        report(home, ended, Format.TABLE)
    return ended


def config_at(folder: Path) -> Config:
    """The settings of the home that is named, else those of the nearest above the folder, else of the working one."""
    above = (one for one in (folder, *folder.parents) if (one / FILE_NAME).is_file())
    return load_config(os.environ, folder if HOME_VARIABLE not in os.environ and any(above) else Path.cwd())


def _request(dag: DAG, wishes: Wishes) -> TriggerRun:
    date = wishes.logical_date or wishes.run_after or datetime.now(UTC)
    if not isinstance(date, datetime):
        raise UsageError(f"test(): a date must be a datetime, not {date!r}")
    date = date if date.tzinfo is not None else date.replace(tzinfo=own_zone(dag))
    date = date.astimezone(UTC)
    return TriggerRun(
        dag_id=dag.dag_id,
        run_id=f"{RunType.MANUAL}__{date.isoformat()}",
        run_uid=uuid.uuid4().hex,
        run_type=on_trial(dag.allowed_run_types or ()),
        logical_date=date,
        conf=_conf(wishes.run_conf),
        by=who(),
    )


def _conf(given: Mapping[str, Any] | None) -> msgspec.Raw:
    if not isinstance(given, Mapping | None):
        raise UsageError(f"test(): run_conf must be a dict, not {given!r}")
    try:
        return raw(dict(given or {}))
    except (TypeError, ValueError) as error:
        raise UsageError(f"test(): run_conf must be JSON values: {error}") from None


def _marked(dag: DAG, wishes: Wishes) -> dict[str, None]:
    """Stand-ins that do nothing, for the tasks that are to succeed as they are."""
    if wishes.mark_success_pattern is None:
        return {}
    try:
        pattern = re.compile(wishes.mark_success_pattern)
    except re.error as error:
        raise UsageError(f"test(): mark_success_pattern is no regular expression: {error}") from None
    return dict.fromkeys(task_id for task_id in dag.task_ids if pattern.match(task_id))
