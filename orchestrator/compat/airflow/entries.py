"""What a table says of one of Airflow's names."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias


class Absent(NamedTuple):
    """A name of Airflow that is not served. ``feature`` is what it belongs to, a few words that stand for many names;
    ``instead`` what to do about it, in the imperative.
    """

    feature: str
    instead: str


Entry: TypeAlias = str | Absent
"""``package.module:name`` or ``package.module``: what it is here. One that begins with ``airflow`` is another of
Airflow's own names, and whatever that is."""

Table: TypeAlias = Mapping[str, Mapping[str, Entry]]
"""By module, and in it by name."""
