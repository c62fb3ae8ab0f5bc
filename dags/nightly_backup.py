"""A backup of two folders: space is set up, each is packed and checked in a group of its own, space is given back.

The scratch folder is taken down again whatever happens in between: where a folder cannot be packed, where the run is
cancelled, and where the whole program is killed half-way.

The backups go to `backups/` below $ORCHESTRATOR_HOME, or where the param `target` says.
"""

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

from orchestrator import Context, Label, chain, dag, get_current_context, setup, task, task_group, teardown

FOLDERS = {"recipes": "dags", "settings": "."}


def below_home(path: str) -> Path:
    return Path(os.environ.get("ORCHESTRATOR_HOME", "."), path)


def is_first_of_month(context: Context) -> tuple[bool, str]:
    day = context.get("logical_date") or context["dag_run"].start_date
    return day.day == 1, "the month's own copy is made on its first day"


@dag(schedule=None, max_active_runs=1, tags=["example"], dag_display_name="Nightly backup")
def nightly_backup(target: str = "backups", keep: int = 7) -> None:
    @setup
    def make_scratch(target: str) -> str:
        scratch = below_home(target) / f".scratch-{get_current_context()['run_id'].replace('/', '_')}"
        scratch.mkdir(parents=True, exist_ok=True)
        return str(scratch)

    @teardown
    def remove_scratch(scratch: str) -> None:
        shutil.rmtree(scratch, ignore_errors=True)

    @task_group
    def back_up(name: str, folder: str, scratch: str, target: str) -> object:
        """One folder, packed and checked before it takes the place of the last backup."""

        @task
        def pack(folder: str, scratch: str) -> dict[str, str]:
            source, archive = below_home(folder), Path(scratch, f"{name}.tar")
            with tarfile.open(archive, "w") as tar:
                for path in sorted(source.glob("*.*")):
                    tar.add(path, arcname=path.name)
            return {"archive": str(archive), "sha256": hashlib.sha256(archive.read_bytes()).hexdigest()}

        @task
        def check(archive: str, sha256: str) -> str:
            if hashlib.sha256(Path(archive).read_bytes()).hexdigest() != sha256:
                raise ValueError(f"{archive} has changed since it was packed")
            return archive

        @task
        def publish(archive: str, target: str) -> str:
            return str(shutil.copy2(archive, below_home(target)))

        packed = pack(folder, scratch)  # hinted to return a dict, so its parts are taken by name
        return publish(check(packed["archive"], packed["sha256"]), target)

    @task.run_if(is_first_of_month)
    @task
    def copy_for_the_month(archives: list[str], ds_nodash: str | None = None) -> list[str]:
        return [shutil.copy2(path, f"{path}.{ds_nodash or 'by-hand'}") for path in archives]

    @task.short_circuit
    def has_too_many(target: str, keep: int) -> bool:
        return len(list(below_home(target).glob("*.tar.*"))) > keep

    @task
    def drop_the_oldest(target: str, keep: int) -> int:
        dated = sorted(below_home(target).glob("*.tar.*"), key=lambda path: path.stat().st_mtime)
        surplus = dated[: max(len(dated) - keep, 0)]
        for path in surplus:
            path.unlink()
        return len(surplus)

    scratch = make_scratch(target)
    with remove_scratch(scratch).as_teardown(setups=scratch):
        archives = [back_up.override(group_id=name)(name, folder, scratch, target) for name, folder in FOLDERS.items()]

    crowded = has_too_many.override(trigger_rule="none_failed")(target, keep)
    chain(copy_for_the_month(archives), crowded, Label("more than are kept"), drop_the_oldest(target, keep))


nightly_backup()
