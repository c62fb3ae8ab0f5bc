"""People: users with what is granted to them, their sessions and tokens, and the forms that change them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from orchestrator.account_ports import ListedSession, Token, User
from orchestrator.assembly.accounts import Accounts
from orchestrator.assembly.passwords import random_password
from orchestrator.core.rights import Grant, Role, grant_of
from orchestrator.exceptions import ConflictError, NotFoundError, SignInError, TooManyAttemptsError, UsageError
from orchestrator.web.page import last
from orchestrator.web.wording import distance

LIFETIMES: Mapping[str, str] = MappingProxyType(
    {"": "as usual here", "1": "1 day", "7": "7 days", "30": "30 days", "365": "a year", "0": "for ever"}
)
"""How long a token may last: days, as they are sent, and what they are called."""


class UserList(msgspec.Struct, frozen=True, kw_only=True):
    """``active`` counts those who may sign in."""

    q: str
    users: list[User]
    known: int
    active: int


class UserPage(msgspec.Struct, frozen=True, kw_only=True):
    """One user. ``is_self``: whoever looks; ``here`` is the session that they look by."""

    user: User
    sessions: list[ListedSession]
    tokens: list[Token]
    here: str
    is_self: bool


class UserForm(msgspec.Struct, frozen=True, kw_only=True):
    """A user that is to be."""

    name: str = ""
    role: str = Role.VIEWER.value
    pattern: str = ""
    has_password: bool = True
    errors: Mapping[str, str] = {}


class TokenForm(msgspec.Struct, frozen=True, kw_only=True):
    """A token that is to be. ``users`` are those to choose from."""

    user: str
    users: list[str]
    name: str = ""
    scopes: str = ""
    days: str = ""
    errors: Mapping[str, str] = {}


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that is shown this once."""

    title: str
    about: str
    secret: str


def user_list(accounts: Accounts, q: str) -> UserList:
    users, words = accounts.users(), q.casefold()
    found = [one for one in users if words in one.name or any(words in str(grant) for grant in one.all_grants)]
    return UserList(q=q, users=found, known=len(users), active=sum(one.is_active for one in users))


def user_page(accounts: Accounts, name: str, own: str, here: str) -> UserPage:
    """NotFoundError where there is no such user."""
    return _page(accounts, accounts.user(name), own, here)


def own_page(accounts: Accounts, here: str) -> UserPage:
    user = accounts.own()
    return _page(accounts, user, user.name, here)


def _page(accounts: Accounts, user: User, own: str, here: str) -> UserPage:
    return UserPage(
        user=user,
        sessions=accounts.sessions(user.name),
        tokens=accounts.tokens(user.name),
        here=here,
        is_self=user.name == own,
    )


def create_user(accounts: Accounts, fields: Mapping[str, Sequence[str]]) -> Once | UserForm | User:
    """Make a user: with a random password, which is shown once, or without any."""
    form = UserForm(
        name=last(fields, "name").strip(),
        role=last(fields, "role"),
        pattern=last(fields, "pattern").strip(),
        has_password=last(fields, "password") != "none",
    )
    field = "pattern"
    try:
        grants = _grants(form.role, form.pattern)
        field = "name"
        password = random_password() if form.has_password else None
        user = accounts.create_user(form.name, password, grants, by="")
    except (ConflictError, UsageError) as error:
        return msgspec.structs.replace(form, errors={field: str(error)})
    return user if password is None else _password_of(user.name, password)


def _grants(role: str, pattern: str) -> list[Grant]:
    if not role:
        return []
    return [grant_of(f"{role}:{pattern}" if pattern else role)]


def reset_password(accounts: Accounts, name: str) -> Once:
    """Another random password, which is shown once; the user's sessions end."""
    user, password = accounts.user(name), random_password()
    accounts.set_password(user.name, password, by="")
    return _password_of(user.name, password)


def _password_of(name: str, password: str) -> Once:
    about = "Give it to them now: it is not shown again. They choose another one on their account's page."
    return Once(title=f"The password of {name}", about=about, secret=password)


def sent_grant(fields: Mapping[str, Sequence[str]]) -> Grant:
    """The role of a form, on the DAGs of a pattern or on all; UsageError where that is none."""
    role, pattern = last(fields, "role"), last(fields, "pattern").strip()
    return grant_of(f"{role}:{pattern}" if pattern else role)


def change_password(
    accounts: Accounts, fields: Mapping[str, Sequence[str]], address: str, now: datetime
) -> Mapping[str, str]:
    """One's own; what is wrong, by field."""
    old, new, again = (fields.get(name, [""])[-1] for name in ("old", "new", "again"))
    if new != again:
        return {"again": "This is not the same as above."}
    try:
        accounts.change_password(old, new, address, by="")
    except SignInError:
        return {"old": "This is not your password."}
    except TooManyAttemptsError as error:
        return {"old": f"Too many attempts; try again {distance(error.until, now)}."}
    except UsageError as error:
        return {"new": str(error)}
    return {}


def token_form(accounts: Accounts, own: str, user: str, *, of_all: bool) -> TokenForm:
    """``of_all``: tokens of others may be made too."""
    return TokenForm(user=user or own, users=[one.name for one in accounts.users()] if of_all else [own])


def create_token(accounts: Accounts, form: TokenForm, fields: Mapping[str, Sequence[str]]) -> Once | TokenForm:
    """Make a token, which is shown once."""
    form = msgspec.structs.replace(
        form, name=last(fields, "name").strip(), scopes=last(fields, "scopes"), days=last(fields, "days")
    )
    field = "scopes"
    try:
        scopes = [grant_of(line) for line in form.scopes.replace(",", "\n").split("\n") if line.strip()]
        field = "days"
        lifetime = _lifetime(form.days)
        field = "name"
        token, secret = accounts.create_token(form.user, form.name, scopes=scopes or None, lifetime=lifetime, by="")
    except (ConflictError, NotFoundError, UsageError) as error:
        return msgspec.structs.replace(form, errors={field: str(error)})
    about = "Copy it now: it is not shown again. Programs send it as Authorization: Bearer TOKEN."
    return Once(title=f"The token {token.name} of {token.user}", about=about, secret=secret)


def _lifetime(days: str) -> timedelta | None:
    if days not in LIFETIMES:
        raise UsageError("choose one of these")
    return timedelta(days=int(days)) if days else None
