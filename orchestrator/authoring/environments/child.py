"""Runs one function in a Python that is not the worker's: ``python child.py FOLDER``.

Its text is copied to where it runs, so that nothing beside it here can be imported there, and needs Python 3.8 and
nothing that is installed. FOLDER has ``call.json`` (what to call) and ``arguments``; ``begun``, ``result`` and
``outcome.json`` are left there. The process ends with 0 if the function returned, 1 if it raised, else as the body
ended it.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import json
import sys
import traceback
import types
from pathlib import Path
from typing import Any

_STEERING = ("AirflowException", "AirflowSkipException", "AirflowFailException")
_PLACES = (
    ("orchestrator", "orchestrator.exceptions"),
    ("airflow", "airflow.exceptions", "airflow.sdk", "airflow.sdk.exceptions"),
)


def main(folder: Path) -> int:
    call = json.loads((folder / "call.json").read_text(encoding="utf-8"))
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != folder.resolve()] + call["local"]
    (folder / "begun").touch()
    _offer_exceptions()
    stage = "arguments"
    try:
        given = _loaded(call["serializer"], (folder / "arguments").read_bytes())
        stage = "body"
        result = _called(call, given)
        stage = "result"
        data = _dumped(call["serializer"], result)
    except Exception as error:
        if stage == "body":
            _print(error)
        _tell(folder, error, stage)
        return 1
    (folder / "result").write_bytes(data)
    return 0


def _called(call: dict[str, Any], given: dict[str, Any]) -> Any:
    function = _defined(call)
    kwargs = {**_moments(call, given["context"]), **given["kwargs"]}
    found = function(*given["args"], **kwargs)
    return asyncio.run(found) if inspect.iscoroutine(found) else found


def _defined(call: dict[str, Any]) -> Any:
    """The function, with the lines of its own file; what its parameters are annotated with is not looked at."""
    names: dict[str, Any] = {"__name__": "__body__", "virtualenv_string_args": call["string_args"]}
    flags = importlib.import_module("__future__").annotations.compiler_flag
    exec(compile(call["source"], call["file"], "exec", flags=flags, dont_inherit=True), names)  # noqa: S102 - the body
    return names[call["name"]]


def _moments(call: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The moments of the context as pendulum's, where it is installed, since most authors write so."""
    named = {name: _datetime(value) for name, value in context.items() if name in call["moments"]}
    if named and importlib.util.find_spec("pendulum") is not None:
        instance = importlib.import_module("pendulum").instance
        named = {name: None if value is None else instance(value) for name, value in named.items()}
    elif named and call["expect_pendulum"]:
        sys.stderr.write("pendulum is not installed in this environment: moments are plain datetimes\n")
    return {**context, **named}


def _datetime(value: Any) -> Any:
    return importlib.import_module("datetime").datetime.fromisoformat(value) if isinstance(value, str) else value


def _offer_exceptions() -> None:
    """The exceptions that steer a task, under the names by which authors import them, where neither is installed."""
    made: dict[str, type[Exception]] = {}
    for name in _STEERING:
        made[name] = type(name, (made.get("AirflowException", Exception),), {})
    for package, *others in _PLACES:
        if importlib.util.find_spec(package) is None:
            for place in (package, *others):
                module = types.ModuleType(place, "What a body in another Python may import of it: " + ", ".join(made))
                module.__path__ = []
                module.__dict__.update(made)
                sys.modules[place] = module


def _loaded(serializer: str, data: bytes) -> Any:
    if serializer == "json":
        return json.loads(data)
    return importlib.import_module(serializer).loads(data)


def _dumped(serializer: str, value: Any) -> bytes:
    if serializer == "json":
        return json.dumps(value, allow_nan=True).encode()
    data: bytes = importlib.import_module(serializer).dumps(value)
    return data


def _print(error: BaseException) -> None:
    """As Python would, from the author's own lines on."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def _tell(folder: Path, error: BaseException, stage: str) -> None:
    outcome = {
        "stage": stage,
        "types": [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__[:-2]],
        "text": _text(error),
        "frames": [[frame.filename, frame.lineno, frame.name] for frame in traceback.extract_tb(error.__traceback__)],
    }
    (folder / "outcome.json").write_text(json.dumps(outcome), encoding="utf-8")


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:
        return f"(its text cannot be had: str() raised {type(second).__name__})"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
