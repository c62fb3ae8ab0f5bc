"""Keyring: the Fernet keys that a home's secrets are encrypted with.

The library is large, and loaded once there is something to encrypt or decrypt: an idle home without secrets has none
of it in memory.
"""

import contextlib
import hashlib
import os
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.exceptions import ConfigError, StorageUnavailableError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_HINT = "make one with `python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'`"


class Keyring:
    """``configured`` is ``[core] fernet_key``: keys with commas between, of which the first encrypts and all decrypt.

    Where it is empty, the key lies in ``file``, and is made there, for its owner's eyes only, when it is first needed.
    """

    def __init__(self, configured: str, file: Path) -> None:
        self._configured = configured
        self._file = file
        self._opened: tuple[bytes, MultiFernet] | None = None

    def make_ready(self) -> None:
        """Load the library now if there are keys, and so may be secrets: for a process that forks those who ask."""
        if self._configured or self._file.exists():
            _library()

    def encrypt(self, text: str) -> str:
        """``text`` as a token that only the keys of this ring open."""
        return self._open()[1].encrypt(text.encode()).decode("ascii")

    def decrypt(self, token: str, what: str) -> str:
        """What ``token`` holds; ConfigError, which names ``what`` it is, where none of the keys opens it."""
        try:
            return self._open()[1].decrypt(token).decode()
        except _library().InvalidToken:
            raise ConfigError(
                f"{what} was encrypted with another key; add that key to [core] fernet_key, behind a comma, "
                f"or set {what} anew"
            ) from None

    def rotate(self, token: str, what: str) -> str:
        """The same secret, encrypted with the first key."""
        return self.encrypt(self.decrypt(token, what))

    def stamp(self, text: str) -> str:
        """Tells two texts apart, and says nothing of them to whoever has no key."""
        return hashlib.blake2b(text.encode(), key=self._open()[0], digest_size=16).hexdigest()

    def _open(self) -> "tuple[bytes, MultiFernet]":
        if self._opened is None:
            words = [word.strip() for word in self._configured.split(",") if word.strip()]
            self._opened = _keys(words, "[core] fernet_key") if words else _keys([self._kept()], str(self._file))
        return self._opened

    def _kept(self) -> str:
        try:
            with contextlib.suppress(FileNotFoundError):
                return self._file.read_text(encoding="ascii").strip()
            self._make()
            return self._file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise StorageUnavailableError(
                f"the key of this home, {self._file}, cannot be read or made ({reason}); set [core] fernet_key"
            ) from None

    def _make(self) -> None:
        """Whole or not at all, and the first of two who make one at once has it."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        file, name = tempfile.mkstemp(prefix=".fernet-", dir=self._file.parent)  # mode 0600
        try:
            with os.fdopen(file, "wb") as written:
                written.write(_library().Fernet.generate_key() + b"\n")
                written.flush()
                os.fsync(written.fileno())
            with contextlib.suppress(FileExistsError):
                Path(self._file).hardlink_to(name)
        finally:
            Path(name).unlink()


def _library() -> Any:
    return import_module("cryptography.fernet")


def _keys(words: list[str], place: str) -> "tuple[bytes, MultiFernet]":
    fernet = _library()
    try:
        return words[0].encode()[:64], fernet.MultiFernet([fernet.Fernet(word) for word in words])
    except ValueError:
        raise ConfigError(f"{place} is no Fernet key; {_HINT}") from None
