"""Signing in by OpenID Connect, at a small real provider: who comes in as whom, and which lies are seen."""

import base64
import hmac
import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import Engine, select

from orchestrator.assembly.accounts import Accounts
from orchestrator.assembly.oidc import Oidc, make_oidc
from orchestrator.config import Config, load_config
from orchestrator.core.claims import Reading, role_mapping
from orchestrator.core.rights import Right, grant_of
from orchestrator.exceptions import ConfigError, SignInError
from orchestrator.storage.database import reading
from orchestrator.storage.reads import Reads
from orchestrator.storage.tables import metadata
from tests.accounts.conftest import opened
from tests.accounts.provider import CLIENT, SECRET, SmallProvider, running_provider
from tests.contracts.conftest import StoppedClock

BACK = "http://127.0.0.1:8080/auth/oidc"
HERE = "192.0.2.1"
ROLES = {"etl-team": "operator:etl_*", "admins": ["admin"]}


@pytest.fixture(scope="module")
def server() -> Iterator[SmallProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(server: SmallProvider) -> SmallProvider:
    """The same server, which has forgotten what it was told to say."""
    fresh = SmallProvider()
    fresh.issuer = server.issuer
    vars(server).update(vars(fresh))
    return server


@pytest.fixture
def clock() -> StoppedClock:
    stopped = StoppedClock()
    stopped.moment = datetime.now(UTC)
    return stopped


def config(home: Path, provider: SmallProvider, **more: str) -> Config:
    said = {"ISSUER": provider.issuer, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET, "ROLE_MAPPING": json.dumps(ROLES)}
    environ = {f"ORCHESTRATOR__OIDC__{name}": text for name, text in (said | more).items()}
    return load_config({"ORCHESTRATOR_HOME": str(home)} | environ, home)


@pytest.fixture
def oidc(accounts: Accounts, provider: SmallProvider, tmp_path: Path, clock: StoppedClock) -> Oidc:
    found = make_oidc(config(tmp_path, provider), accounts.sign_in, clock)
    assert found is not None
    return found


def come_in(oidc: Oidc, provider: SmallProvider) -> str:
    begun = oidc.begin(BACK)
    return oidc.finish(provider.sign_in(begun.url), begun.sealed, HERE)


def test_who_signs_in_at_the_provider_gets_an_account_with_the_roles_of_their_groups(
    oidc: Oidc, provider: SmallProvider, accounts: Accounts, reads: Reads
) -> None:
    who = accounts.sign_in.session(come_in(oidc, provider)).principal
    assert (who.name, who.via) == ("ada", "oidc")
    assert [who.may(Right.EDIT, dag) for dag in ("etl_1", "shop")] == [True, False]
    (user,) = accounts.users()
    assert (user.has_password, user.identity.subject, user.grants) == (False, "00u1", ())
    assert [(line.by, line.action) for line in reversed(reads.audit())] == [
        ("oidc:ada", "create_user"),
        ("oidc:ada", "map_roles"),
        ("oidc:ada", "sign_in"),
    ]


def test_roles_follow_the_groups_at_each_sign_in_and_names_do_not_change(
    oidc: Oidc, provider: SmallProvider, accounts: Accounts
) -> None:
    come_in(oidc, provider)
    accounts.grant("ada", grant_of("viewer"), by="cli:bob")
    provider.claims |= {"groups": ["admins"], "preferred_username": "lovelace"}
    who = accounts.sign_in.session(come_in(oidc, provider)).principal
    assert (who.name, [str(grant) for grant in who.grants]) == ("ada", ["admin", "viewer"])


def test_who_has_no_role_does_not_come_in_and_gets_no_account(
    oidc: Oidc, provider: SmallProvider, accounts: Accounts
) -> None:
    for groups in (["others"], [], None, "others", {"a": 1}, [["etl-team"]]):
        provider.claims["groups"] = groups
        with pytest.raises(SignInError, match="none of your groups has a role here"):
            come_in(oidc, provider)
    assert accounts.users() == []


def test_a_name_that_is_taken_here_is_not_given_to_whoever_claims_it(
    oidc: Oidc, provider: SmallProvider, accounts: Accounts
) -> None:
    accounts.create_user("ada", "correct horse battery", [grant_of("admin")], by="cli:bob")
    with pytest.raises(SignInError, match="there is an account 'ada' here that is not this provider's"):
        come_in(oidc, provider)
    assert accounts.user("ada").mapped == ()


def test_two_of_one_name_at_the_provider_are_two(oidc: Oidc, provider: SmallProvider, accounts: Accounts) -> None:
    come_in(oidc, provider)
    provider.claims["sub"] = "00u2"
    with pytest.raises(SignInError, match="not this provider's"):
        come_in(oidc, provider)


def test_a_disabled_account_stays_out(oidc: Oidc, provider: SmallProvider, accounts: Accounts) -> None:
    come_in(oidc, provider)
    accounts.set_active("ada", False, by="cli:bob")
    with pytest.raises(SignInError, match="disabled"):
        come_in(oidc, provider)


def test_what_the_id_token_does_not_say_is_asked_for(oidc: Oidc, provider: SmallProvider, accounts: Accounts) -> None:
    provider.claims = {"sub": "00u1"}
    provider.userinfo = {"sub": "00u1", "preferred_username": "ada", "groups": ["etl-team"], "iss": "https://evil"}
    assert accounts.sign_in.session(come_in(oidc, provider)).principal.name == "ada"
    assert accounts.user("ada").identity.issuer == provider.issuer
    provider.userinfo["sub"] = "00u9"
    with pytest.raises(SignInError, match="does not say 'preferred_username'"):
        come_in(oidc, provider)


LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "for another program": {"aud": "other"},
    "for several, and not asked for by this one": {"aud": [CLIENT, "other"], "azp": "other"},
    "for another program, though asked for by this one": {"aud": "other", "azp": CLIENT},
    "expired": {"exp": int(time.time()) - 3600},
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "nobody": {"sub": None},
    "no end": {"exp": None},
    "of tomorrow": {"nbf": int(time.time()) + 3600},
}


