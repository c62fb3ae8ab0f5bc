"""Rights: what somebody may do, and to which DAGs."""

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from fnmatch import fnmatchcase
from typing import TypeAlias

import msgspec

from orchestrator.exceptions import UsageError

_OF_PATTERNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-*?")
_LONGEST_PATTERN = 250


class Right(IntEnum):
    """What may be done; each includes those before it."""

    VIEW = 1
    """See what is there: runs, histories, logs, results."""
    TRIGGER = 2
    """Start runs, and answer what they ask."""
    EDIT = 3
    """Change what goes on: clear, mark, cancel, pause, fork; pools, variables and connections."""
    ADMIN = 4
    """Everything: users and their rights, the tokens of others, configuration, the audit log."""


class Role(StrEnum):
    """A right by the name that people give it."""

    VIEWER = "viewer"
    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def right(self) -> Right:
        """The highest that it has."""
        return _RIGHTS[self]


_RIGHTS = {Role.VIEWER: Right.VIEW, Role.USER: Right.TRIGGER, Role.OPERATOR: Right.EDIT, Role.ADMIN: Right.ADMIN}


class Grant(msgspec.Struct, frozen=True, order=True):
    """A role on the DAGs whose id ``dag_pattern`` fits; None: on all of them, and on what belongs to no DAG.

    In a pattern ``*`` stands for any text and ``?`` for one character; capitals count.
    """

    role: Role
    dag_pattern: str | None = None

    def allows(self, right: Right, dag_id: str | None) -> bool:
        return right <= self.role.right and self.covers(dag_id)

    def covers(self, dag_id: str | None) -> bool:
        """Whether it is about that DAG; None is what belongs to no DAG."""
        return self.dag_pattern is None or (dag_id is not None and fnmatchcase(dag_id, self.dag_pattern))

    def __str__(self) -> str:
        return self.role.value if self.dag_pattern is None else f"{self.role.value}:{self.dag_pattern}"


_Patterns: TypeAlias = frozenset[str]


class Reach(msgspec.Struct, frozen=True):
    """Which DAGs somebody reaches: those whose id fits at least one pattern of each set.

    Without a set they are all DAGs; an empty set lets none through. A list is narrowed with it where it is read.
    """

    sets: tuple[_Patterns, ...] = ()

    @property
    def everything(self) -> bool:
        return not self.sets

    @property
    def nothing(self) -> bool:
        return any(not patterns for patterns in self.sets)

    def __contains__(self, dag_id: object) -> bool:
        return isinstance(dag_id, str) and all(
            any(fnmatchcase(dag_id, pattern) for pattern in patterns) for patterns in self.sets
        )


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who asks: what is granted to them and, where they come by a token, its scopes, which only narrow it.

    ``via`` says how they came: ``cli``, ``session``, ``oidc`` or ``token:ID``.
    """

    name: str
    grants: tuple[Grant, ...] = ()
    scopes: tuple[Grant, ...] | None = None
    via: str = "session"

    @property
    def by(self) -> str:
        """In whose name what they do is recorded."""
        return f"{self.via}:{self.name}"

    def may(self, right: Right, dag_id: str | None = None) -> bool:
        """Whether they may do that to a DAG; without one, to what belongs to no DAG: pools, users, configuration."""
        return all(any(grant.allows(right, dag_id) for grant in grants) for grants in self._bounds)

    def dags(self, right: Right = Right.VIEW) -> Reach:
        """The DAGs that they may do that to: exactly those for which ``may`` says so."""
        reaches = (_patterns(right, grants) for grants in self._bounds)
        return Reach(tuple(patterns for patterns in reaches if patterns is not None))

    def highest(self, dag_id: str | None = None) -> Right | None:
        """The highest right that they have there; None: it does not exist for them."""
        return max((right for right in Right if self.may(right, dag_id)), default=None)

    @property
    def _bounds(self) -> tuple[tuple[Grant, ...], ...]:
        return (self.grants,) if self.scopes is None else (self.grants, self.scopes)


def _patterns(right: Right, grants: Iterable[Grant]) -> _Patterns | None:
    """Those of the grants that reach so far; None: everything."""
    reaching = [grant for grant in grants if right <= grant.role.right]
    if any(grant.dag_pattern is None for grant in reaching):
        return None
    return frozenset(grant.dag_pattern for grant in reaching if grant.dag_pattern is not None)


EVERYTHING = (Grant(Role.ADMIN),)
LOCAL = Principal(name="local", grants=EVERYTHING, via="cli")
"""Whoever may read and write the home's files: those permissions are their sign-in."""
NOBODY = Principal(name="anonymous", via="nothing")


def grant_of(text: str) -> Grant:
    """The grant that ``role`` or ``role:pattern`` means; UsageError says what is wrong with it."""
    role, colon, pattern = text.partition(":")
    try:
        known = Role(role.strip().lower())
    except ValueError:
        raise UsageError(f"{role!r} is no role; write one of {', '.join(Role)}, alone or as role:pattern") from None
    return Grant(known, checked_pattern(pattern) if colon else None)


def checked_pattern(pattern: str) -> str:
    """``pattern``, if it may be one of DAG ids; UsageError otherwise."""
    if not 0 < len(pattern) <= _LONGEST_PATTERN or not _OF_PATTERNS.issuperset(pattern):
        raise UsageError(
            f"{pattern[:40]!r} is no pattern of DAG ids; write an id, in which * stands for any text and ? for one "
            f"character, such as 'etl_*'"
        )
    return pattern
