"""Alerts: the mail that ``email=`` asks for when a task fails, or is tried again."""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from orchestrator.authoring.runtime import Context
from orchestrator.names import CallbackKind

_SETTINGS = {CallbackKind.FAILURE: "email_on_failure", CallbackKind.RETRY: "email_on_retry"}
MAIL_SETTINGS = frozenset({"email", *_SETTINGS.values()})
_BETWEEN = re.compile(r"\s*[,;]\s*")


def addresses(value: Any) -> tuple[str, ...]:
    """E-mail addresses: a text with commas or semicolons between them, or a list; ValueError says what they must be."""
    words = "an e-mail address, or a list of them"
    several = value if isinstance(value, Iterable) and not isinstance(value, str | dict) else [value]
    found: list[str] = []
    for one in several:
        if not isinstance(one, str):
            raise ValueError(words)
        found += [part for part in _BETWEEN.split(one.strip()) if part]
    return tuple(dict.fromkeys(found))


class MailAlert:
    """A callback that mails ``to`` what became of a task, through the connection smtp_default."""

    def __init__(self, to: tuple[str, ...]) -> None:
        self.to = to

    def __call__(self, context: Context) -> None:
        # Loading what mails are made of costs more than all else of a file, and only a process that sends one needs it.
        import_module("orchestrator.notifiers.smtp").SmtpNotifier(to=self.to)(context)


def alerts_of(owner: object, kind: CallbackKind) -> tuple[MailAlert, ...]:
    """The mail that a task wants sent when it has ended so."""
    to, setting = getattr(owner, "email", None), _SETTINGS.get(kind)
    return (MailAlert(tuple(to)),) if to and setting is not None and getattr(owner, setting) else ()
