"""A provider of identities, asked by OpenID Connect: the code flow with PKCE, by Authlib."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from orchestrator.core.claims import Promise, Reading, words
from orchestrator.exceptions import ConfigError, SignInError

try:
    import requests
    from authlib.common.errors import AuthlibBaseError
    from authlib.integrations.requests_client import OAuth2Session
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, JoseError
    from joserfc.jwk import KeySet
except ImportError as missing:
    raise ImportError(
        "signing in by OpenID Connect needs the package authlib; install it with `pip install 'orchestrator[oidc]'`",
        name="authlib",
    ) from missing

R = TypeVar("R")

_TIMEOUT = 10.0
_LEEWAY = 60
_FRESH = timedelta(hours=1)
_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519")
"""Signatures that only the provider can make; none of those for which both know a secret."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself."""

    at: datetime
    endpoints: Mapping[str, Any]
    keys: Any


class AuthlibProvider:
    """One provider. What it says of itself is asked for once an hour; threads may share one."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, scopes: str) -> None:
        if not _is_safe(issuer):
            raise ConfigError(f"[oidc] issuer is {words(issuer)}; write the provider's URL, with https")
        if not client_id:
            raise ConfigError("[oidc] client_id is empty; set it to what the provider calls this program")
        self.issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._scopes = scopes
        self._said: _Said | None = None

    def address(self, promise: Promise) -> str:
        """Where a browser is sent to sign in."""
        return self._told(lambda: self._address(promise))

    def claims(self, code: str, promise: Promise, reading: Reading, now: datetime) -> Mapping[str, Any]:
        """What it says of whoever brings ``code``, with its signature checked."""
        return self._told(lambda: self._claims(code, promise, reading, now))

    def _address(self, promise: Promise) -> str:
        url = self._ask(promise.at).endpoints["authorization_endpoint"]
        with self._client(promise) as client:
            asked, _ = client.create_authorization_url(
                url, state=promise.state, nonce=promise.nonce, code_verifier=promise.verifier
            )
        return str(asked)

    def _claims(self, code: str, promise: Promise, reading: Reading, now: datetime) -> Mapping[str, Any]:
        endpoints = self._ask(now).endpoints
        with self._client(promise) as client:
            token = client.fetch_token(endpoints["token_endpoint"], code=code, code_verifier=promise.verifier)
            claims = self._checked(token, promise.nonce, now)
            more = endpoints.get("userinfo_endpoint")
            if more is None or not reading.wants_more_than(claims):
                return claims
            answer = client.get(more)
            answer.raise_for_status()
            found = answer.json()
        return found | claims if found.get("sub") == claims["sub"] else claims

    def _checked(self, token: Mapping[str, Any], nonce: str, now: datetime) -> dict[str, Any]:
        try:
            found = jwt.decode(token["id_token"], self._ask(now).keys, algorithms=_ALGORITHMS)
        except InvalidKeyIdError:  # it signs with a new key
            self._said = None
            found = jwt.decode(token["id_token"], self._ask(now).keys, algorithms=_ALGORITHMS)
        expected = {"iss": {"values": [self.issuer]}, "aud": {"values": [self._client_id]}}
        asked = {"nonce": nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(found.claims, found.header, expected, asked)
        claims.validate(now=int(now.timestamp()), leeway=_LEEWAY)
        return dict(found.claims)

    def _client(self, promise: Promise) -> Any:
        return OAuth2Session(
            self._client_id,
            self._client_secret or None,
            scope=self._scopes,
            redirect_uri=promise.redirect_uri,
            code_challenge_method="S256",
            default_timeout=_TIMEOUT,
        )

    def _ask(self, now: datetime) -> _Said:
        if self._said is None or now - self._said.at > _FRESH:
            found = _json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found["issuer"] != self.issuer:
                raise SignInError(f"the provider calls itself {words(found['issuer'])}; set [oidc] issuer to that")
            for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
                if name in found and not _is_safe(found[name]):
                    raise SignInError(f"the provider's {name} is {words(found[name])}, which is no URL with https")
            keys: Any = _json(found["jwks_uri"])
            self._said = _Said(at=now, endpoints=found, keys=KeySet.import_key_set(keys))
        return self._said

    def _told(self, question: Callable[[], R]) -> R:
        """What the provider has answered; its errors name neither the code nor any secret."""
        try:
            return question()
        except requests.RequestException as error:
            raise SignInError(f"the provider {self.issuer} does not answer ({type(error).__name__})") from None
        except JoseError as error:
            raise SignInError(f"the provider's ID token does not hold: {words(error)}") from None
        except AuthlibBaseError as error:
            raise SignInError(f"the provider lets nobody in: {words(error)}") from None
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise SignInError(
                f"the provider {self.issuer} does not answer as it should ({type(error).__name__})"
            ) from None


def _is_safe(url: str) -> bool:
    """Whether nobody can listen: it is encrypted, or stays on this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _json(url: str) -> dict[str, Any]:
    answer = requests.get(url, timeout=_TIMEOUT)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
