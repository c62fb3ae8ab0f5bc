"""People: those who may come in, by the accounts of a home."""

from orchestrator.api.visitor import Visitor
from orchestrator.assembly.sign_in import SignIn
from orchestrator.core.rights import Principal


class People:
    """See ``Accounts`` in ``visitor``."""

    def __init__(self, door: SignIn) -> None:
        self._door = door

    def by_token(self, secret: str) -> Principal | None:
        return self._door.with_token(secret)

    def by_session(self, secret: str) -> Visitor | None:
        found = self._door.session(secret)
        return None if found is None else Visitor(who=found.principal, csrf=found.csrf)
