"""Users, grants, tokens, sessions and failed attempts: kept together, each change with its line of the audit."""

import concurrent.futures
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from orchestrator.account_ports import Identity, Session
from orchestrator.core.rights import Grant, Role, grant_of
from orchestrator.core.sign_in import Limit
from orchestrator.exceptions import ConflictError, NotFoundError
from orchestrator.storage.attempts import SqlAttemptStore
from orchestrator.storage.audit_chain import verify
from orchestrator.storage.credentials import SqlSessionStore, SqlTokenStore
from orchestrator.storage.reads import Reads
from orchestrator.storage.users import SqlUserStore
from tests.contracts.conftest import NOW, StoppedClock

ADMIN = Grant(Role.ADMIN)
VIEWER = Grant(Role.VIEWER)
ETL = grant_of("operator:etl_*")


@pytest.fixture
def users(engine: Engine, clock: StoppedClock) -> SqlUserStore:
    return SqlUserStore(engine, clock)


@pytest.fixture
def tokens(engine: Engine, clock: StoppedClock) -> SqlTokenStore:
    return SqlTokenStore(engine, clock)


@pytest.fixture
def sessions(engine: Engine, clock: StoppedClock) -> SqlSessionStore:
    return SqlSessionStore(engine, clock)


@pytest.fixture
def attempts(engine: Engine) -> SqlAttemptStore:
    return SqlAttemptStore(engine)


def session_of(user: str, **other: object) -> Session:
    fields = {"via": "session", "address": "192.0.2.1", "created_at": NOW, "seen_at": NOW}
    return Session(**({"user": user, "expires_at": NOW + timedelta(days=7)} | fields | other))


def actions(reads: Reads) -> list[str]:
    return [line.action for line in reversed(reads.audit())]


def test_a_user_is_kept_with_what_is_granted_to_them(users: SqlUserStore, reads: Reads, engine: Engine) -> None:
    assert (users.is_empty(), users.all(), users.get("ada")) == (True, [], None)
    users.add("ada", "$hash", [VIEWER, ETL], by="cli:bob")
    users.add("bob", None, by="cli:bob")
    ada, bob = users.all()
    assert (ada.grants, ada.has_password, ada.is_active, ada.created_at) == ((VIEWER, ETL), True, True, NOW)
    assert (bob.grants, bob.has_password, bob.password_changed_at) == ((), False, None)
    assert (users.get("ada"), users.password_hash("ada"), users.password_hash("bob")) == (ada, "$hash", None)
    assert (users.is_empty(), actions(reads), verify(engine).breaks) == (False, ["create_user", "create_user"], ())
    assert "$hash" not in str([bytes(line.body) for line in reads.audit()])


def test_a_name_belongs_to_one_user(users: SqlUserStore, reads: Reads, engine: Engine) -> None:
    users.add("ada", None, by="cli:bob")
    with pytest.raises(ConflictError, match="'ada' already; choose another name"):
        users.add("ada", "x", [ADMIN], by="cli:eve")
    assert (users.get("ada").grants, len(reads.audit()), verify(engine).breaks) == ((), 1, ())


def test_a_user_of_a_provider_is_found_by_what_that_calls_them(users: SqlUserStore) -> None:
    me = Identity(issuer="https://id.example", subject="00u1")
    users.add("ada", None, identity=me, by="oidc")
    users.add("bob", None, by="cli:bob")
    assert users.identified(me).name == "ada"
    assert users.identified(Identity(issuer="https://other.example", subject="00u1")) is None
    with pytest.raises(ConflictError):
        users.add("ada2", None, identity=me, by="oidc")


def test_roles_are_granted_and_revoked_once(users: SqlUserStore, reads: Reads) -> None:
    users.add("ada", None, by="cli:bob")
    assert [users.grant("ada", ETL, by="cli:bob") for _ in range(2)] == [True, False]
    assert users.get("ada").grants == (ETL,)
    assert [users.revoke("ada", ETL, by="cli:bob") for _ in range(2)] == [True, False]
    assert users.get("ada").grants == ()
    assert actions(reads) == ["create_user", "grant_role", "revoke_role"]


def test_what_follows_from_groups_takes_nothing_from_what_was_granted_by_hand(users: SqlUserStore) -> None:
    users.add("ada", None, [VIEWER], by="cli:bob")
    assert users.map_grants("ada", [VIEWER, ETL], by="oidc")
    assert not users.map_grants("ada", [ETL, VIEWER], by="oidc")
    ada = users.get("ada")
    assert (ada.grants, set(ada.mapped), ada.all_grants) == ((VIEWER,), {VIEWER, ETL}, (ETL, VIEWER))
    assert users.map_grants("ada", [], by="oidc")
    assert (users.get("ada").grants, users.get("ada").mapped) == ((VIEWER,), ())


