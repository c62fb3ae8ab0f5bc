"""Door: how a browser comes in and goes out again."""

from typing import Protocol

from orchestrator.api.visitor import Accounts, Visitor
from orchestrator.assembly.sign_in import SignIn
from orchestrator.core.rights import Principal


class Door(Accounts, Protocol):
    """Accounts that passwords are shown to as well. ``address`` is where the browser comes from."""

    def with_password(self, name: str, password: str, address: str) -> str:
        """Begin a session; its secret. SignInError says nothing of what is wrong; TooManyAttemptsError, when to try
        again.
        """

    def sign_out(self, secret: str) -> bool:
        """End a session; whether there was one."""


class HomeDoor:
    """The door of a home with accounts."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in
        self.with_password = sign_in.with_password
        self.sign_out = sign_in.sign_out

    def by_token(self, secret: str) -> Principal | None:
        return self._sign_in.with_token(secret)

    def by_session(self, secret: str) -> Visitor | None:
        found = self._sign_in.session(secret)
        return None if found is None else Visitor(who=found.principal, csrf=found.csrf)
