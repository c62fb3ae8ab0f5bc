"""Accounts: users, what is granted to them, and their tokens."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
from sqlalchemy import Engine

from orchestrator.account_ports import ListedSession, SessionStore, Token, TokenStore, User, UserStore
from orchestrator.assembly.home import Home
from orchestrator.assembly.passwords import Passwords, random_password
from orchestrator.assembly.sign_in import Policy, SignIn, fingerprint, new_token
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.core.rights import EVERYTHING, LOCAL, Grant, Principal, Right, grant_of
from orchestrator.core.sign_in import user_name
from orchestrator.exceptions import ConflictError, ForbiddenError, NotFoundError, UsageError
from orchestrator.nearest import did_you_mean
from orchestrator.ports import Clock
from orchestrator.storage.attempts import SqlAttemptStore
from orchestrator.storage.audit import AuditLog
from orchestrator.storage.credentials import SqlSessionStore, SqlTokenStore
from orchestrator.storage.guard import Guarded, of_home, visible
from orchestrator.storage.users import SqlUserStore

FIRST_ADMIN = "admin"
_LONGEST_NAME = 100
_LONGEST_LIFE = timedelta(days=366 * 10)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Where accounts are kept, and by what rules; ``token_lifetime`` is of tokens whose maker does not say."""

    users: UserStore
    tokens: TokenStore
    sessions: SessionStore
    clock: Clock
    passwords: Passwords
    token_lifetime: timedelta


