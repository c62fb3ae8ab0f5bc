"""SignIn: who comes in, by a password, by the secret of a session, or by a token."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import NoReturn

import msgspec

from orchestrator.account_ports import (
    SESSION_ID,
    AttemptStore,
    Identity,
    Session,
    SessionStore,
    Token,
    TokenStore,
    User,
    UserStore,
)
from orchestrator.assembly.lookups import Lookups
from orchestrator.assembly.passwords import Passwords
from orchestrator.core.claims import Claimed
from orchestrator.core.rights import Principal
from orchestrator.core.sign_in import PER_ADDRESS, PER_NAME, address_key, name_key, user_name
from orchestrator.exceptions import ConflictError, SignInError, TooManyAttemptsError, UsageError
from orchestrator.ports import Clock
from orchestrator.storage.audit import AuditLog

TOKEN_PREFIX = "orc_"  # noqa: S105 - what all of them begin with, so that they are found where they do not belong
TRUST = timedelta(seconds=5)
"""How long a server goes by what it has read of a session or token: others' changes count no later."""

_BYTES_OF_SECRET = 32
_LONGEST_ADDRESS = 100
_REMEMBERED = 10_000
_LEAST_BETWEEN_WRITES = timedelta(minutes=1)
_WRONG = "the name or the password is wrong, or the account is disabled"


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in. ``csrf`` is what their forms send along; ``until`` when the session ends at the
    latest."""

    principal: Principal
    csrf: str
    until: datetime

    def __repr__(self) -> str:
        return f"SignedIn({self.principal.name!r})"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How long a session lasts unused, and at all."""

    idle: timedelta = timedelta(hours=12)
    lifetime: timedelta = timedelta(days=7)