def test_an_id_token_that_lies_lets_nobody_in(oidc: Oidc, provider: SmallProvider, accounts: Accounts) -> None:
    for lie, claims in LIES.items():
        provider.lies = claims
        with pytest.raises(SignInError, match="the provider's ID token does not hold"):
            pytest.fail(f"{lie} came in as {come_in(oidc, provider)}")
    assert accounts.users() == []


def test_an_id_token_that_another_signed_lets_nobody_in(oidc: Oidc, provider: SmallProvider) -> None:
    provider.signs_with = ECKey.generate_key("P-256", {"kid": "1"})
    with pytest.raises(SignInError, match="does not hold"):
        come_in(oidc, provider)
    for header, key in FORGED:
        claims = {"iss": provider.issuer, "aud": CLIENT, "sub": "00u1", "exp": 2**40, "iat": 0}
        body = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
        known = {"the public key": provider.key.as_pem(private=False), "the secret": SECRET.encode(), "": b""}[key]
        signature = hmac.digest(known, body.encode(), "sha256") if key else b""
        forged = f"{body}.{_base64(signature)}"
        provider.token_answer = (200, {"access_token": "at", "token_type": "Bearer", "id_token": forged})
        with pytest.raises(SignInError, match="does not hold"):
            come_in(oidc, provider)


FORGED = [
    ({"alg": "HS256"}, "the public key"),
    ({"alg": "HS256", "kid": "1"}, "the public key"),
    ({"alg": "HS256", "kid": "1"}, "the secret"),
    ({"alg": "none"}, ""),
    ({"alg": "none", "kid": "1"}, ""),
    ({"alg": "ES256", "kid": "1"}, ""),
    ({"alg": "ES256", "kid": "1"}, "the secret"),
]


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_a_new_key_of_the_provider_is_asked_for(oidc: Oidc, provider: SmallProvider, accounts: Accounts) -> None:
    come_in(oidc, provider)
    provider.key = provider.signs_with = ECKey.generate_key("P-256", {"kid": "2"})
    assert accounts.sign_in.session(come_in(oidc, provider))
    assert provider.asked.count("/jwks") == 2


