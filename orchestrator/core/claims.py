"""Claims: what a provider of identities says of somebody, and what follows from it here."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from orchestrator.core.rights import Grant, grant_of
from orchestrator.core.sign_in import user_name
from orchestrator.exceptions import ConfigError, SignInError, UsageError

EVERYBODY = "*"
_LONGEST_WORDS = 200


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What has to come back from the provider as it was sent."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    at: datetime
    goes_to: str = "/"
    """Where whoever has signed in was going."""


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is by a provider's word: their name here, what follows from their groups, and the provider's own
    name for them."""

    issuer: str
    subject: str
    name: str
    grants: tuple[Grant, ...]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How claims are read: which of them is the name, which lists the groups, and what each group is granted."""

    name_claim: str
    groups_claim: str
    roles: Mapping[str, tuple[Grant, ...]]

    def of(self, claims: Mapping[str, Any]) -> Claimed:
        """Whoever the claims, whose signature was checked, are about. SignInError says what is missing in them."""
        groups = {EVERYBODY, *_groups(_at(claims, self.groups_claim))}
        grants = {grant for group in groups for grant in self.roles.get(group, ())}
        return Claimed(
            issuer=str(claims["iss"]),
            subject=str(claims["sub"]),
            name=self._name(claims),
            grants=tuple(sorted(grants, key=str)),
        )

    def wants_more_than(self, claims: Mapping[str, Any]) -> bool:
        """Whether the name or the groups are not among them."""
        return any(_at(claims, name) is None for name in (self.name_claim, self.groups_claim))

    def _name(self, claims: Mapping[str, Any]) -> str:
        found = _at(claims, self.name_claim)
        if not isinstance(found, str) or not found:
            raise SignInError(
                f"the provider does not say {self.name_claim!r}; set [oidc] name_claim to one that it says"
            )
        if self.name_claim == "email" and claims.get("email_verified") is not True:
            raise SignInError("the provider has not verified this e-mail address; verify it there first")
        try:
            return user_name(found)
        except UsageError as error:
            raise SignInError(f"{error}; the provider says so in {self.name_claim!r}") from None


def role_mapping(text: str) -> dict[str, tuple[Grant, ...]]:
    """What each group is granted, as ``[oidc] role_mapping`` says; ConfigError where that makes no sense."""
    try:
        found = json.loads(text or "{}")
        if not isinstance(found, dict):
            raise ValueError("it is no object")
        return {group: tuple(map(grant_of, _roles(group, roles))) for group, roles in found.items()}
    except (ValueError, RecursionError) as error:  # a UsageError is a ValueError
        raise ConfigError(
            f'[oidc] role_mapping: {error}; write a JSON object such as {{"etl-team": "operator:etl_*"}}'
        ) from None


def _roles(group: str, roles: object) -> list[str]:
    listed = [roles] if isinstance(roles, str) else roles
    if not isinstance(listed, list) or not all(isinstance(role, str) for role in listed):
        raise ValueError(f"the roles of the group {group!r} are no text and no list of texts")
    return listed


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name or, where dots lead to it, what is there; None where there is nothing."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _groups(found: object) -> Iterator[str]:
    """The group ``*`` is nobody's own: it stands for everybody."""
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    yield from (group for group in listed if isinstance(group, str))


def words(said: object) -> str:
    """A few of the words of somebody else, on one line."""
    return " ".join(repr(str(said))[1:-1][:_LONGEST_WORDS].split())
