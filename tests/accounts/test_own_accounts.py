"""Who may do what to accounts: administrators everything, others little and only to their own."""

import inspect
from collections.abc import Callable
from datetime import timedelta

import pytest

from orchestrator.account_ports import Token
from orchestrator.assembly.accounts import Accounts
from orchestrator.assembly.sign_in import session_id
from orchestrator.core.rights import NOBODY, Grant, Principal, Role, grant_of
from orchestrator.exceptions import ForbiddenError, NotFoundError, SignInError, TooManyAttemptsError, UsageError
from orchestrator.storage.guard import guard_of
from orchestrator.storage.reads import Reads
from tests.contracts.conftest import StoppedClock

GOOD = "correct horse battery"
OTHER = "another good password"
HERE = "192.0.2.1"
NEVER_GUARDED = {"seen_by"}


def somebody(name: str, *grants: str, **more: object) -> Principal:
    return Principal(name=name, grants=tuple(map(grant_of, grants)), **more)


@pytest.fixture
def two(accounts: Accounts) -> Accounts:
    """With an admin and a user ``ada``, who has a token ``ci``."""
    accounts.create_user("root", GOOD, [Grant(Role.ADMIN)], by="cli:bob")
    accounts.create_user("ada", GOOD, [Grant(Role.OPERATOR)], by="cli:bob")
    accounts.create_token("ada", "ci", by="cli:bob")
    return accounts


DEEDS: dict[str, Callable[[Accounts], object]] = {
    "users": lambda it: it.users(),
    "user": lambda it: it.user("ada"),
    "create_user": lambda it: it.create_user("eve", GOOD, by="x"),
    "ensure_admin": lambda it: it.ensure_admin(by="x"),
    "set_password": lambda it: it.set_password("ada", OTHER, by="x"),
    "set_active": lambda it: it.set_active("ada", False, by="x"),
    "grant": lambda it: it.grant("ada", grant_of("admin"), by="x"),
    "revoke": lambda it: it.revoke("ada", grant_of("operator"), by="x"),
    "tokens": lambda it: it.tokens("ada"),
    "all tokens": lambda it: it.tokens(),
    "create_token": lambda it: it.create_token("ada", "mine", by="x"),
    "revoke_token": lambda it: it.revoke_token("ada", "ci", by="x"),
    "own": lambda it: it.own(),
    "sessions": lambda it: it.sessions("ada"),
    "end_session": lambda it: it.end_session("ada", "no such", by="x"),
    "end_sessions": lambda it: it.end_sessions("ada", by="x"),
    "change_password": lambda it: it.change_password(GOOD, OTHER, HERE, by="x"),
    "delete_user": lambda it: it.delete_user("ada", by="x"),
}
TO_ONESELF = {
    "own",
    "sessions",
    "end_session",
    "tokens",
    "create_token",
    "revoke_token",
    "end_sessions",
    "change_password",
}


def allowed(accounts: Accounts, who: Principal) -> set[str]:
    found = set()
    for name, deed in DEEDS.items():
        try:
            deed(accounts.seen_by(who))
        except ForbiddenError:
            continue
        except NotFoundError:
            assert name == "end_session"
        found.add(name)
    return found


def test_each_thing_that_may_be_done_is_tried_here_and_declares_what_it_takes() -> None:
    public = [name for name, _ in inspect.getmembers(Accounts, inspect.isfunction) if not name.startswith("_")]
    assert {*public} - NEVER_GUARDED == {*DEEDS} - {"all tokens"}
    assert [name for name in public if guard_of(getattr(Accounts, name)) is None] == [*NEVER_GUARDED]


def test_an_admin_may_do_everything(two: Accounts) -> None:
    assert allowed(two, somebody("root", "admin")) == set(DEEDS)


@pytest.mark.parametrize("role", ["viewer", "user", "operator", "admin:*", "viewer:etl_*"])
def test_others_may_look_after_their_own_account(two: Accounts, role: str) -> None:
    assert allowed(two, somebody("ada", role)) == TO_ONESELF


@pytest.mark.parametrize("role", ["viewer", "user", "operator", "admin:*"])
def test_nobody_else_may_touch_it(two: Accounts, role: str) -> None:
    two.create_user("eve", GOOD, by="cli:bob")
    assert allowed(two, somebody("eve", role)) == {"own", "change_password"}  # which are their own


def test_whoever_has_not_signed_in_may_do_nothing(two: Accounts) -> None:
    assert allowed(two, NOBODY) == set()


