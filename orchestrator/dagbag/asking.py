"""Asking: how a DAG file reads Variables and Connections while it is parsed, and how its dag processor answers.

The zygote has the one end of a socket, the door, and every child inherits it. A child that wants to know something
puts one end of a pair of its own through the door, asks over the other, and waits for the answer.
"""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from orchestrator.authoring.connection import Connection
from orchestrator.authoring.variable import mask_read
from orchestrator.authoring.vault import EnvironmentVault, Vault
from orchestrator.dagbag.contents import content_hash
from orchestrator.dagbag.frames import receive, send
from orchestrator.dagbag.quarantine.fence import Fence
from orchestrator.dagbag.roots import Roots
from orchestrator.exceptions import OrchestratorError, UsageError
from orchestrator.names import QuarantineMode

_PATIENCE = 2.0  # seconds for a child to say what it wants, once it has knocked
_NOWHERE = Roots(Path("/"))


class ParseVault(Vault, Protocol):
    """The vault as a DAG file reads it while it is parsed."""

    def stamp(self, name: str) -> str | None:
        """Tells what ``@variable:key`` or ``@connection:id`` stands for now from what it stood for, without giving it
        away; None where there is none."""

    def cursor(self) -> int:
        """Rises whenever a variable or connection of the database changes."""


class EnvironmentParseVault(EnvironmentVault):
    """A ParseVault where no home is open."""

    def stamp(self, name: str) -> str | None:
        kind, _, key = name.partition(":")
        found = self.variable(key) if kind == "@variable" else self.connection(key)
        return None if found is None else content_hash(found.encode())

    def cursor(self) -> int:
        return 0


class Question(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["variable", "connection"]
    name: str | None = None  # None: which there are


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``problem`` is one sentence that says why nothing can be read."""

    value: str | None = None
    stamp: str | None = None
    names: tuple[str, ...] = ()
    problem: str = ""


class AskingVault:
    """The vault in a process that parses. ``stamps`` has everything that was asked for, with None where none is."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self.stamps: dict[str, str | None] = {}

    def variable(self, key: str) -> str | None:
        return self._read(Question(kind="variable", name=key))

    def connection(self, conn_id: str) -> str | None:
        return self._read(Question(kind="connection", name=conn_id))

    def variable_keys(self) -> Sequence[str]:
        return self._ask(Question(kind="variable")).names

    def connection_ids(self) -> Sequence[str]:
        return self._ask(Question(kind="connection")).names

    def set_variable(self, key: str, value: str, description: str | None) -> None:  # noqa: ARG002 - the protocol
        raise UsageError(f"the variable {key!r} cannot be set while a DAG file is parsed; set it in a task")

    def delete_variable(self, key: str) -> bool:
        raise UsageError(f"the variable {key!r} cannot be deleted while a DAG file is parsed; delete it in a task")

    def _read(self, question: Question) -> str | None:
        reply = self._ask(question)
        self.stamps[f"@{question.kind}:{question.name}"] = reply.stamp
        return reply.value

    def _ask(self, question: Question) -> Reply:
        with Fence(_NOWHERE, mode=QuarantineMode.OFF):  # what is read here is recorded, and no effect of the author's
            mine, theirs = socket.socketpair()
            with mine:
                with theirs:
                    socket.send_fds(self._door, [b"?"], [theirs.fileno()])
                send(mine, msgspec.json.encode(question))
                frame = receive(mine)
        if frame is None:
            raise UsageError("the dag processor has gone, and nobody can say what variables and connections there are")
        reply = msgspec.json.decode(frame[0], type=Reply)
        if reply.problem:
            raise UsageError(reply.problem)
        return reply


class Answers:
    """The dag processor's side of the door. What it gives away, it masks in what it writes itself."""

    def __init__(self, door: socket.socket, vault: ParseVault) -> None:
        self.door = door
        self._vault = vault

    def give(self) -> None:
        """Answer whoever has knocked."""
        _, files, _, _ = socket.recv_fds(self.door, 1, 1)
        for file in files:
            with socket.socket(fileno=file) as asker:
                asker.settimeout(_PATIENCE)
                try:
                    frame = receive(asker)
                    if frame is not None:
                        send(asker, msgspec.json.encode(self._reply(msgspec.json.decode(frame[0], type=Question))))
                except (OSError, msgspec.DecodeError):
                    continue  # a child that was ended, or is out of its mind

    def _reply(self, question: Question) -> Reply:
        try:
            if question.name is None:
                return Reply(names=tuple(self._names(question.kind)))
            found = self._found(question.kind, question.name)
            stamp = None if found is None else self._vault.stamp(f"@{question.kind}:{question.name}")
            return Reply(value=found, stamp=stamp)
        except OrchestratorError as error:
            return Reply(problem=str(error))

    def _names(self, kind: str) -> Sequence[str]:
        return self._vault.variable_keys() if kind == "variable" else self._vault.connection_ids()

    def _found(self, kind: str, name: str) -> str | None:
        found = self._vault.variable(name) if kind == "variable" else self._vault.connection(name)
        if found is not None:
            if kind == "variable":
                mask_read(name, found)
            else:
                Connection.from_text(found, name)
        return found
