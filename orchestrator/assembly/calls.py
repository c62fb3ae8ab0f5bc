"""Calls: the questions of a home by name, so that a command elsewhere asks the very same ones.

A call's arguments are one JSON object, by name; its answer is one JSON value. Both are read by the annotations of the
method that is called: what it takes and gives is the contract, and there is no second one.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, get_type_hints

import msgspec

from orchestrator.assembly.accounts import Accounts, accounts_of
from orchestrator.assembly.auditing import proof_of
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_code import RunCode
from orchestrator.assembly.run_logs import RunLogs
from orchestrator.assembly.run_payloads import RunPayloads
from orchestrator.assembly.told_vault import ToldConnections, ToldVariables
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.storage.audit_proof import AuditProof
from orchestrator.storage.guard import Guarded, guard_of
from orchestrator.storage.reads import Reads
from orchestrator.storage.records import Records
from orchestrator.storage.requests import RequestBook
from orchestrator.storage.xcoms import XComReads

PARTS: Mapping[str, tuple[type[Guarded], Callable[[Home], Guarded]]] = {
    "reads": (Reads, lambda home: home.reads),
    "xcoms": (XComReads, lambda home: home.xcoms),
    "requests": (RequestBook, lambda home: home.requests),
    "records": (Records, lambda home: home.records),
    "logs": (RunLogs, RunLogs),
    "payloads": (RunPayloads, RunPayloads),
    "code": (RunCode, RunCode),
    "variables": (ToldVariables, ToldVariables),
    "connections": (ToldConnections, ToldConnections),
    "accounts": (Accounts, accounts_of),
    "proof": (AuditProof, proof_of),
}
"""Those that may be asked from afar, and how each is had of a home: no secret is told by any, but a token to who makes
it."""


class Call:
    """One question: how its arguments and its answer are written."""

    def __init__(self, question: Callable[..., Any]) -> None:
        self._signature = inspect.signature(question)
        hints = get_type_hints(question)
        answer = hints.pop("return")
        self._arguments = msgspec.defstruct(
            f"Arguments of {question.__qualname__}",
            [
                (name, hints[name], parameter.default)
                if parameter.default is not parameter.empty
                else (name, hints[name])
                for name, parameter in self._parameters()
            ],
            kw_only=True,
            forbid_unknown_fields=True,
        )
        self._read_arguments = msgspec.json.Decoder(self._arguments).decode
        self._read_answer = msgspec.json.Decoder(answer).decode

    def write_arguments(self, words: tuple[Any, ...], named: Mapping[str, Any]) -> bytes:
        """TypeError for those that the method does not have."""
        bound = self._signature.bind(None, *words, **named).arguments
        bound.pop(next(iter(self._signature.parameters)))
        return msgspec.json.encode(bound)

    def read_arguments(self, body: bytes) -> dict[str, Any]:
        """UsageError where the body does not say what the method takes."""
        try:
            found = self._read_arguments(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"these are no arguments of that question: {error}") from None
        return {name: getattr(found, name) for name, _ in self._parameters()}

    def read_answer(self, body: bytes) -> Any:
        return self._read_answer(body)

    def _parameters(self) -> Iterator[tuple[str, inspect.Parameter]]:
        found = iter(self._signature.parameters.items())
        next(found)  # self
        return found


@cache
def call_of(part: str, name: str) -> Call:
    """The call of that name; NotFoundError where there is none that may be asked from afar."""
    kind = PARTS[part][0] if part in PARTS else None
    question = getattr(kind, name, None) if kind is not None and not name.startswith("_") else None
    if question is None or guard_of(question) is None:
        raise NotFoundError(f"there is no question {part}.{name}; the two programs may be of different versions")
    return Call(question)


def answer(home: Home, part: str, name: str, body: bytes) -> bytes:
    """What the home answers, in the name of whoever asks it."""
    call = call_of(part, name)
    asked = PARTS[part][1](home)
    return msgspec.json.encode(getattr(asked, name)(**call.read_arguments(body)))