def test_a_token_makes_no_token_that_would_outlive_it(two: Accounts) -> None:
    assert allowed(two, somebody("ada", "operator", via="token:1")) == set()
    assert allowed(two, somebody("root", "admin", via="token:1", scopes=(grant_of("operator"),))) == set()


def test_what_is_done_is_written_down_in_the_name_of_who_asked(two: Accounts, reads: Reads) -> None:
    two.seen_by(somebody("ada", "viewer")).create_token("ada", "mine", by="cli:eve")
    assert [(line.by, line.action) for line in reads.audit(limit=1)] == [("session:ada", "create_token")]


def test_a_password_is_changed_by_who_knows_the_old_one(two: Accounts) -> None:
    session = two.sign_in.with_password("ada", GOOD, HERE)
    mine = two.seen_by(two.sign_in.session(session).principal)
    with pytest.raises(SignInError, match="wrong"):
        mine.change_password("not it", OTHER, HERE, by="")
    mine.change_password(GOOD, OTHER, HERE, by="")
    assert two.sign_in.session(session) is None
    assert two.sign_in.with_password("ada", OTHER, HERE)


def test_a_session_in_one_place_is_ended_from_another(two: Accounts) -> None:
    laptop, phone = (two.sign_in.with_password("ada", GOOD, address) for address in (HERE, "192.0.2.2"))
    mine = two.seen_by(two.sign_in.session(laptop).principal)
    listed = {one.address: one.id for one in mine.sessions("ada")}
    assert listed[HERE] == session_id(laptop)
    mine.end_session("ada", listed["192.0.2.2"], by="")
    assert (two.sign_in.session(phone), two.sign_in.session(laptop) is None) == (None, False)
    with pytest.raises(NotFoundError, match="no session"):
        mine.end_session("ada", listed["192.0.2.2"], by="")


def test_sessions_that_nobody_uses_any_longer_are_not_listed(two: Accounts, clock: StoppedClock) -> None:
    two.sign_in.with_password("ada", GOOD, HERE)
    clock.advance(timedelta(hours=13))
    assert two.sessions("ada") == []


def test_an_old_password_is_not_guessed_either(two: Accounts) -> None:
    mine = two.seen_by(somebody("ada", "viewer"))
    for _ in range(5):
        with pytest.raises(SignInError, match="wrong"):
            mine.change_password("not it", OTHER, HERE, by="")
    with pytest.raises(TooManyAttemptsError):
        mine.change_password(GOOD, OTHER, HERE, by="")


STRANGE = ["\x00", "ada\x00", "ada\udc80", "a b", "", "x" * 10_000, "'; DROP TABLE users; --", "<b>ada</b>", "local"]


def test_names_that_nobody_can_have_are_of_nobody(two: Accounts) -> None:
    for name in STRANGE:
        for deed in (
            lambda: two.user(name),  # noqa: B023 - called at once
            lambda: two.set_password(name, OTHER, by="x"),  # noqa: B023
            lambda: two.set_active(name, False, by="x"),  # noqa: B023
            lambda: two.delete_user(name, by="x"),  # noqa: B023
            lambda: two.grant(name, grant_of("user"), by="x"),  # noqa: B023
            lambda: two.revoke(name, grant_of("user"), by="x"),  # noqa: B023
            lambda: two.tokens(name),  # noqa: B023
            lambda: two.create_token(name, "ci", by="x"),  # noqa: B023
            lambda: two.revoke_token(name, "ci", by="x"),  # noqa: B023
            lambda: two.end_sessions(name, by="x"),  # noqa: B023
        ):
            with pytest.raises(NotFoundError, match="there is no user"):
                deed()
        with pytest.raises(NotFoundError, match="has no token"):
            two.revoke_token("ada", name, by="x")


def test_a_grant_on_what_is_no_pattern_is_refused_however_it_was_made(two: Accounts) -> None:
    odd = Grant(Role.VIEWER, "a\x00%")
    for deed in (
        lambda: two.grant("ada", odd, by="x"),
        lambda: two.create_user("eve", GOOD, [odd], by="x"),
        lambda: two.create_token("ada", "odd", scopes=[odd], by="x"),
    ):
        with pytest.raises(UsageError, match="no pattern of DAG ids"):
            deed()
    assert [token.name for token in two.tokens()] == ["ci"]


def test_where_a_browser_comes_from_may_be_anything(two: Accounts) -> None:
    for address in ("\x00\udc80", "x" * 10_000, ""):
        assert two.sign_in.session(two.sign_in.with_password("ada", GOOD, address))


def test_no_token_is_listed_with_its_secret(two: Accounts) -> None:
    assert [set(Token.__struct_fields__) & {"secret", "sha256"} for _ in two.tokens()] == [set()]
