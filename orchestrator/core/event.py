"""Event: what every kind of fact derives from."""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact, in the past tense."""


class Asked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A fact that a workflow's code asked for; ``heard``: up to which seq it had been told, if not of everything."""

    heard: int = 0