class SignIn:
    """The door. Its methods ask the database, and ``with_password`` computes for about 30 ms: on a server, call them in
    a thread; threads may share one.
    """

    def __init__(
        self,
        users: UserStore,
        tokens: TokenStore,
        sessions: SessionStore,
        attempts: AttemptStore,
        audit: AuditLog,
        clock: Clock,
        *,
        passwords: Passwords,
        policy: Policy,
    ) -> None:
        self._users = users
        self._tokens = tokens
        self._sessions = sessions
        self._attempts = attempts
        self._audit = audit
        self._clock = clock
        self._passwords = passwords
        self._policy = policy
        self._known_sessions: Lookups[tuple[Session, SignedIn]] = Lookups(TRUST, _REMEMBERED)
        self._known_tokens: Lookups[tuple[Token, Principal]] = Lookups(TRUST, _REMEMBERED)

    def with_password(self, name: str, password: str, address: str) -> str:
        """Begin a session; its secret, for a cookie. SignInError says nothing of what is wrong; TooManyAttemptsError,
        when to try again.
        """
        return self.begin(self.require_password(name, password, address), "session", address)

    def require_password(self, name: str, password: str, address: str) -> User:
        """The user whose name and password these are; the same errors."""
        keys = {name_key(name): PER_NAME, address_key(address): PER_ADDRESS}
        until = self._attempts.begin(keys, self._clock.now())
        if until is not None:
            raise TooManyAttemptsError(until)
        user = self._user(name)
        stored = self._users.password_hash("" if user is None else user.name)  # asked in any case: it takes its time
        if not self._passwords.matches(password, stored) or user is None or stored is None or not user.is_active:
            self._refuse(user, address)
        self._attempts.forget(name_key(name))
        self._attempts.forgive(address_key(address))
        if self._passwords.is_outdated(stored):
            self._users.rehash(user.name, stored, self._passwords.hash(password))
        return user

    def with_identity(self, claimed: Claimed, address: str) -> str:
        """Begin a session of somebody whom a provider knows; its secret. At first they get an account of the name that
        the provider says; what is granted to them follows their groups each time. SignInError where that is nothing,
        or the name is somebody else's.
        """
        identity = Identity(issuer=claimed.issuer, subject=claimed.subject)
        user = self._users.identified(identity)
        if not claimed.grants and (user is None or not user.grants):
            self._refuse(user, address, "none of your groups has a role here; an administrator maps them in [oidc]")
        by = f"oidc:{claimed.name if user is None else user.name}"
        if user is None:
            self._welcome(claimed.name, identity, by)
        name = claimed.name if user is None else user.name
        if self._users.map_grants(name, claimed.grants, by=by):
            self.forget()
        known = self._users.identified(identity)
        if known is None:
            self._refuse(None, address)
        return self.begin(known, "oidc", address)

    def begin(self, user: User, via: str, address: str) -> str:
        """Begin a session of somebody who has shown who they are; its secret."""
        if not user.is_active:
            self._refuse(user, address)
        secret = secrets.token_urlsafe(_BYTES_OF_SECRET)
        now = self._clock.now()
        until = now + self._policy.lifetime
        address = address[:_LONGEST_ADDRESS].encode("ascii", "backslashreplace").decode().replace("\x00", "")
        session = Session(user=user.name, via=via, address=address, created_at=now, seen_at=now, expires_at=until)
        self._sessions.begin(fingerprint(secret), session)
        return secret

    def session(self, secret: str) -> SignedIn | None:
        """Who comes with the secret of a session; None where it has ended."""
        now, key = self._clock.now(), fingerprint(secret)
        known = self._known_sessions.get(key, now) or self._found_session(key, secret, now)
        if known is None or known[0].expires_at <= now:
            return None
        return known[1]

    def sign_out(self, secret: str) -> bool:
        """End a session; whether there was one."""
        self._known_sessions.clear()
        return self._sessions.end(fingerprint(secret))

    def with_token(self, secret: str) -> Principal | None:
        """Who comes with a token; None where it lets nobody in."""
        if not secret.startswith(TOKEN_PREFIX):
            return None
        now, key = self._clock.now(), fingerprint(secret)
        known = self._known_tokens.get(key, now) or self._found_token(key, now)
        if known is None or (known[0].expires_at is not None and known[0].expires_at <= now):
            return None
        return known[1]

    def lasts(self, session: Session) -> bool:
        """Whether it has neither expired nor been left alone for too long."""
        now = self._clock.now()
        return session.expires_at > now and session.seen_at + self._policy.idle > now

    def unlock(self, name: str) -> None:
        """Let somebody try at once whose sign-in failed too often; and ask the database anew."""
        self._attempts.forget(name_key(name))
        self.forget()

    def forget(self) -> None:
        """Ask the database anew, since something has changed."""
        self._known_sessions.clear()
        self._known_tokens.clear()

    def _found_session(self, key: str, secret: str, now: datetime) -> tuple[Session, SignedIn] | None:
        found = self._sessions.find(key)
        if found is None or not found[1].is_active or found[0].seen_at + self._policy.idle <= now:
            return None
        session, user = found
        if now - session.seen_at >= _LEAST_BETWEEN_WRITES:
            self._sessions.seen(key, now)
        principal = Principal(name=user.name, grants=user.all_grants, via=session.via)
        signed_in = SignedIn(principal=principal, csrf=csrf_of(secret), until=session.expires_at)
        return self._known_sessions.put(key, (session, signed_in), now)

    def _found_token(self, key: str, now: datetime) -> tuple[Token, Principal] | None:
        found = self._tokens.find(key)
        if found is None or not found[1].is_active:
            return None
        token, user = found
        if token.last_used_at is None or now - token.last_used_at >= _LEAST_BETWEEN_WRITES:
            self._tokens.used(token.id, now)
        principal = Principal(name=user.name, grants=user.all_grants, scopes=token.scopes, via=f"token:{token.id}")
        return self._known_tokens.put(key, (token, principal), now)

    def _user(self, name: str) -> User | None:
        try:
            return self._users.get(user_name(name))
        except UsageError:
            return None

    def _welcome(self, name: str, identity: Identity, by: str) -> None:
        """Make an account, unless another server did just now."""
        try:
            self._users.add(name, None, identity=identity, by=by)
        except ConflictError:
            if self._users.identified(identity) is None:
                raise SignInError(
                    f"there is an account {name!r} here that is not this provider's; an administrator can delete it"
                ) from None

    def _refuse(self, user: User | None, address: str, why: str = _WRONG) -> NoReturn:
        """A name that nobody has is not written down: it may be a password, typed in the wrong place."""
        by = "sign-in:(unknown)" if user is None else f"sign-in:{user.name}"
        self._audit.note(by, "sign_in", refusal=why, address=address)
        raise SignInError(why)


def session_id(secret: str) -> str:
    """What a session is called in lists."""
    return fingerprint(secret)[:SESSION_ID]


def new_token() -> str:
    """The secret of a token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_BYTES_OF_SECRET)


def fingerprint(secret: str) -> str:
    """What is kept of a secret that is too long to be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "backslashreplace")).hexdigest()


def csrf_of(secret: str) -> str:
    """What forms of a session send along: it follows from the session's secret, which does not follow from it."""
    return fingerprint(f"csrf:{secret}")