def test_an_unknown_user_is_named_with_what_is_near(users: SqlUserStore, tokens: SqlTokenStore, sessions) -> None:
    users.add("ada", None, by="cli:bob")
    for change in (
        lambda: users.set_password("adda", "x", by="cli:bob"),
        lambda: users.set_active("adda", False, by="cli:bob"),
        lambda: users.delete("adda", by="cli:bob"),
        lambda: users.grant("adda", ETL, by="cli:bob"),
        lambda: users.map_grants("adda", [ETL], by="cli:bob"),
        lambda: tokens.add("adda", "ci", "x", by="cli:bob"),
        lambda: sessions.begin("x", session_of("adda")),
    ):
        with pytest.raises(NotFoundError, match=r"no user 'adda'.*'ada'"):
            change()


@pytest.mark.parametrize("way", ["delete", "disable", "revoke"])
def test_the_last_who_may_do_everything_stays(users: SqlUserStore, reads: Reads, way: str) -> None:
    users.add("ada", None, [ADMIN], by="cli:bob")
    users.add("bob", None, [grant_of("admin:*")], by="cli:bob")  # may do nothing to users
    users.add("old", None, [ADMIN], by="cli:bob")
    users.set_active("old", False, by="cli:bob")
    remove = {
        "delete": lambda: users.delete("ada", by="cli:bob"),
        "disable": lambda: users.set_active("ada", False, by="cli:bob"),
        "revoke": lambda: users.revoke("ada", ADMIN, by="cli:bob"),
    }[way]
    lines = len(reads.audit())
    with pytest.raises(ConflictError, match="'ada' is the last user who may do everything"):
        remove()
    assert (users.get("ada").is_active, users.get("ada").grants, len(reads.audit())) == (True, (ADMIN,), lines)
    users.add("eve", None, [ADMIN], by="cli:bob")
    remove()
    assert len(reads.audit()) == lines + 2


def test_two_who_remove_each_other_leave_one(engine: Engine, open_engine: Callable[..., Engine], clock) -> None:
    users = SqlUserStore(engine, clock)
    users.add("ada", None, [ADMIN], by="cli:bob")
    users.add("bob", None, [ADMIN], by="cli:bob")

    def remove(name: str) -> bool:
        try:
            SqlUserStore(open_engine(), clock).set_active(name, False, by="cli:bob")
        except ConflictError:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(remove, ["ada", "bob"])) == [False, True]


def test_a_new_password_ends_sessions_and_a_new_hash_of_the_same_does_not(
    users: SqlUserStore, sessions: SqlSessionStore, clock: StoppedClock
) -> None:
    users.add("ada", "$1", by="cli:bob")
    sessions.begin("s1", session_of("ada"))
    users.rehash("ada", "$1", "$2")
    users.rehash("ada", "$1", "$9")  # the password has changed meanwhile
    assert (users.password_hash("ada"), sessions.find("s1") is not None) == ("$2", True)
    clock.advance(timedelta(hours=1))
    users.set_password("ada", "$3", by="session:ada")
    assert (users.password_hash("ada"), sessions.find("s1")) == ("$3", None)
    assert users.get("ada").password_changed_at == NOW + timedelta(hours=1)


def test_tokens_are_found_by_their_hash_with_their_user(users: SqlUserStore, tokens: SqlTokenStore) -> None:
    users.add("ada", None, [VIEWER], by="cli:bob")
    soon = NOW + timedelta(days=1)
    ci = tokens.add("ada", "ci", "aa", scopes=[VIEWER, ETL], expires_at=soon, by="session:ada")
    plain = tokens.add("ada", "plain", "bb", by="session:ada")
    none = tokens.add("ada", "none", "cc", scopes=[], by="session:ada")
    assert tokens.find("aa") == (ci, users.get("ada"))
    assert (ci.scopes, ci.expires_at, plain.scopes, plain.expires_at, none.scopes) == (
        (VIEWER, ETL),
        soon,
        None,
        None,
        (),
    )
    assert ([one.name for one in tokens.all("ada")], tokens.all("bob")) == (["ci", "none", "plain"], [])
    assert tokens.find("zz") is None
    tokens.used(ci.id, soon)
    assert tokens.find("aa")[0].last_used_at == soon


def test_a_token_is_revoked_by_its_name_which_may_then_be_used_again(
    users: SqlUserStore, tokens: SqlTokenStore, reads: Reads
) -> None:
    users.add("ada", None, by="cli:bob")
    tokens.add("ada", "ci", "aa", by="session:ada")
    with pytest.raises(ConflictError, match="has a token 'ci' already"):
        tokens.add("ada", "ci", "bb", by="session:ada")
    tokens.revoke("ada", "ci", by="session:ada")
    assert tokens.find("aa") is None
    with pytest.raises(NotFoundError, match="'ada' has no token 'ci'"):
        tokens.revoke("ada", "ci", by="session:ada")
    tokens.add("ada", "ci", "cc", by="session:ada")
    assert actions(reads) == ["create_user", "create_token", "revoke_token", "create_token"]


