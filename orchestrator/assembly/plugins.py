"""The plugins of a home: what there is, read from where it was left when they last changed."""

import os
import sys
from importlib import import_module
from pathlib import Path

import msgspec

from orchestrator.config import Config
from orchestrator.exceptions import OrchestratorError
from orchestrator.plugins.candidates import candidates, stamp
from orchestrator.plugins.cards import Card, Roll, RollJob

_FILE = ".plugins.json"
_CHILD = "import sys; sys.path[:] = sys.argv[1:]; from orchestrator.dagbag.roll_call import main; main()"


def roll(config: Config, *, patience: float = 10.0) -> Roll:
    """What plugins there are. Their code runs, in other processes, only where something has changed since.

    Each has ``patience`` seconds to be loaded.
    """
    now = stamp(config.core.plugins_folder)
    known = _kept(config.home / _FILE)
    if known is not None and known.stamp == now:
        return known
    found = Roll(stamp=now, cards=_called(config, patience))
    if found.cards:  # that there are none is found out as quickly as it is read
        _keep(config.home / _FILE, found)
    return found


def warnings(config: Config) -> list[str]:
    """A sentence for each plugin that is not used, and for what is left out of those that are."""
    found = []
    for card in roll(config).cards:
        if card.trouble is not None:
            found.append(f"the plugin {card.name!r} is not used: {card.trouble}")
        if card.ignored:
            found.append(f"of the plugin {card.name!r} ({card.source}) this is ignored: {', '.join(card.ignored)}")
    return found


def _called(config: Config, patience: float) -> tuple[Card, ...]:
    """What the plugins say of themselves, each in a process of its own."""
    if not candidates(config.core.plugins_folder):
        return ()
    job = RollJob(dags=str(config.core.dags_folder), plugins=str(config.core.plugins_folder), patience=patience)
    subprocess = import_module("subprocess")  # not for those who only read what is known
    done = subprocess.run(
        [sys.executable, "-P", "-c", _CHILD, *sys.path],
        input=msgspec.json.encode(job),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    try:
        return msgspec.json.decode(done.stdout, type=tuple[Card, ...])
    except msgspec.DecodeError:
        raise OrchestratorError(
            "the plugins could not be looked at: their process ended with "
            f"status {done.returncode}; move the newest out of the plugins folder"
        ) from None


def _kept(path: Path) -> Roll | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Roll)
    except (OSError, msgspec.DecodeError):
        return None


def _keep(path: Path, found: Roll) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(msgspec.json.encode(found))
        draft.replace(path)
    except OSError:
        return  # a home that is not there, or may not be written: it is found out anew each time
