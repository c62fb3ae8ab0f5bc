"""Signing in at a provider of identities. It knows no web framework.

A server sends a browser to ``begin(…).url`` and gives it ``begin(…).sealed`` as a cookie; the provider sends it back,
and ``finish`` makes a session of both. Both ask the provider: on a server, call them in a thread.
"""

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Protocol

import msgspec

from orchestrator.assembly.sign_in import SignIn
from orchestrator.assembly.vault import make_keyring
from orchestrator.clock import SystemClock
from orchestrator.config import Config
from orchestrator.core.claims import Promise, Reading, role_mapping, words
from orchestrator.exceptions import ConfigError, SignInError
from orchestrator.ports import Clock
from orchestrator.storage.keyring import Keyring

PATIENCE = timedelta(minutes=10)
"""How long somebody may take to sign in at the provider."""

_BYTES = 32


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """Where a browser is sent, and the cookie that it keeps meanwhile, which nobody else can read or make."""

    url: str
    sealed: str


class Provider(Protocol):
    """Who knows people. Its methods raise SignInError where it does not answer, or not as it should."""

    def address(self, promise: Promise) -> str:
        """Where a browser is sent to sign in."""

    def claims(self, code: str, promise: Promise, reading: Reading, now: datetime) -> Mapping[str, Any]:
        """What it says of whoever brings ``code``."""


class Oidc:
    """The way in by a provider."""

    def __init__(self, provider: Provider, reading: Reading, sign_in: SignIn, keyring: Keyring, clock: Clock) -> None:
        self._provider = provider
        self._reading = reading
        self._sign_in = sign_in
        self._keyring = keyring
        self._clock = clock

    def begin(self, redirect_uri: str, goes_to: str = "/") -> Begun:
        """``redirect_uri`` is where the provider sends the browser back to, ``goes_to`` what its user was looking for.
        SignInError where the provider does not answer.
        """
        promise = Promise(
            state=secrets.token_urlsafe(_BYTES),
            nonce=secrets.token_urlsafe(_BYTES),
            verifier=secrets.token_urlsafe(_BYTES),
            redirect_uri=redirect_uri,
            at=self._clock.now(),
            goes_to=goes_to,
        )
        sealed = self._keyring.encrypt(msgspec.json.encode(promise).decode())
        return Begun(url=self._provider.address(promise), sealed=sealed)

    def finish(self, answer: Mapping[str, str], sealed: str, address: str) -> str:
        """Begin a session; its secret. ``answer`` are the parameters that the browser came back with. SignInError says
        why somebody may not come in.
        """
        now, promise = self._clock.now(), self._opened(sealed)
        if not hmac.compare_digest(answer.get("state", "").encode("utf-8", "replace"), promise.state.encode()):
            raise SignInError("this is not the answer that was asked for; sign in once more")
        if now - promise.at > PATIENCE:
            raise SignInError("signing in has taken too long; try once more")
        if not answer.get("code"):
            said = answer.get("error_description") or answer.get("error") or "it gives no code"
            raise SignInError(f"the provider lets nobody in: {words(said)}")
        claims = self._provider.claims(answer["code"], promise, self._reading, now)
        return self._sign_in.with_identity(self._reading.of(claims), address)

    def goes_to(self, sealed: str) -> str:
        """What whoever began was looking for; SignInError where this browser has not begun."""
        return self._opened(sealed).goes_to

    def _opened(self, sealed: str) -> Promise:
        try:
            return msgspec.json.decode(self._keyring.decrypt(sealed, "the cookie"), type=Promise)
        except (ConfigError, ValueError):  # msgspec's errors are ValueErrors
            raise SignInError("this browser has not begun to sign in, or keeps no cookies; try once more") from None


def make_oidc(config: Config, sign_in: SignIn, clock: Clock | None = None) -> Oidc | None:
    """The way in that ``[oidc]`` describes; None where there is none. ConfigError says what is wrong with it."""
    if not config.oidc.issuer:
        return None
    reading = Reading(
        name_claim=config.oidc.name_claim,
        groups_claim=config.oidc.groups_claim,
        roles=role_mapping(config.oidc.role_mapping),
    )
    try:
        library = import_module("orchestrator.assembly.oidc_provider")
    except ImportError as error:
        raise ConfigError(f"[oidc] issuer is set, but {error}") from None
    provider: Provider = library.AuthlibProvider(
        config.oidc.issuer, config.oidc.client_id, config.oidc.client_secret, config.oidc.scopes
    )
    return Oidc(provider, reading, sign_in, make_keyring(config), clock or SystemClock())