class Accounts(Guarded):
    """What is done to accounts: by administrators; to their own, by whoever has signed in without a token.

    ``by`` is who asked, if that is told of a principal that is local. ``sign_in`` is the door. Setting a password
    computes for about 30 ms: on a server, in a thread.
    """

    def __init__(self, engine: Engine, kept: Kept, sign_in: SignIn, who: Principal = LOCAL) -> None:
        super().__init__(engine, who)
        self.sign_in = sign_in
        self._kept = kept
        self._users, self._tokens, self._sessions = kept.users, kept.tokens, kept.sessions

    def seen_by(self, who: Principal) -> "Accounts":
        """The same accounts, asked by somebody else."""
        return Accounts(self._engine, self._kept, self.sign_in, who)

    @of_home.taking(Right.ADMIN)
    def users(self) -> list[User]:
        """By name."""
        return self._users.all()

    @of_home.taking(Right.ADMIN)
    def user(self, name: str) -> User:
        return self._user(name)

    @of_home.taking(Right.ADMIN)
    def create_user(self, name: str, password: str | None, grants: Sequence[Grant] = (), *, by: str) -> User:
        """Make an account; without a password nobody signs in with one. UsageError for a name or a password that will
        not do, ConflictError where there is such a user.
        """
        name = user_name(name)
        hashed = None if password is None else self._hashed(password, name)
        checked = [grant_of(str(grant)) for grant in grants]
        self._users.add(name, hashed, checked, by=self._in_the_name_of(by))
        return self._user(name)

    @of_home.taking(Right.ADMIN)
    def ensure_admin(self, *, by: str = "standalone") -> str | None:
        """In a home without any user make one who may do everything; the password, which is told this once."""
        if not self._users.is_empty():
            return None
        password = random_password()
        try:
            self._users.add(FIRST_ADMIN, self._kept.passwords.hash(password), EVERYTHING, by=self._in_the_name_of(by))
        except ConflictError:  # another process was first
            return None
        return password

    @of_home.taking(Right.ADMIN)
    def set_password(self, name: str, password: str, *, by: str) -> None:
        """The user's sessions end."""
        self._set_password(name, password, by)

    @visible
    def change_password(self, old: str, new: str, address: str, *, by: str) -> None:
        """One's own, by who knows the old one; all sessions of theirs end. SignInError as when signing in."""
        self._require_own(self._who.name)
        self.sign_in.require_password(self._who.name, old, address)
        self._set_password(self._who.name, new, by)

    @of_home.taking(Right.ADMIN)
    def set_active(self, name: str, active: bool, *, by: str) -> bool:
        """Enable or disable an account; whether that changed anything."""
        return self._changed(self._users.set_active(_as_kept(name), active, by=self._in_the_name_of(by)))

    @of_home.taking(Right.ADMIN)
    def delete_user(self, name: str, *, by: str) -> None:
        """With all tokens and sessions of theirs; what they did stays in the histories and in the audit log."""
        self._users.delete(_as_kept(name), by=self._in_the_name_of(by))
        self.sign_in.forget()

    @of_home.taking(Right.ADMIN)
    def grant(self, name: str, grant: Grant, *, by: str) -> bool:
        """Whether they did not have it already."""
        return self._changed(self._users.grant(_as_kept(name), grant_of(str(grant)), by=self._in_the_name_of(by)))

    @of_home.taking(Right.ADMIN)
    def revoke(self, name: str, grant: Grant, *, by: str) -> bool:
        """Whether they had it. ConflictError where it follows from a group, or nobody else could do everything."""
        user = self._user(name)
        if grant in user.mapped and grant not in user.grants:
            raise ConflictError(f"{name!r} has {grant} from a group of their provider; take them out of the group")
        return self._changed(self._users.revoke(user.name, grant, by=self._in_the_name_of(by)))

    @visible
    def own(self) -> User:
        """One's own account; NotFoundError where whoever asks has none."""
        self._require_own(self._who.name)
        return self._user(self._who.name)

    @visible
    def sessions(self, name: str) -> list[ListedSession]:
        """The sessions of a user that have not ended, the one that was used last first."""
        self._require_own(name)
        return [one for one in self._sessions.all(self._user(name).name) if self.sign_in.lasts(one)]

    @visible
    def end_session(self, name: str, session_id: str, *, by: str) -> None:
        """Sign a user out in one place; NotFoundError where they are not signed in there."""
        self._require_own(name)
        self._sessions.end_one(self._user(name).name, session_id, by=self._in_the_name_of(by))
        self.sign_in.forget()

    @visible
    def end_sessions(self, name: str, *, by: str) -> int:
        """Sign a user out everywhere; of how many sessions."""
        self._require_own(name)
        count = self._sessions.end_all(self._user(name).name, by=self._in_the_name_of(by))
        self.sign_in.forget()
        return count

    @visible
    def tokens(self, user: str | None = None) -> list[Token]:
        """By user and name, of one user or of all; without their secrets, which nobody has but who made them."""
        self._require_own(user)
        return self._tokens.all(None if user is None else self._user(user).name)

    @visible
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
        self._require_own(user)
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise UsageError(f"a token's name has 1 to {_LONGEST_NAME} printable characters; {name[:40]!r} is none")
        lifetime = self._kept.token_lifetime if lifetime is None else lifetime
        if not timedelta(0) <= lifetime <= _LONGEST_LIFE:
            raise UsageError("a token lets in for at most ten years, or for ever; give it less")
        expires_at = self._kept.clock.now() + lifetime if lifetime else None
        secret = new_token()
        user, by = _as_kept(user), self._in_the_name_of(by)
        return self._tokens.add(user, name, fingerprint(secret), scopes=scopes, expires_at=expires_at, by=by), secret

    @visible
    def revoke_token(self, user: str, name: str, *, by: str) -> None:
        self._require_own(user)
        if not name.isprintable():
            raise NotFoundError(f"{user!r} has no token {name[:_LONGEST_NAME]!r}")
        self._tokens.revoke(self._user(user).name, name, by=self._in_the_name_of(by))
        self.sign_in.forget()

    def _user(self, name: str) -> User:
        name = _as_kept(name)
        found = self._users.get(name)
        if found is None:
            known = [user.name for user in self._users.all()]
            raise NotFoundError(f"there is no user {name!r}{did_you_mean(name, known)}")
        return found

    def _require_own(self, name: str | None) -> None:
        """A token makes no tokens and ends no sessions unless it is an administrator's: it would outlive itself."""
        is_token = self._who.via.startswith("token:")
        if not self._who.may(Right.ADMIN) and (is_token or name != self._who.name):
            raise ForbiddenError(f"{self._who.name} may do this to their own account only, and not by a token")

    def _set_password(self, name: str, password: str, by: str) -> None:
        name = self._user(name).name
        self._users.set_password(name, self._hashed(password, name), by=self._in_the_name_of(by))
        self.sign_in.unlock(name)

    def _hashed(self, password: str, name: str) -> str:
        self._kept.passwords.require_good(password, name)
        return self._kept.passwords.hash(password)

    def _changed(self, changed: bool) -> bool:
        self.sign_in.forget()
        return changed


def _as_kept(name: str) -> str:
    """The name as users have it; NotFoundError for one that none can have."""
    try:
        return user_name(name)
    except UsageError:
        raise NotFoundError(f"there is no user {name[:_LONGEST_NAME]!r}") from None


def accounts_of(home: Home) -> Accounts:
    """The accounts of an open home, for whoever asks it."""
    return make_accounts(home.config, home.engine, who=home.who)


def make_accounts(config: Config, engine: Engine, clock: Clock | None = None, who: Principal = LOCAL) -> Accounts:
    """The accounts of a home."""
    clock = clock or SystemClock()
    kept = Kept(
        users=SqlUserStore(engine, clock),
        tokens=SqlTokenStore(engine, clock),
        sessions=SqlSessionStore(engine, clock),
        clock=clock,
        passwords=Passwords(least_length=config.auth.password_min_length),
        token_lifetime=config.auth.token_lifetime,
    )
    door = SignIn(
        kept.users,
        kept.tokens,
        kept.sessions,
        SqlAttemptStore(engine),
        AuditLog(engine, clock),
        clock,
        passwords=kept.passwords,
        policy=Policy(idle=config.auth.session_idle, lifetime=config.auth.session_lifetime),
    )
    return Accounts(engine, kept, door, who)
