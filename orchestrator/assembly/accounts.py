"""Accounts: users, what is granted to them, and their tokens."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Engine

from orchestrator.account_ports import SessionStore, Token, TokenStore, User, UserStore
from orchestrator.assembly.passwords import Passwords, random_password
from orchestrator.assembly.sign_in import Policy, SignIn, fingerprint, new_token
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.core.rights import EVERYTHING, Grant
from orchestrator.core.sign_in import user_name
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.nearest import did_you_mean
from orchestrator.ports import Clock
from orchestrator.storage.attempts import SqlAttemptStore
from orchestrator.storage.audit import AuditLog
from orchestrator.storage.credentials import SqlSessionStore, SqlTokenStore
from orchestrator.storage.users import SqlUserStore

FIRST_ADMIN = "admin"
_LONGEST_NAME = 100
_LONGEST_LIFE = timedelta(days=366 * 10)


class Accounts:
    """What is done to accounts; each method tells in whose name, ``by``. Who may do it is asked elsewhere.

    ``sign_in`` is the door. Setting a password computes for about 30 ms: on a server, in a thread.
    """

    def __init__(
        self,
        users: UserStore,
        tokens: TokenStore,
        sessions: SessionStore,
        sign_in: SignIn,
        clock: Clock,
        *,
        passwords: Passwords,
        token_lifetime: timedelta = timedelta(days=90),
    ) -> None:
        self.sign_in = sign_in
        self._users = users
        self._tokens = tokens
        self._sessions = sessions
        self._clock = clock
        self._passwords = passwords
        self._token_lifetime = token_lifetime

    def users(self) -> list[User]:
        """By name."""
        return self._users.all()

    def user(self, name: str) -> User:
        found = self._users.get(name)
        if found is None:
            known = [user.name for user in self._users.all()]
            raise NotFoundError(f"there is no user {name!r}{did_you_mean(name, known)}")
        return found

    def create_user(self, name: str, password: str | None, grants: Sequence[Grant] = (), *, by: str) -> User:
        """Make an account; without a password nobody signs in with one. UsageError for a name or a password that will
        not do, ConflictError where there is such a user.
        """
        name = user_name(name)
        hashed = None if password is None else self._hashed(password, name)
        self._users.add(name, hashed, grants, by=by)
        return self.user(name)

    def ensure_admin(self, *, by: str = "standalone") -> str | None:
        """In a home without any user make one who may do everything; the password, which is told this once."""
        if not self._users.is_empty():
            return None
        password = random_password()
        try:
            self._users.add(FIRST_ADMIN, self._passwords.hash(password), EVERYTHING, by=by)
        except ConflictError:  # another process was first
            return None
        return password

    def set_password(self, name: str, password: str, *, by: str) -> None:
        """The user's sessions end."""
        self._users.set_password(name, self._hashed(password, self.user(name).name), by=by)
        self.sign_in.unlock(name)

    def set_active(self, name: str, active: bool, *, by: str) -> bool:
        """Enable or disable an account; whether that changed anything."""
        return self._changed(self._users.set_active(name, active, by=by))

    def delete_user(self, name: str, *, by: str) -> None:
        """With all tokens and sessions of theirs; what they did stays in the histories and in the audit log."""
        self._users.delete(name, by=by)
        self.sign_in.forget()

    def grant(self, name: str, grant: Grant, *, by: str) -> bool:
        """Whether they did not have it already."""
        return self._changed(self._users.grant(name, grant, by=by))

    def revoke(self, name: str, grant: Grant, *, by: str) -> bool:
        """Whether they had it. ConflictError where it follows from a group, or nobody else could do everything."""
        user = self.user(name)
        if grant in user.mapped and grant not in user.grants:
            raise ConflictError(f"{name!r} has {grant} from a group of their provider; take them out of the group")
        return self._changed(self._users.revoke(name, grant, by=by))

    def end_sessions(self, name: str, *, by: str) -> int:
        """Sign a user out everywhere; of how many sessions."""
        count = self._sessions.end_all(self.user(name).name, by=by)
        self.sign_in.forget()
        return count

    def tokens(self, user: str | None = None) -> list[Token]:
        """By user and name, of one user or of all; without their secrets, which nobody has but who made them."""
        return self._tokens.all(None if user is None else self.user(user).name)

    def create_token(
        self,
        user: str,
        name: str,
        *,
        scopes: Sequence[Grant] | None = None,
        lifetime: timedelta | None = None,
        by: str,
    ) -> tuple[Token, str]:
        """Make a token; it, and its secret, which is told this once. ``lifetime``: as the settings say, where it is
        None; for ever, where it is zero.
        """
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise UsageError(f"a token's name has 1 to {_LONGEST_NAME} printable characters; {name[:40]!r} is none")
        lifetime = self._token_lifetime if lifetime is None else lifetime
        if not timedelta(0) <= lifetime <= _LONGEST_LIFE:
            raise UsageError("a token lets in for at most ten years, or for ever; give it less")
        expires_at = self._clock.now() + lifetime if lifetime else None
        secret = new_token()
        return self._tokens.add(user, name, fingerprint(secret), scopes=scopes, expires_at=expires_at, by=by), secret

    def revoke_token(self, user: str, name: str, *, by: str) -> None:
        self._tokens.revoke(self.user(user).name, name, by=by)
        self.sign_in.forget()

    def _hashed(self, password: str, name: str) -> str:
        self._passwords.require_good(password, name)
        return self._passwords.hash(password)

    def _changed(self, changed: bool) -> bool:
        self.sign_in.forget()
        return changed


def make_accounts(config: Config, engine: Engine, clock: Clock | None = None) -> Accounts:
    """The accounts of a home."""
    clock = clock or SystemClock()
    users, tokens, sessions = SqlUserStore(engine, clock), SqlTokenStore(engine, clock), SqlSessionStore(engine, clock)
    passwords = Passwords(least_length=config.auth.password_min_length)
    policy = Policy(idle=config.auth.session_idle, lifetime=config.auth.session_lifetime)
    door = SignIn(
        users,
        tokens,
        sessions,
        SqlAttemptStore(engine),
        AuditLog(engine, clock),
        clock,
        passwords=passwords,
        policy=policy,
    )
    lifetime = config.auth.token_lifetime
    return Accounts(users, tokens, sessions, door, clock, passwords=passwords, token_lifetime=lifetime)
