"""Proof: how far the audit's chain has been walked, and walking it further piece by piece."""

import msgspec
from sqlalchemy import Connection, Engine, insert

from orchestrator.core.rights import LOCAL, Principal, Right
from orchestrator.storage.audit import Seal, lock_head, seal, set_seal
from orchestrator.storage.audit_chain import Break, Verification, verify, verify_piece
from orchestrator.storage.database import reading, writing
from orchestrator.storage.guard import Guarded, of_home
from orchestrator.storage.schema import BASE, HEAD
from orchestrator.storage.tables import audit_seals

VERIFIED = "verified"
"""The seal of the last line that a walk has come to."""
PIECE = 10_000
_NONE = Seal(id=0, hash="")


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The chain holds up to line ``verified`` of ``last``; ``breaks`` are where it does not, further on."""

    verified: int
    last: int
    breaks: tuple[Break, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether another piece would show nothing more."""
        return bool(self.breaks) or self.verified >= self.last


class AuditProof(Guarded):
    """The state of the proof is kept beside the seals of the chain; a whole walk, with a seal from elsewhere, is
    ``audit verify``.
    """

    def __init__(self, engine: Engine, who: Principal = LOCAL) -> None:
        super().__init__(engine, who)

    @of_home.taking(Right.ADMIN)
    def standing(self) -> Proof:
        with reading(self._engine) as connection:
            return Proof(verified=_start(connection).id, last=(seal(connection, HEAD) or _NONE).id)

    @of_home.taking(Right.ADMIN)
    def whole(self, known: Seal | None = None) -> Verification:
        """Walk the whole chain; ``known``: the seal of an earlier walk, kept elsewhere."""
        return verify(self._engine, known=known)

    @of_home.taking(Right.ADMIN)
    def go_on(self, *, afresh: bool = False, lines: int = PIECE) -> Proof:
        """Walk over the next lines, or over the first ones again; where they hold, that is remembered."""
        with reading(self._engine) as connection:
            start = None if afresh else _start(connection)
        found = verify_piece(self._engine, start, lines)
        if not found.breaks:
            with writing(self._engine) as connection:
                _remember(connection, found.seal)
        return msgspec.structs.replace(self.standing(), breaks=found.breaks)


def _start(connection: Connection) -> Seal:
    """Lines that were cleaned away need no proof."""
    verified, base = seal(connection, VERIFIED) or _NONE, seal(connection, BASE) or _NONE
    return max(verified, base, key=lambda one: one.id)


def _remember(connection: Connection, to: Seal) -> None:
    lock_head(connection)  # so that one does so at a time
    if seal(connection, VERIFIED) is None:
        connection.execute(insert(audit_seals).values(name=VERIFIED, id=to.id, hash=to.hash))
    else:
        set_seal(connection, VERIFIED, to)