def test_what_the_provider_says_of_itself_is_asked_for_once_an_hour(
    oidc: Oidc, provider: SmallProvider, clock: StoppedClock
) -> None:
    for _ in range(3):
        oidc.begin(BACK)
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    clock.advance(timedelta(minutes=61))
    oidc.begin(BACK)
    assert provider.asked.count("/.well-known/openid-configuration") == 2


def test_only_the_browser_that_began_comes_in_and_only_once_and_in_time(
    oidc: Oidc, provider: SmallProvider, clock: StoppedClock
) -> None:
    begun, other = oidc.begin(BACK), oidc.begin(BACK)
    answer = provider.sign_in(begun.url)
    for sealed in (other.sealed, "", "x", begun.sealed[:-5], "\x00\udc80"):
        with pytest.raises(SignInError, match=r"(sign in|try) once more"):
            oidc.finish(answer, sealed, HERE)
    for wrong in ({}, {"code": "c0de"}, answer | {"state": ""}, answer | {"state": "\udc80"}):
        with pytest.raises(SignInError, match="not the answer that was asked for"):
            oidc.finish(wrong, begun.sealed, HERE)
    assert oidc.finish(answer, begun.sealed, HERE)
    with pytest.raises(SignInError, match="the provider lets nobody in: invalid_grant: the code is unknown"):
        oidc.finish(answer, begun.sealed, HERE)
    clock.advance(timedelta(minutes=11))
    with pytest.raises(SignInError, match="taken too long"):
        oidc.finish(answer, begun.sealed, HERE)


def test_a_code_of_another_browser_is_of_no_use(oidc: Oidc, provider: SmallProvider) -> None:
    """What an attacker would send a victim to: their own code, with the state that the victim's browser began with."""
    begun = oidc.begin(BACK)
    state = provider.sign_in(begun.url)["state"]
    provider.sign_in(oidc.begin(BACK).url)
    with pytest.raises(SignInError, match="the verifier is wrong"):
        oidc.finish({"code": "c0de", "state": state}, begun.sealed, HERE)


def test_what_the_provider_refuses_is_told_on_one_line(oidc: Oidc, provider: SmallProvider) -> None:
    begun = oidc.begin(BACK)
    refused = {
        "error": "access_denied",
        "error_description": "no\n\x1b[31mway " * 100,
        "state": provider.sign_in(begun.url)["state"],
    }
    with pytest.raises(SignInError, match="the provider lets nobody in: no") as told:
        oidc.finish(refused, begun.sealed, HERE)
    assert (str(told.value).isprintable(), len(str(told.value)) < 300) == (True, True)


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}),
        (200, {}),
        (200, {"id_token": 7, "access_token": "at"}),
        (200, []),
        (200, {"id_token": "a.b.c"}),
        (429, b"slow down"),
    ],
)
def test_a_provider_that_does_not_answer_as_it_should_is_told(oidc: Oidc, provider: SmallProvider, answer) -> None:
    provider.token_answer = answer
    with pytest.raises(SignInError, match="the provider"):
        come_in(oidc, provider)


