"""Sign-in: who gets in by a password, a session or a token, for how long, and what is kept of it."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select

from orchestrator.assembly.accounts import Accounts
from orchestrator.assembly.passwords import Passwords, random_password
from orchestrator.core.rights import Right, grant_of
from orchestrator.exceptions import ConflictError, NotFoundError, SignInError, TooManyAttemptsError, UsageError
from orchestrator.storage.audit_chain import verify
from orchestrator.storage.database import reading
from orchestrator.storage.reads import Reads
from orchestrator.storage.tables import metadata
from tests.accounts.conftest import opened
from tests.contracts.conftest import NOW, StoppedClock

HERE = "192.0.2.1"
GOOD = "correct horse battery"
HOUR = timedelta(hours=1)


@pytest.fixture
def ada(accounts: Accounts) -> str:
    accounts.create_user("ada", GOOD, [grant_of("operator:etl_*")], by="cli:bob")
    return accounts.sign_in.with_password("ada", GOOD, HERE)


def statements(engine: Engine, call: Callable[[], object]) -> list[str]:
    heard: list[str] = []
    listen = lambda *given: heard.append(given[2].split()[0])  # noqa: E731 - removed below
    event.listen(engine, "before_cursor_execute", listen)
    call()
    event.remove(engine, "before_cursor_execute", listen)
    return heard


def test_whoever_signs_in_is_who_they_are_with_what_is_granted_to_them(accounts: Accounts, ada: str) -> None:
    found = accounts.sign_in.session(ada)
    assert (found.principal.name, found.principal.via, found.principal.by) == ("ada", "session", "session:ada")
    assert [found.principal.may(Right.EDIT, dag) for dag in ("etl_1", "shop")] == [True, False]
    assert found.until == NOW + timedelta(days=7)


def test_a_name_is_the_same_in_capitals(accounts: Accounts, ada: str) -> None:
    assert accounts.sign_in.with_password("Ada", GOOD, HERE)
    assert accounts.sign_in.with_password(" ADA ", GOOD, HERE)


REFUSED = [
    ("ada", "wrong"),
    ("ada", ""),
    ("ada", GOOD + " "),
    ("ada", "x" * 10_000_000),
    ("ada", "\x00\udc80"),
    ("nobody", GOOD),
    ("", GOOD),
    ("a\x00\udc80", GOOD),
    ("a" * 10_000_000, GOOD),
    ("local", GOOD),
    ("passwordless", ""),
    ("gone", GOOD),
]


def test_anything_else_is_refused_in_the_same_words(accounts: Accounts, ada: str) -> None:
    accounts.create_user("passwordless", None, by="cli:bob")
    accounts.create_user("gone", GOOD, by="cli:bob")
    accounts.set_active("gone", False, by="cli:bob")
    for name, password in REFUSED:
        with pytest.raises(SignInError, match=r"^the name or the password is wrong, or the account is disabled$"):
            accounts.sign_in.with_password(name, password, HERE)
        accounts.sign_in.unlock(name)


def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    passwords = Passwords(memory=4096, passes=2)
    stored = passwords.hash(GOOD)
    passwords.matches("warm", None)

    def seconds(hashed: str | None) -> float:
        """Of computing, whatever else the machine does."""
        return min(_computed(lambda: passwords.matches("wrong", hashed)) for _ in range(5))

    assert 0.33 < seconds(None) / seconds(stored) < 3


def _computed(call: Callable[[], object]) -> float:
    before = time.thread_time()
    call()
    return time.thread_time() - before


def test_a_password_is_one_however_its_accents_are_typed() -> None:
    passwords = Passwords()
    assert passwords.matches("cafe\u0301 au lait!", passwords.hash("caf\u00e9 au lait!"))


def test_a_hash_says_how_it_was_made_and_is_made_anew_when_that_changes(
    accounts: Accounts, engine: Engine, tmp_path: Path, clock: StoppedClock
) -> None:
    accounts.create_user("ada", GOOD, by="cli:bob")
    before = _hash_of(engine, "ada")
    accounts.sign_in.with_password("ada", GOOD, HERE)
    assert _hash_of(engine, "ada") == before
    Passwords.__init__.__kwdefaults__["passes"] = 2
    session = opened(engine, tmp_path, clock).sign_in.with_password("ada", GOOD, HERE)
    assert (before.split("$")[3], _hash_of(engine, "ada").split("$")[3]) == ("m=64,t=1,p=1", "m=64,t=2,p=1")
    assert accounts.sign_in.session(session)
    assert accounts.sign_in.with_password("ada", GOOD, HERE)


def _hash_of(engine: Engine, name: str) -> str:
    users = metadata.tables["users"]
    with reading(engine) as connection:
        return connection.execute(select(users.c.password_hash).where(users.c.name == name)).scalar_one()


def test_a_password_that_will_not_do_is_refused(accounts: Accounts) -> None:
    for password in ["", "short", "x" * 11, "aaaaaaaaaaaaaaa", "abababababababab", "y" * 1025]:
        with pytest.raises(UsageError, match="password"):
            accounts.create_user("ada", password, by="cli:bob")
    assert accounts.users() == []


def test_a_name_is_no_password(accounts: Accounts) -> None:
    with pytest.raises(UsageError, match="guessed at once"):
        accounts.create_user("ada.lovelace", "Ada.Lovelace", by="cli:bob")


def test_whoever_guesses_waits_and_is_told_until_when_wherever_they_guess(
    accounts: Accounts, ada: str, clock: StoppedClock
) -> None:
    for number in range(5):
        with pytest.raises(SignInError, match="wrong"):
            accounts.sign_in.with_password("ada", "wrong", f"192.0.2.{number}")
    with pytest.raises(TooManyAttemptsError, match="try again at 2026-03-01 12:00:02 UTC") as refused:
        accounts.sign_in.with_password("ada", GOOD, "198.51.100.7")
    assert refused.value.until == NOW + timedelta(seconds=2)
    clock.advance(timedelta(seconds=2))
    assert accounts.sign_in.with_password("ada", GOOD, HERE)


def test_an_address_that_tries_many_names_waits_though_it_has_an_account_too(accounts: Accounts, ada: str) -> None:
    for number in range(20):
        with pytest.raises(SignInError, match="wrong"):
            accounts.sign_in.with_password(f"user{number}", GOOD, HERE)
    with pytest.raises(TooManyAttemptsError):
        accounts.sign_in.with_password("ada", GOOD, HERE)
    assert accounts.sign_in.with_password("ada", GOOD, "198.51.100.7")


def test_names_that_nobody_has_wait_like_others(accounts: Accounts, ada: str) -> None:
    said = []
    for _ in range(6):
        with pytest.raises(SignInError) as refused:
            accounts.sign_in.with_password("nobody", GOOD, HERE)
        said.append(type(refused.value))
    assert said == [SignInError] * 5 + [TooManyAttemptsError]


def test_a_new_password_lets_its_owner_in_at_once(accounts: Accounts, ada: str) -> None:
    for _ in range(5):
        with pytest.raises(SignInError):
            accounts.sign_in.with_password("ada", "wrong", "198.51.100.7")
    accounts.set_password("ada", "another good password", by="cli:bob")
    assert accounts.sign_in.session(ada) is None
    assert accounts.sign_in.with_password("ada", "another good password", HERE)


def test_a_session_ends_when_nobody_has_used_it_for_long(accounts: Accounts, ada: str, clock: StoppedClock) -> None:
    for _ in range(4):
        clock.advance(11 * HOUR)
        assert accounts.sign_in.session(ada)
    clock.advance(12 * HOUR)
    assert accounts.sign_in.session(ada) is None


def test_a_session_ends_after_a_week_however_much_it_is_used(accounts: Accounts, ada: str, clock: StoppedClock) -> None:
    for _ in range(7 * 3 - 1):
        clock.advance(8 * HOUR)
        assert accounts.sign_in.session(ada)
    clock.advance(8 * HOUR)
    assert accounts.sign_in.session(ada) is None


def test_who_signs_out_is_out_at_once(accounts: Accounts, ada: str) -> None:
    assert accounts.sign_in.session(ada)
    assert accounts.sign_in.sign_out(ada)
    assert (accounts.sign_in.session(ada), accounts.sign_in.sign_out(ada)) == (None, False)


def test_what_another_server_changes_counts_within_seconds(
    accounts: Accounts, ada: str, open_engine: Callable[..., Engine], tmp_path: Path, clock: StoppedClock
) -> None:
    other = opened(open_engine(), tmp_path, clock)
    token = accounts.create_token("ada", "ci", by="session:ada")[1]
    assert accounts.sign_in.session(ada)
    assert accounts.sign_in.with_token(token)
    other.set_active("ada", False, by="cli:bob")
    clock.advance(timedelta(seconds=5))
    assert (accounts.sign_in.session(ada), accounts.sign_in.with_token(token)) == (None, None)


def test_requests_read_little_and_write_once_a_minute(
    accounts: Accounts, ada: str, engine: Engine, clock: StoppedClock
) -> None:
    token = accounts.create_token("ada", "ci", by="session:ada")[1]
    ask = [lambda: accounts.sign_in.session(ada), lambda: accounts.sign_in.with_token(token)]
    for one in ask:
        one()
        assert statements(engine, one) == []
        clock.advance(timedelta(seconds=10))
        assert "UPDATE" not in statements(engine, one)
        clock.advance(timedelta(seconds=60))
        assert statements(engine, one).count("UPDATE") == 1


def test_a_token_does_what_its_scopes_leave_of_its_owners_rights(accounts: Accounts, ada: str) -> None:
    kept, secret = accounts.create_token("ada", "ci", scopes=[grant_of("user:etl_1")], by="session:ada")
    who = accounts.sign_in.with_token(secret)
    assert (who.name, who.via, who.by) == ("ada", f"token:{kept.id}", f"token:{kept.id}:ada")
    asked = [(Right.TRIGGER, "etl_1"), (Right.EDIT, "etl_1"), (Right.VIEW, "etl_2"), (Right.VIEW, None)]
    assert [who.may(*one) for one in asked] == [True, False, False, False]
    assert secret.startswith("orc_")


def test_a_token_follows_what_becomes_of_its_owner(accounts: Accounts, ada: str) -> None:
    secret = accounts.create_token("ada", "ci", by="session:ada")[1]
    assert accounts.sign_in.with_token(secret).may(Right.EDIT, "etl_1")
    accounts.revoke("ada", grant_of("operator:etl_*"), by="cli:bob")
    assert not accounts.sign_in.with_token(secret).may(Right.VIEW, "etl_1")
    accounts.set_active("ada", False, by="cli:bob")
    assert accounts.sign_in.with_token(secret) is None


def test_a_token_lets_in_until_it_expires_or_is_revoked(accounts: Accounts, ada: str, clock: StoppedClock) -> None:
    def made(name: str, lifetime: timedelta | None) -> str:
        return accounts.create_token("ada", name, lifetime=lifetime, by="session:ada")[1]

    secrets = {None: made("as usual", None), 1: made("short", timedelta(days=1)), 0: made("for ever", timedelta(0))}

    def let_in() -> list[int | None]:
        return [days for days, secret in secrets.items() if accounts.sign_in.with_token(secret)]

    assert let_in() == [None, 1, 0]
    clock.advance(timedelta(days=1))
    assert let_in() == [None, 0]
    clock.advance(timedelta(days=89))
    assert let_in() == [0]
    accounts.revoke_token("ada", "for ever", by="session:ada")
    assert let_in() == []


def test_what_is_no_token_or_session_lets_nobody_in(accounts: Accounts, ada: str) -> None:
    for secret in ["", "orc_", "orc_" + "x" * 43, "x" * 10_000_000, "orc_\x00\udc80", "Bearer orc_1"]:
        assert (accounts.sign_in.with_token(secret), accounts.sign_in.session(secret)) == (None, None)


def test_a_token_needs_a_name(accounts: Accounts, ada: str) -> None:
    for name in ["", " ", "x" * 101, "a\nb", "\x1b[31m", "\x00"]:
        with pytest.raises(UsageError, match="a token's name has 1 to 100 printable characters"):
            accounts.create_token("ada", name, by="session:ada")


def test_a_token_lasts_no_time_that_makes_no_sense(accounts: Accounts, ada: str) -> None:
    for lifetime in [timedelta(days=-1), timedelta(days=9_999)]:
        with pytest.raises(UsageError, match="at most ten years"):
            accounts.create_token("ada", "ci", lifetime=lifetime, by="session:ada")


def test_each_session_has_a_word_of_its_own_for_its_forms(accounts: Accounts, ada: str) -> None:
    other = accounts.sign_in.with_password("ada", GOOD, HERE)
    words = {accounts.sign_in.session(secret).csrf for secret in (ada, other)}
    assert (len(words), accounts.sign_in.session(ada).csrf in words) == (2, True)
    assert not words & {ada, other}


def test_a_new_home_gets_one_admin_whose_password_is_told_once(accounts: Accounts) -> None:
    password = accounts.ensure_admin()
    assert accounts.ensure_admin() is None
    session = accounts.sign_in.with_password("admin", password, HERE)
    assert accounts.sign_in.session(session).principal.may(Right.ADMIN)
    assert len({random_password() for _ in range(100)}) == 100


def test_a_home_with_users_gets_no_admin(accounts: Accounts, ada: str) -> None:
    assert accounts.ensure_admin() is None
    assert [user.name for user in accounts.users()] == ["ada"]


def test_what_follows_from_a_group_is_not_revoked_by_hand(accounts: Accounts, ada: str) -> None:
    accounts._users.map_grants("ada", [grant_of("viewer")], by="oidc")
    with pytest.raises(ConflictError, match="from a group of their provider"):
        accounts.revoke("ada", grant_of("viewer"), by="cli:bob")


def test_who_is_not_there_has_nothing(accounts: Accounts, ada: str) -> None:
    for ask in (accounts.user, accounts.tokens):
        with pytest.raises(NotFoundError, match=r"no user 'adda'.*'ada'"):
            ask("adda")


def test_someone_is_signed_out_everywhere(accounts: Accounts, ada: str) -> None:
    other = accounts.sign_in.with_password("ada", GOOD, "198.51.100.7")
    assert accounts.end_sessions("ada", by="cli:bob") == 2
    assert [accounts.sign_in.session(secret) for secret in (ada, other)] == [None, None]


def test_no_secret_is_kept_logged_or_shown(
    accounts: Accounts, engine: Engine, reads: Reads, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    first = accounts.ensure_admin()
    accounts.create_user("ada", GOOD, by="cli:bob")
    session = accounts.sign_in.with_password("ada", GOOD, HERE)
    token = accounts.create_token("ada", "ci", by="session:ada")[1]
    signed_in = accounts.sign_in.session(session)
    accounts.sign_in.with_token(token)
    for name, password in (("ada", "my old password"), ("my secret as a name", "x"), ("hunter22", "y")):
        with pytest.raises(SignInError):
            accounts.sign_in.with_password(name, password, HERE)
    accounts.set_password("ada", "another good password", by="session:ada")
    secrets = [first, GOOD, session, token, signed_in.csrf, "my old password", "my secret as a name", "hunter22"]
    secrets.append("another good password")
    kept = ""
    with reading(engine) as connection:
        for table in metadata.tables.values():
            kept += str(connection.execute(select(table)).all())
    shown = kept + caplog.text + repr(signed_in) + repr(accounts.users()) + repr(accounts.tokens())
    assert [secret for secret in secrets if secret in shown] == []
    lines = str([(line.by, bytes(line.body), line.refusal) for line in reads.audit()])
    assert ("$argon2id" in kept, "$argon2id" in lines + caplog.text) == (True, False)
    assert [line.refusal is not None for line in reads.audit(limit=4)] == [False, True, True, True]
    assert verify(engine).breaks == ()
