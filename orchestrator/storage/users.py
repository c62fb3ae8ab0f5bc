"""SqlUserStore: accounts and what is granted to them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from orchestrator.account_ports import Identity, User
from orchestrator.core.rights import Grant, Role
from orchestrator.exceptions import ConflictError, NotFoundError
from orchestrator.nearest import did_you_mean
from orchestrator.ports import Clock
from orchestrator.storage.audit import note
from orchestrator.storage.database import AnyRow, reading, writing
from orchestrator.storage.tables import grants, sessions, tokens, users

BY_HAND, BY_GROUPS = "", "groups"
"""Where a grant comes from."""

_ALL = ""  # a pattern that is none: everything


def has_users(engine: Engine) -> bool:
    """Whether somebody can sign in."""
    with reading(engine) as connection:
        return connection.execute(select(users.c.name).limit(1)).first() is not None


class SqlUserStore:
    """The UserStore of SQLite and PostgreSQL."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def all(self) -> list[User]:
        with reading(self._engine) as connection:
            return _users(connection)

    def get(self, name: str) -> User | None:
        with reading(self._engine) as connection:
            return user_named(connection, name)

    def identified(self, identity: Identity) -> User | None:
        with reading(self._engine) as connection:
            found = _users(connection, users.c.issuer == identity.issuer, users.c.subject == identity.subject)
        return found[0] if found else None

    def is_empty(self) -> bool:
        return not has_users(self._engine)

    def add(
        self,
        name: str,
        password_hash: str | None,
        grants: Sequence[Grant] = (),
        *,
        identity: Identity | None = None,
        by: str,
    ) -> None:
        now = self._clock.now()
        row = {
            "name": name,
            "password_hash": password_hash,
            "is_active": True,
            "created_at": now,
            "password_changed_at": None if password_hash is None else now,
            "issuer": identity and identity.issuer,
            "subject": identity and identity.subject,
        }
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(users).values(row))
                _insert_grants(connection, name, grants, BY_HAND)
                what = {"issuer": identity.issuer} if identity else {}
                note(connection, now, by, "create_user", user=name, grants=_words(grants), **what)
        except IntegrityError as error:
            raise ConflictError(f"there is a user {name!r} already; choose another name") from error

    def password_hash(self, name: str) -> str | None:
        with reading(self._engine) as connection:
            found: str | None = connection.execute(select(users.c.password_hash).where(users.c.name == name)).scalar()
            return found

    def set_password(self, name: str, password_hash: str, *, by: str) -> None:
        now = self._clock.now()
        with writing(self._engine) as connection:
            _change(connection, name, password_hash=password_hash, password_changed_at=now)
            connection.execute(delete(sessions).where(sessions.c.user_name == name))
            note(connection, now, by, "set_password", user=name)

    def rehash(self, name: str, old: str, new: str) -> None:
        with writing(self._engine) as connection:
            same = (users.c.name == name) & (users.c.password_hash == old)
            connection.execute(update(users).where(same).values(password_hash=new))

    def set_active(self, name: str, active: bool, *, by: str) -> bool:
        with writing(self._engine) as connection:
            user = _required(connection, name)
            if user.is_active == active:
                return False
            _change(connection, name, is_active=active)
            if not active:
                _require_an_admin_beside(connection, user)
                connection.execute(delete(sessions).where(sessions.c.user_name == name))
            note(connection, self._clock.now(), by, "enable_user" if active else "disable_user", user=name)
            return True

    def delete(self, name: str, *, by: str) -> None:
        with writing(self._engine) as connection:
            user = _required(connection, name)
            connection.execute(delete(users).where(users.c.name == name))
            _require_an_admin_beside(connection, user)
            for table in (grants, tokens, sessions):
                connection.execute(delete(table).where(table.c.user_name == name))
            note(connection, self._clock.now(), by, "delete_user", user=name)

    def grant(self, name: str, grant: Grant, *, by: str) -> bool:
        with writing(self._engine) as connection:
            if grant in _required(connection, name).grants:
                return False
            _insert_grants(connection, name, [grant], BY_HAND)
            note(connection, self._clock.now(), by, "grant_role", user=name, grant=str(grant))
            return True

    def revoke(self, name: str, grant: Grant, *, by: str) -> bool:
        with writing(self._engine) as connection:
            user = _required(connection, name)
            if grant not in user.grants:
                return False
            _delete_grants(connection, name, BY_HAND, [grant])
            _require_an_admin_beside(connection, user)
            note(connection, self._clock.now(), by, "revoke_role", user=name, grant=str(grant))
            return True

    def map_grants(self, name: str, grants: Sequence[Grant], *, by: str) -> bool:
        with writing(self._engine) as connection:
            before = set(_required(connection, name).mapped)
            if before == set(grants):
                return False
            _delete_grants(connection, name, BY_GROUPS, before)
            _insert_grants(connection, name, grants, BY_GROUPS)
            note(connection, self._clock.now(), by, "map_roles", user=name, grants=_words(grants))
            return True


