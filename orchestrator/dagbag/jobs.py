"""What the dag processor and its zygote say to each other."""

import msgspec

from orchestrator.authoring.defaults import Defaults


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one parse may take: ``timeout`` in seconds, ``memory`` (address space) and ``source`` in bytes."""

    timeout: float = 30.0
    memory: int = 4 * 1024**3
    source: int = 1024**2


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A file to parse; ``file`` is relative to ``folder``, which is dags_folder."""

    file: str
    folder: str
    plugins: str
    defaults: Defaults = Defaults()
    limits: Limits = Limits()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    job: Job


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the process that parsed has ended; the frame's second part is its ParsedFile, as JSON.

    ``death`` says what became of it where there is none; ``output`` is the end of what it printed.
    """

    id: int
    death: str = ""
    output: str = ""