def test_a_provider_that_says_strange_things_of_itself_is_told(
    accounts: Accounts, provider: SmallProvider, tmp_path: Path
) -> None:
    for strange, told in (
        ({"issuer": "https://evil.example"}, "calls itself https://evil.example"),
        ({"token_endpoint": "http://evil.example/token"}, "token_endpoint is http://evil.example/token"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri is file"),
        ({"authorization_endpoint": None}, "does not answer as it should|authorization_endpoint is None"),
        ({"jwks_uri": provider.issuer + "/nowhere"}, "does not answer"),
    ):
        provider.metadata = strange
        with pytest.raises(SignInError, match=told):
            make_oidc(config(tmp_path, provider), accounts.sign_in).begin(BACK)


def test_a_provider_that_is_not_there_is_told(accounts: Accounts, provider: SmallProvider, tmp_path: Path) -> None:
    nowhere = config(tmp_path, provider, ISSUER="http://127.0.0.1:1")
    with pytest.raises(SignInError, match=r"the provider http://127.0.0.1:1 does not answer \(ConnectionError\)"):
        make_oidc(nowhere, accounts.sign_in).begin(BACK)


def test_without_an_issuer_there_is_no_such_way_in(accounts: Accounts, provider: SmallProvider, tmp_path: Path) -> None:
    assert make_oidc(config(tmp_path, provider, ISSUER=""), accounts.sign_in) is None


@pytest.mark.parametrize(
    ("setting", "text", "told"),
    [
        ("ISSUER", "http://id.example", "with https"),
        ("ISSUER", "id.example", "with https"),
        ("CLIENT_ID", "", "client_id is empty"),
        ("ROLE_MAPPING", "x", "role_mapping"),
        ("ROLE_MAPPING", "[]", "it is no object"),
        ("ROLE_MAPPING", '{"a": "root"}', "'root' is no role"),
        ("ROLE_MAPPING", '{"a": 1}', "the roles of the group 'a'"),
        ("ROLE_MAPPING", "[" * 100_000, "role_mapping"),
    ],
)
def test_settings_that_make_no_sense_are_told(accounts, provider, tmp_path, setting, text, told) -> None:
    with pytest.raises(ConfigError, match=told):
        make_oidc(config(tmp_path, provider, **{setting: text}), accounts.sign_in)


def read(claims: dict[str, Any], *, name: str = "preferred_username", groups: str = "groups", **roles: Any) -> Any:
    how = Reading(name_claim=name, groups_claim=groups, roles=role_mapping(json.dumps(roles)))
    return how.of({"iss": "https://id.example", "sub": "1", "preferred_username": "ada"} | claims)


def test_groups_are_found_where_the_setting_leads() -> None:
    keycloak = {"realm_access": {"roles": ["a", "b"]}}
    assert read(keycloak, groups="realm_access.roles", a="viewer", b=["user", "viewer"]).grants == (
        grant_of("user"),
        grant_of("viewer"),
    )
    assert read({"https://x.org/groups": ["a"]}, groups="https://x.org/groups", a="user").grants == (grant_of("user"),)
    assert read({"groups": "a"}, a="user").grants == (grant_of("user"),)
    assert read({"groups": None}, **{"*": "viewer"}).grants == (grant_of("viewer"),)


def test_an_address_is_a_name_only_where_the_provider_has_verified_it() -> None:
    assert read({"email": "Ada@x.org", "email_verified": True}, name="email").name == "ada@x.org"
    for claims in ({"email": "ada@x.org"}, {"email": "ada@x.org", "email_verified": "false"}):
        with pytest.raises(SignInError, match="not verified"):
            read(claims, name="email")


@pytest.mark.parametrize("name", [None, "", 7, ["ada"], "ada lovelace", "a:b", "local", "x" * 101])
def test_a_claim_that_is_no_name_is_told(name: Any) -> None:
    with pytest.raises(SignInError, match="preferred_username"):
        read({"preferred_username": name})


def test_no_secret_of_a_sign_in_is_kept_or_logged(
    oidc: Oidc, provider: SmallProvider, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    begun = oidc.begin(BACK)
    answer = provider.sign_in(begun.url)
    asked = provider.codes["c0de"]
    session = oidc.finish(answer, begun.sealed, HERE)
    with reading(engine) as connection:
        kept = "".join(str(connection.execute(select(table)).all()) for table in metadata.tables.values())
    secrets = [session, SECRET, asked["nonce"], asked["state"], begun.sealed, "c0de"]
    assert [secret for secret in secrets if secret in kept + caplog.text] == []


def test_two_servers_share_who_has_come(
    oidc: Oidc, provider: SmallProvider, engine: Engine, tmp_path: Path, clock: StoppedClock
) -> None:
    """What one begins another finishes: the promise is in the browser."""
    other = make_oidc(config(tmp_path, provider), opened(engine, tmp_path, clock).sign_in, clock)
    begun = oidc.begin(BACK)
    assert other.finish(provider.sign_in(begun.url), begun.sealed, HERE)
