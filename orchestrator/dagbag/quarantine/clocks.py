"""Clocks, randomness and the environment: guarded where a workflow's own code asks them."""

import ctypes
import datetime
import gc
import os
import random
import secrets
import sys
import time
import uuid
from types import FrameType, ModuleType
from typing import Any, ClassVar

from orchestrator.dagbag.quarantine.effects import Kind
from orchestrator.dagbag.quarantine.guards import Watched, guard, guard_method, look
from orchestrator.dagbag.quarantine.late import Amend

_NOW = "use workflow.now(), which is the same at each replay"
_SLEEP = "use workflow.sleep(), which holds no process while it waits"
_RANDOM = "use workflow.random(), which is the same at each replay"
_UUID = "use workflow.uuid4(), which is the same at each replay"
_ENVIRONMENT = "read it in an activity, or once through workflow.side_effect()"

_CLOCKS = [f"{clock}{unit}" for clock in ("time", "monotonic", "perf_counter", "process_time") for unit in ("", "_ns")]
_MOMENTS = {"localtime": 1, "gmtime": 1, "ctime": 1, "asctime": 1, "strftime": 2}
"""They look at the clock when they are given fewer arguments."""

_RANDOM_FUNCTIONS = (
    *("random", "uniform", "triangular", "randint", "randrange", "choice", "choices", "sample", "shuffle"),
    *("getrandbits", "randbytes", "gauss", "normalvariate", "lognormvariate", "expovariate", "vonmisesvariate"),
    *("gammavariate", "betavariate", "paretovariate", "weibullvariate", "binomialvariate"),
)
_SECRETS = ("token_bytes", "token_hex", "token_urlsafe", "choice", "randbelow", "randbits")
_NUMPY = ("rand", "randn", "randint", "random", "choice", "shuffle", "permutation", "normal", "uniform")


def _asks(name: str, kind: Kind, instead: str) -> Watched:
    return Watched(kind, lambda *_, **__: f"calls {name}()", instead, is_direct=True)


def _asks_without(name: str, kind: Kind, instead: str, count: int) -> Watched:
    """It is an effect when it is given fewer arguments than ``count``."""

    def describe(*arguments: Any, **named: Any) -> str | None:
        return f"calls {name}()" if len(arguments) + len(named) < count else None

    return Watched(kind, describe, instead, is_direct=True)


def install() -> None:
    """Guard them in this process; once, and before any author's code is loaded."""
    _guard_time()
    _guard_type(datetime.datetime, "now")
    _guard_type(datetime.datetime, "utcnow")
    _guard_type(datetime.date, "today")  # datetime has it from there
    _guard_randomness()
    _guard_environment()


def amendments() -> dict[str, Amend]:
    """What is done to a module once it is imported."""
    return {"numpy.random": _amend_numpy}


def _guard_time() -> None:
    for name in _CLOCKS:
        guard(time, name, _asks(f"time.{name}", Kind.CLOCK, _NOW))
    for name, count in _MOMENTS.items():
        guard(time, name, _asks_without(f"time.{name}", Kind.CLOCK, _NOW, count))
    guard(time, "sleep", _asks("time.sleep", Kind.CLOCK, _SLEEP))


def _guard_type(cls: type, name: str) -> None:
    """Guard a clock that is a class method of a type that is written in C, which can neither be changed nor derived
    from: values of a derived ``datetime`` would not be what libraries expect. So the change is made in the type's
    own dictionary, and the interpreter told of it; this is CPython's alone.
    """
    original = vars(cls)[name]
    watched = _asks(f"{cls.__name__}.{name}", Kind.CLOCK, _NOW)

    def call(of: Any, *arguments: Any, **named: Any) -> Any:
        look(watched, sys._getframe(1), *arguments, **named)  # noqa: SLF001 - inspect.stack() costs milliseconds
        return original.__get__(None, of)(*arguments, **named)

    call.__name__, call.__doc__ = name, original.__doc__
    call.__qualname__ = f"{cls.__qualname__}.{name}"
    (own,) = gc.get_referents(vars(cls))
    own[name] = classmethod(call)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))


def _guard_randomness() -> None:
    for name in _RANDOM_FUNCTIONS:
        guard(random, name, _asks(f"random.{name}", Kind.RANDOMNESS, _RANDOM))
    guard_method(random.Random, "__init__", _asks_without("random.Random", Kind.RANDOMNESS, _RANDOM, 1))
    for name in _SECRETS:
        guard(secrets, name, _asks(f"secrets.{name}", Kind.RANDOMNESS, _RANDOM))
    for name in ("urandom", "getrandom"):
        guard(os, name, _asks(f"os.{name}", Kind.RANDOMNESS, _RANDOM))
    for name in ("uuid1", "uuid4", "uuid6", "uuid7", "uuid8"):
        guard(uuid, name, _asks(f"uuid.{name}", Kind.RANDOMNESS, _UUID))


def _amend_numpy(module: ModuleType) -> None:
    for name in _NUMPY:
        guard(module, name, _asks(f"numpy.random.{name}", Kind.RANDOMNESS, _RANDOM))
    guard(module, "default_rng", _asks_without("numpy.random.default_rng", Kind.RANDOMNESS, _RANDOM, 1))


# ── the environment ──────────────────────────────────────────────────────────────────────────────────────


def _reads(name: object = None) -> str:
    if name is None:
        return "reads the environment"
    return f"reads the environment variable {os.fsdecode(name) if isinstance(name, bytes) else name}"


class _Ear:
    """What the environment's own class is told of."""

    watched: ClassVar[Watched] = Watched(Kind.ENVIRONMENT, _reads, _ENVIRONMENT, is_direct=True)

    @classmethod
    def hear(cls, frame: FrameType, *name: object) -> None:
        look(cls.watched, frame, *name)


def _guard_environment() -> None:
    """``os.environ`` stays the object that it is, of a class that listens; no audit event tells of reads."""
    heard: Any = type(os.environ)

    class Environment(heard):  # type: ignore[misc]
        def __getitem__(self, key: Any) -> Any:
            _Ear.hear(sys._getframe(1), key)  # noqa: SLF001 - as above
            return super().__getitem__(key)

        def __contains__(self, key: object) -> bool:
            _Ear.hear(sys._getframe(1), key)  # noqa: SLF001 - as above
            return bool(super().__contains__(key))

        def __iter__(self) -> Any:
            _Ear.hear(sys._getframe(1))  # noqa: SLF001 - as above
            return super().__iter__()

    os.environ.__class__ = os.environb.__class__ = Environment
