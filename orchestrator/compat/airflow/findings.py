"""Findings: what there is to say about one line of a file."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """How grave it is."""

    DIFFERS = "differs"  # it runs, and means something a little else
    MISSING = "missing"  # it does not run


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``feature`` is what it belongs to, in a few words that stand for many names; empty where it is no name of
    Airflow's.
    """

    file: str
    line: int
    kind: Kind
    sentence: str
    feature: str = ""
