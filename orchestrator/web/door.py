"""Door: how a browser comes in and goes out again."""

from functools import cached_property
from typing import Protocol

from orchestrator.api.visitor import Accounts, Visitor
from orchestrator.assembly.accounts import Accounts as HomeAccounts
from orchestrator.assembly.oidc import Oidc, make_oidc
from orchestrator.config import Config
from orchestrator.core.rights import Principal


class Door(Accounts, Protocol):
    """Accounts that passwords are shown to as well. ``address`` is where the browser comes from."""

    def with_password(self, name: str, password: str, address: str) -> str:
        """Begin a session; its secret. SignInError says nothing of what is wrong; TooManyAttemptsError, when to try
        again.
        """

    def sign_out(self, secret: str) -> bool:
        """End a session; whether there was one."""

    @property
    def oidc(self) -> Oidc | None:
        """The way in by a provider; None where there is none. ConfigError where its settings make no sense."""

    def accounts_for(self, who: Principal) -> HomeAccounts:
        """The accounts behind the door, as they may see and change them."""


class HomeDoor:
    """The door of a home with accounts."""

    def __init__(self, accounts: HomeAccounts, config: Config) -> None:
        self._config = config
        self.accounts_for = accounts.seen_by
        self._sign_in = sign_in = accounts.sign_in
        self.with_password = sign_in.with_password
        self.sign_out = sign_in.sign_out

    @cached_property
    def oidc(self) -> Oidc | None:
        """Made when somebody comes that way first: its library takes some megabytes."""
        return make_oidc(self._config, self._sign_in)

    def by_token(self, secret: str) -> Principal | None:
        return self._sign_in.with_token(secret)

    def by_session(self, secret: str) -> Visitor | None:
        found = self._sign_in.session(secret)
        return None if found is None else Visitor(who=found.principal, csrf=found.csrf)
