"""What a scheduler and the host of an author's executor say to each other: frames of a length and JSON."""

from typing import TypeAlias

import msgspec

from orchestrator.core.orders import Order, Report
from orchestrator.executors.base import ExecutorSettings
from orchestrator.names import AttemptKey
from orchestrator.ports import Adoption


class Maker(msgspec.Struct, frozen=True, kw_only=True):
    """Which class it is: ``named`` as ``[core] executor`` has it, a dotted path, or a name that ``plugin`` gives.

    The plugin is a name and a source, as its card has them. Imports look below ``dags`` and ``plugins`` as well.
    """

    named: str
    dags: str
    plugins: str
    plugin: tuple[str, str] | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """One call, or one answer."""


class Open(Said, frozen=True, kw_only=True):
    """The first word: make the executor with these settings, and start it."""

    maker: Maker
    settings: ExecutorSettings


class Submit(Said, frozen=True, kw_only=True):
    order: Order


class About(Said, frozen=True, kw_only=True):
    """``call`` is go, cancel, take_back or adopt."""

    call: str
    keys: tuple[AttemptKey, ...]


class Ready(Said, frozen=True, kw_only=True):
    """It has started; or ``trouble`` says in one sentence why it has not. ``is_setting``: the class cannot be had."""

    trouble: str = ""
    is_setting: bool = False


class Reported(Said, frozen=True, kw_only=True):
    report: Report


class Adopted(Said, frozen=True, kw_only=True):
    """What became of each of the keys that were asked about."""

    found: tuple[tuple[AttemptKey, Adoption], ...]


class Broken(Said, frozen=True, kw_only=True):
    """A call raised, or gave what is no report; the executor goes on. What the call would do to ``keys`` is open."""

    message: str
    keys: tuple[AttemptKey, ...] = ()


ToHost: TypeAlias = Open | Submit | About
FromHost: TypeAlias = Ready | Reported | Adopted | Broken

decode_to_host = msgspec.json.Decoder(ToHost).decode
decode_from_host = msgspec.json.Decoder(FromHost).decode
