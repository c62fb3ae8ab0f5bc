"""Sign-in: which names users may have, and how long whoever guesses has to wait."""

import hashlib
import re
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

import msgspec

from orchestrator.exceptions import UsageError

_allowed = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}", re.ASCII).fullmatch
_RESERVED = frozenset({"anonymous", "local"})
_PREFIX_OF_ONE_HOUSEHOLD = 64


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """``free`` failures cost nothing; each further one doubles the wait, from ``first`` to ``longest``. All are
    forgotten when none came for ``memory``.
    """

    free: int
    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=15)
    memory: timedelta = timedelta(hours=1)

    def free_at(self, failures: int, last_at: datetime) -> datetime:
        """When another attempt may be made, after so many failures."""
        if failures < self.free:
            return last_at
        doublings: int = 1 << min(failures - self.free, 30)
        return last_at + min(self.longest, self.first * doublings)


PER_NAME = Limit(free=5)
PER_ADDRESS = Limit(free=20)


def user_name(text: str) -> str:
    """The name in small letters; UsageError if no user can be called so."""
    name = text.strip().lower()
    if not _allowed(name) or name in _RESERVED:
        raise UsageError(
            f"{text[:40]!r} is no name of a user; write 1 to 100 letters, digits, dots, dashes, underscores, @ and +"
        )
    return name


def name_key(text: str) -> str:
    """What failures of a name are counted under: not the name, since people type passwords in its place."""
    name = text.strip().lower().encode("utf-8", "backslashreplace")
    return f"name:{hashlib.sha256(name).hexdigest()[:32]}"


def address_key(address: str) -> str:
    """The same for an address; those of one household count as one where there are plenty of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return "address:unknown"
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or IPv6Address(int(found) >> (128 - _PREFIX_OF_ONE_HOUSEHOLD) << 64)
    return f"address:{found}"
