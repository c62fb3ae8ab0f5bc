"""Tokens and sessions: only the hashes of their secrets are kept, which are too long to be guessed from these."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from orchestrator.account_ports import SESSION_ID, ListedSession, Session, Token, User
from orchestrator.core.rights import Grant, grant_of
from orchestrator.exceptions import ConflictError, NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.ports import Clock
from orchestrator.storage.audit import note
from orchestrator.storage.database import AnyRow, reading, writing
from orchestrator.storage.tables import sessions, tokens, users
from orchestrator.storage.users import no_such_user, user_named


class SqlTokenStore:
    """The TokenStore of SQLite and PostgreSQL."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

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
        now = self._clock.now()
        row = {
            "user_name": user,
            "name": name,
            "sha256": sha256,
            "scopes": None if scopes is None else json.dumps(_words(scopes)),
            "created_at": now,
            "expires_at": expires_at,
        }
        try:
            with writing(self._engine) as connection:
                owner = select(users.c.name).where(users.c.name == user).with_for_update()
                if connection.execute(owner).first() is None:
                    raise no_such_user(connection, user)
                made = connection.execute(insert(tokens).values(row).returning(tokens)).one()
                token = _token(made)
                note(connection, now, by, "create_token", user=user, name=name, id=token.id, scopes=_words(scopes))
                return token
        except IntegrityError as error:
            raise ConflictError(f"{user!r} has a token {name!r} already; revoke it, or choose another name") from error

    def all(self, user: str | None = None) -> list[Token]:
        query = select(tokens).order_by(tokens.c.user_name, tokens.c.name)
        if user is not None:
            query = query.where(tokens.c.user_name == user)
        with reading(self._engine) as connection:
            return [_token(row) for row in connection.execute(query)]

    def find(self, sha256: str) -> tuple[Token, User] | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(tokens).where(tokens.c.sha256 == sha256)).first()
            user = None if row is None else user_named(connection, row.user_name)
            return None if user is None else (_token(row), user)

    def used(self, token_id: int, at: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=at))

    def revoke(self, user: str, name: str, *, by: str) -> None:
        with writing(self._engine) as connection:
            same = (tokens.c.user_name == user) & (tokens.c.name == name)
            gone = connection.execute(delete(tokens).where(same).returning(tokens.c.id)).scalar()
            if gone is None:
                known = connection.execute(select(tokens.c.name).where(tokens.c.user_name == user)).scalars()
                raise NotFoundError(f"{user!r} has no token {name!r}{did_you_mean(name, known)}")
            note(connection, self._clock.now(), by, "revoke_token", user=user, name=name, id=gone)


class SqlSessionStore:
    """The SessionStore of SQLite and PostgreSQL."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def begin(self, sha256: str, session: Session) -> None:
        row = {name: getattr(session, name) for name in session.__struct_fields__ if name != "user"}
        with writing(self._engine) as connection:
            signed_in = update(users).where(users.c.name == session.user, users.c.is_active)
            if not connection.execute(signed_in.values(last_sign_in_at=session.created_at)).rowcount:
                raise no_such_user(connection, session.user)
            connection.execute(delete(sessions).where(sessions.c.expires_at < session.created_at))
            connection.execute(insert(sessions).values(row | {"sha256": sha256, "user_name": session.user}))
            by = f"{session.via}:{session.user}"
            note(connection, session.created_at, by, "sign_in", address=session.address)

    def find(self, sha256: str) -> tuple[Session, User] | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(sessions).where(sessions.c.sha256 == sha256)).first()
            user = None if row is None else user_named(connection, row.user_name)
            return None if user is None else (_session(row), user)

    def seen(self, sha256: str, at: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(update(sessions).where(sessions.c.sha256 == sha256).values(seen_at=at))

    def end(self, sha256: str) -> bool:
        with writing(self._engine) as connection:
            gone = connection.execute(delete(sessions).where(sessions.c.sha256 == sha256).returning(sessions)).first()
            if gone is not None:
                note(connection, self._clock.now(), f"{gone.via}:{gone.user_name}", "sign_out")
            return gone is not None

    def all(self, user: str) -> list[ListedSession]:
        newest = select(sessions).where(sessions.c.user_name == user).order_by(sessions.c.seen_at.desc())
        with reading(self._engine) as connection:
            return [_listed(row) for row in connection.execute(newest)]

    def end_one(self, user: str, session_id: str, *, by: str) -> None:
        with writing(self._engine) as connection:
            same = (sessions.c.user_name == user) & (func.substr(sessions.c.sha256, 1, SESSION_ID) == session_id)
            if not connection.execute(delete(sessions).where(same)).rowcount:
                raise NotFoundError(f"{user!r} has no session {session_id[:SESSION_ID]!r}; it may have ended meanwhile")
            note(connection, self._clock.now(), by, "end_session", user=user, id=session_id)

    def end_all(self, user: str, *, by: str) -> int:
        with writing(self._engine) as connection:
            count = connection.execute(select(func.count()).where(sessions.c.user_name == user)).scalar_one()
            if count:
                connection.execute(delete(sessions).where(sessions.c.user_name == user))
                note(connection, self._clock.now(), by, "end_sessions", user=user, sessions=count)
            return int(count)


def _token(row: AnyRow) -> Token:
    scopes = None if row.scopes is None else tuple(map(grant_of, json.loads(row.scopes)))
    return Token(
        id=row.id,
        user=row.user_name,
        name=row.name,
        created_at=row.created_at,
        scopes=scopes,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


def _session(row: AnyRow) -> Session:
    return Session(
        user=row.user_name,
        via=row.via,
        address=row.address,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def _listed(row: AnyRow) -> ListedSession:
    return ListedSession(id=row.sha256[:SESSION_ID], **msgspec.structs.asdict(_session(row)))


def _words(scopes: Iterable[Grant] | None) -> list[str] | None:
    return None if scopes is None else [str(scope) for scope in scopes]
