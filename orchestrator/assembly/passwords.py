"""Passwords: Argon2id, with what it was told in the hash itself."""

import secrets
import threading
import unicodedata
from functools import cached_property

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from orchestrator.exceptions import UsageError

_LONGEST = 1024
_FEWEST_CHARACTERS = 4
_BYTES_OF_SALT, _BYTES_OF_HASH = 16, 32
_AT_ONCE = 2
_EASY_TO_READ = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Passwords:
    """Makes hashes of passwords and compares with them, which takes about 30 ms and 19 MiB: on a server, in a thread.

    ``memory`` is in KiB. At most two are worked on at once, so that many who sign in together do not take all memory.
    """

    def __init__(self, *, memory: int = 19 * 1024, passes: int = 2, lanes: int = 1, least_length: int = 12) -> None:
        self._memory = memory
        self._passes = passes
        self._lanes = lanes
        self._least_length = least_length
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    def hash(self, password: str) -> str:
        """A string in PHC's format, with a salt of its own."""
        with self._turns:
            return self._make(password)

    def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the password of that hash. It takes as long where there is none to compare with."""
        if len(password) > _LONGEST:
            return False
        with self._turns:
            try:
                Argon2id.verify_phc_encoded(_bytes(password), stored or self._nobodys)
            except InvalidKey:
                return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return not stored.startswith(f"$argon2id$v=19$m={self._memory},t={self._passes},p={self._lanes}$")

    def require_good(self, password: str, user: str) -> None:
        """UsageError unless it may be that user's password."""
        if not self._least_length <= len(password) <= _LONGEST:
            raise UsageError(
                f"a password has {self._least_length} to {_LONGEST} characters; this one has {len(password)}"
            )
        if password.strip().lower() == user or len(set(password)) < _FEWEST_CHARACTERS:
            raise UsageError("this password is guessed at once; take several words that do not belong together")

    def _make(self, password: str) -> str:
        salt = secrets.token_bytes(_BYTES_OF_SALT)
        argon = Argon2id(
            salt=salt, length=_BYTES_OF_HASH, iterations=self._passes, lanes=self._lanes, memory_cost=self._memory
        )
        return argon.derive_phc_encoded(_bytes(password))

    @cached_property
    def _nobodys(self) -> str:
        return self._make(secrets.token_hex(_BYTES_OF_HASH))


def random_password() -> str:
    """One that a person can copy: 20 letters and digits, 115 bits."""
    return "-".join("".join(secrets.choice(_EASY_TO_READ) for _ in range(5)) for _ in range(4))


def _bytes(password: str) -> bytes:
    """The same however a keyboard composes its accents."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "backslashreplace")
