"""Calling a function in another Python: its files, its process, and what has become of it."""

import json
import signal
from collections.abc import Callable, Container, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from orchestrator.authoring.environments.parcel import Serializer, packed, unpacked
from orchestrator.authoring.environments.source import Source
from orchestrator.exceptions import (
    AirflowFailException,
    AirflowSkipException,
    CommandError,
    OtherPythonError,
    UsageError,
)

MOMENTS = ("data_interval_end", "data_interval_start", "logical_date")
PASSED = frozenset(
    {
        *MOMENTS,
        "ds",
        "ds_nodash",
        "idempotency_key",
        "params",
        "run_id",
        "task_instance_key_str",
        "templates_dict",
        "ts",
        "ts_nodash",
        "ts_nodash_with_tz",
    }
)
"""The keys of the context that another Python can be given: texts, moments and plain values."""

_CHILD = Path(__file__).with_name("child.py")

Run = Callable[[Sequence[str]], int]
"""Runs a program to its end, its output going to the log; its exit code, below 0 the signal that ended it."""


class Body(NamedTuple):
    """A function as it is called there. ``context`` holds what its parameters are filled with by name."""

    task_id: str
    source: Source
    serializer: Serializer
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    context: Mapping[str, Any]
    string_args: Sequence[str] = ()
    expect_pendulum: bool = False


def called(body: Body, python: Path, run: Run, skips: Container[int]) -> Any:
    """What the function returns in that Python. An exit code of ``skips`` is an AirflowSkipException.

    OtherPythonError if it raises; its exceptions that steer a task are raised here as what they are called.
    """
    with TemporaryDirectory(prefix="orchestrator-") as name:
        folder = Path(name)
        (folder / "child.py").write_text(_CHILD.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / "call.json").write_text(json.dumps(_description(body)), encoding="utf-8")
        data = packed(body.serializer, body.task_id, body.args, body.kwargs, body.context)
        (folder / "arguments").write_bytes(data)
        code = run([str(python), "-u", str(folder / "child.py"), name])
        _judge(body, python, folder, code, skips)
        result = folder / "result"
        return unpacked(body.serializer, body.task_id, result.read_bytes()) if result.exists() else None


def _description(body: Body) -> dict[str, Any]:
    return {
        "file": body.source.file,
        "name": body.source.name,
        "source": body.source.text,
        "serializer": body.serializer,
        "string_args": [str(text) for text in body.string_args],
        "moments": MOMENTS,
        "expect_pendulum": body.expect_pendulum,
        "local": _local_folders(),
    }


def _local_folders() -> list[str]:
    """Where the author's own modules lie, in the version that runs now: as packages they are `dags` and `plugins`."""
    specs = (find_spec(package) for package in ("dags", "plugins"))
    return [folder for spec in specs if spec is not None for folder in spec.submodule_search_locations or ()]


def _judge(body: Body, python: Path, folder: Path, code: int, skips: Container[int]) -> None:
    if code in skips:
        raise AirflowSkipException(f"the body ended with exit code {code}, which skips the task")
    outcome = folder / "outcome.json"
    if outcome.exists():
        _raise(body, json.loads(outcome.read_text(encoding="utf-8")))
    if code < 0:
        raise CommandError(f"the Python of the body was ended by signal {-code} ({signal.strsignal(-code)})", code)
    if not (folder / "begun").exists():
        raise CommandError(f"task {body.task_id!r}: {python} is no Python: it ended with {code} and ran no body", 127)
    if code:
        raise CommandError(f"the Python of the body ended with exit code {code}", code)


def _raise(body: Body, outcome: dict[str, Any]) -> None:
    text, types = outcome["text"], outcome["types"]
    kind = types[0].rpartition(".")[2]
    if outcome["stage"] == "arguments":
        raise UsageError(
            f"task {body.task_id!r}: its arguments cannot be read in the other Python: {kind}: {text}; pass what "
            f"Python has by itself, or what both have installed"
        )
    if outcome["stage"] == "result":
        raise UsageError(
            f"task {body.task_id!r}: its result cannot be passed back by {body.serializer}: {kind}: {text}; return "
            f"what Python has by itself, or set serializer='cloudpickle'"
        )
    names = {name.rpartition(".")[2] for name in types}
    if "AirflowSkipException" in names:
        raise AirflowSkipException(text)
    if "AirflowFailException" in names:
        raise AirflowFailException(text)
    sentence = f"{kind}: {text}" if text else kind
    if kind == "NameError":
        sentence += (
            f"; the body runs in another Python, without what its file imports and defines: import it inside of "
            f"{body.source.name}(), or pass it as an argument"
        )
    raise OtherPythonError(sentence, types=types, frames=[tuple(frame) for frame in outcome["frames"]])