def test_with_a_user_go_their_tokens_and_sessions(
    users: SqlUserStore, tokens: SqlTokenStore, sessions: SqlSessionStore
) -> None:
    users.add("ada", None, [ETL], by="cli:bob")
    tokens.add("ada", "ci", "aa", by="session:ada")
    sessions.begin("s1", session_of("ada"))
    users.delete("ada", by="cli:bob")
    users.add("ada", None, by="cli:bob")
    assert (tokens.find("aa"), sessions.find("s1"), users.get("ada").grants) == (None, None, ())


def test_a_disabled_user_has_no_session_and_gets_none(users: SqlUserStore, sessions: SqlSessionStore) -> None:
    users.add("ada", None, by="cli:bob")
    sessions.begin("s1", session_of("ada"))
    assert [users.set_active("ada", False, by="cli:bob") for _ in range(2)] == [True, False]
    assert sessions.find("s1") is None
    with pytest.raises(NotFoundError):
        sessions.begin("s2", session_of("ada"))
    assert users.set_active("ada", True, by="cli:bob")
    sessions.begin("s3", session_of("ada"))


def test_a_session_is_begun_seen_and_ended(users: SqlUserStore, sessions: SqlSessionStore, reads: Reads) -> None:
    users.add("ada", None, by="cli:bob")
    sessions.begin("s1", session_of("ada"))
    assert (users.get("ada").last_sign_in_at, sessions.find("s1")) == (NOW, (session_of("ada"), users.get("ada")))
    later = NOW + timedelta(minutes=5)
    sessions.seen("s1", later)
    assert sessions.find("s1")[0].seen_at == later
    assert [sessions.end("s1") for _ in range(2)] == [True, False]
    assert actions(reads) == ["create_user", "sign_in", "sign_out"]


def test_sessions_are_listed_and_ended_one_by_one(users: SqlUserStore, sessions: SqlSessionStore, reads: Reads) -> None:
    for name in ("ada", "bob"):
        users.add(name, None, by="cli:bob")
    first, second = "1" * 64, "2" * 64
    sessions.begin(first, session_of("ada"))
    sessions.begin(second, session_of("ada", seen_at=NOW + timedelta(minutes=1), address="192.0.2.2"))
    assert [(one.id, one.address) for one in sessions.all("ada")] == [("2" * 16, "192.0.2.2"), ("1" * 16, "192.0.2.1")]
    with pytest.raises(NotFoundError, match="no session"):
        sessions.end_one("bob", "1" * 16, by="cli:bob")
    sessions.end_one("ada", "1" * 16, by="cli:bob")
    assert (sessions.find(first), len(sessions.all("ada")), sessions.all("bob")) == (None, 1, [])
    assert actions(reads)[-1] == "end_session"


def test_expired_sessions_are_forgotten_when_one_begins(users: SqlUserStore, sessions: SqlSessionStore) -> None:
    users.add("ada", None, by="cli:bob")
    sessions.begin("s1", session_of("ada", expires_at=NOW - timedelta(seconds=1)))
    sessions.begin("s2", session_of("ada"))
    assert (sessions.find("s1"), sessions.end_all("ada", by="cli:bob"), sessions.find("s2")) == (None, 1, None)


def test_attempts_are_counted_until_the_limit_and_again_after_the_wait(attempts: SqlAttemptStore) -> None:
    limits = {"name:x": Limit(free=2)}
    assert [attempts.begin(limits, NOW) for _ in range(2)] == [None, None]
    assert attempts.begin(limits, NOW) == NOW + timedelta(seconds=2)
    assert attempts.begin(limits, NOW + timedelta(seconds=1)) == NOW + timedelta(seconds=2)
    assert attempts.begin(limits, NOW + timedelta(seconds=2)) is None
    assert attempts.begin(limits, NOW + timedelta(seconds=2)) == NOW + timedelta(seconds=6)
    assert attempts.begin({"name:y": Limit(free=2)}, NOW) is None
    assert attempts.begin(limits, NOW + timedelta(hours=2)) is None
    assert attempts.begin(limits, NOW + timedelta(hours=2)) is None


def test_success_forgets_the_failures_of_a_name_and_forgives_one_of_an_address(attempts: SqlAttemptStore) -> None:
    limits = {"name:x": Limit(free=3), "address:1": Limit(free=3)}
    for _ in range(2):
        assert attempts.begin(limits, NOW) is None
    attempts.forget("name:x")
    attempts.forgive("address:1")
    assert [attempts.begin(limits, NOW) is None for _ in range(4)] == [True, True, False, False]
    assert [attempts.begin({"name:x": Limit(free=3)}, NOW) is None for _ in range(2)] == [True, False]


def test_those_who_guess_at_once_get_no_more_attempts(open_engine: Callable[..., Engine]) -> None:
    limits = {"name:x": Limit(free=4), "address:1": Limit(free=100)}
    stores = [SqlAttemptStore(open_engine()) for _ in range(3)]
    stores[0].begin(limits, NOW)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        allowed = list(pool.map(lambda n: stores[n % 3].begin(limits, NOW) is None, range(30)))
    assert sum(allowed) == 3
