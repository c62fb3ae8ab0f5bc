"""The interfaces of what is kept about people: who they are, and how they come in.

Moments are aware UTC datetimes. Errors are of the tree in ``exceptions``. Secrets never get here: only their hashes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from orchestrator.core.rights import Grant
from orchestrator.core.sign_in import Limit


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is to a provider of identities: its URL, and its own name for them, which it never gives anew."""

    issuer: str
    subject: str


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account. ``mapped`` are grants that follow from the provider's groups, ``grants`` all others."""

    name: str
    is_active: bool
    has_password: bool
    created_at: datetime
    password_changed_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    identity: Identity | None = None
    grants: tuple[Grant, ...] = ()
    mapped: tuple[Grant, ...] = ()

    @property
    def all_grants(self) -> tuple[Grant, ...]:
        return tuple(sorted({*self.grants, *self.mapped}, key=str))


class UserStore(Protocol):
    """Accounts. Each change is durable with its line of the audit; ``by`` is who makes it. A name that nobody has is a
    NotFoundError; what would leave nobody who may do everything, a ConflictError.
    """

    def all(self) -> list[User]:
        """By name."""

    def get(self, name: str) -> User | None: ...

    def identified(self, identity: Identity) -> User | None:
        """The user that a provider knows so."""

    def is_empty(self) -> bool: ...

    def add(
        self,
        name: str,
        password_hash: str | None,
        grants: Sequence[Grant] = (),
        *,
        identity: Identity | None = None,
        by: str,
    ) -> None:
        """ConflictError where the name is taken."""

    def password_hash(self, name: str) -> str | None:
        """None where there is no such user, or they have no password."""

    def set_password(self, name: str, password_hash: str, *, by: str) -> None:
        """It also ends the user's sessions."""

    def rehash(self, name: str, old: str, new: str) -> None:
        """Keep another hash of the same password, unless that has changed meanwhile."""

    def set_active(self, name: str, active: bool, *, by: str) -> bool:
        """Whether that changed anything; who is not active has no session, and their tokens let nobody in."""

    def delete(self, name: str, *, by: str) -> None:
        """With their grants, tokens and sessions."""

    def grant(self, name: str, grant: Grant, *, by: str) -> bool:
        """Whether they did not have it."""

    def revoke(self, name: str, grant: Grant, *, by: str) -> bool:
        """Whether they had it."""

    def map_grants(self, name: str, grants: Sequence[Grant], *, by: str) -> bool:
        """Put these in the place of those that followed from a provider's groups; whether they were others."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token of a user, but for its secret. ``scopes`` narrow what it may do; None: all that the user may."""

    id: int
    user: str
    name: str
    created_at: datetime
    scopes: tuple[Grant, ...] | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


class TokenStore(Protocol):
    """Tokens, by the SHA-256 of their secrets. Changes are durable with their lines of the audit."""

    def add(
        self,
        user: str,
        name: str,
        sha256: str,
        *,
        scopes: Sequence[Grant] | None = None,
        expires_at: datetime | None = None,
        by: str,
    ) -> Token:
        """NotFoundError where there is no such user, ConflictError where they have a token of that name."""

    def all(self, user: str | None = None) -> list[Token]:
        """By user and name."""

    def find(self, sha256: str) -> tuple[Token, User] | None: ...

    def used(self, token_id: int, at: datetime) -> None: ...

    def revoke(self, user: str, name: str, *, by: str) -> None:
        """NotFoundError where there is none of that name."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is signed in. ``via`` is ``session`` or ``oidc``; it ends at ``expires_at`` at the latest."""

    user: str
    via: str
    address: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class ListedSession(Session, frozen=True, kw_only=True):
    """A session in a list. ``id`` names it: the beginning of the SHA-256 of its secret, which opens nothing."""

    id: str


SESSION_ID = 16
"""How many of the digits of its hash name a session."""


class SessionStore(Protocol):
    """Sessions, by the SHA-256 of their secrets."""

    def begin(self, sha256: str, session: Session) -> None:
        """Durable with its line of the audit; those that have expired are forgotten. NotFoundError without the user."""

    def find(self, sha256: str) -> tuple[Session, User] | None: ...

    def seen(self, sha256: str, at: datetime) -> None: ...

    def end(self, sha256: str) -> bool:
        """Whether there was one."""

    def all(self, user: str) -> list[ListedSession]:
        """Those of a user, the one that was seen last first; also those that have expired and are not forgotten yet."""

    def end_one(self, user: str, session_id: str, *, by: str) -> None:
        """NotFoundError where that user has none of that id."""

    def end_all(self, user: str, *, by: str) -> int:
        """How many of that user's there were."""


class AttemptStore(Protocol):
    """How often sign-in has failed, counted for all servers together."""

    def begin(self, limits: Mapping[str, Limit], now: datetime) -> datetime | None:
        """Count an attempt as failed, under each key, before its password is looked at; or, without counting it, when
        it may be made."""

    def forget(self, key: str) -> None:
        """Nothing is counted under it any longer."""

    def forgive(self, key: str) -> None:
        """The last attempt under it did not fail."""