def user_named(connection: Connection, name: str) -> User | None:
    found = _users(connection, users.c.name == name)
    return found[0] if found else None


def no_such_user(connection: Connection, name: str) -> NotFoundError:
    known = connection.execute(select(users.c.name)).scalars()
    return NotFoundError(f"there is no user {name!r}{did_you_mean(name, known)}")


def _users(connection: Connection, *which: Any) -> list[User]:
    rows = connection.execute(select(users).where(*which).order_by(users.c.name)).all()
    given: dict[tuple[str, str], list[Grant]] = defaultdict(list)
    wanted = select(grants).order_by(grants.c.dag_pattern, grants.c.role)
    if which:
        wanted = wanted.where(grants.c.user_name.in_([row.name for row in rows]))
    for row in connection.execute(wanted):
        given[row.user_name, row.source].append(Grant(Role(row.role), row.dag_pattern or None))
    return [_user(row, given[row.name, BY_HAND], given[row.name, BY_GROUPS]) for row in rows]


def _user(row: AnyRow, by_hand: Iterable[Grant], by_groups: Iterable[Grant]) -> User:
    return User(
        name=row.name,
        is_active=row.is_active,
        has_password=row.password_hash is not None,
        created_at=row.created_at,
        password_changed_at=row.password_changed_at,
        last_sign_in_at=row.last_sign_in_at,
        identity=None if row.issuer is None else Identity(issuer=row.issuer, subject=row.subject),
        grants=tuple(by_hand),
        mapped=tuple(by_groups),
    )


def _required(connection: Connection, name: str) -> User:
    """The user, whom nobody else changes until the transaction ends; nor, since roles are few, any admin's grants."""
    connection.execute(select(users.c.name).order_by(users.c.name).with_for_update())
    user = user_named(connection, name)
    if user is None:
        raise no_such_user(connection, name)
    return user


def _change(connection: Connection, name: str, **values: object) -> None:
    if not connection.execute(update(users).where(users.c.name == name).values(**values)).rowcount:
        raise no_such_user(connection, name)


def _insert_grants(connection: Connection, name: str, given: Iterable[Grant], source: str) -> None:
    rows = [
        {"user_name": name, "dag_pattern": grant.dag_pattern or _ALL, "role": grant.role.value, "source": source}
        for grant in dict.fromkeys(given)
    ]
    if rows:
        connection.execute(insert(grants), rows)


def _delete_grants(connection: Connection, name: str, source: str, gone: Iterable[Grant]) -> None:
    for grant in gone:
        same = (grants.c.dag_pattern == (grant.dag_pattern or _ALL)) & (grants.c.role == grant.role.value)
        connection.execute(delete(grants).where(grants.c.user_name == name, grants.c.source == source, same))


def _require_an_admin_beside(connection: Connection, changed: User) -> None:
    """ConflictError if the user was the last who could do everything, and no longer can."""
    admin = Grant(Role.ADMIN)
    if not changed.is_active or admin not in changed.all_grants:
        return
    rights = grants.join(users, users.c.name == grants.c.user_name)
    query = select(grants.c.user_name).select_from(rights).where(users.c.is_active)
    if connection.execute(query.where(grants.c.role == admin.role.value, grants.c.dag_pattern == _ALL)).first() is None:
        raise ConflictError(f"{changed.name!r} is the last user who may do everything; make another one admin first")


def _words(given: Iterable[Grant]) -> list[str]:
    return [str(grant) for grant in given]
