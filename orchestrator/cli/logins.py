"""Logins: the servers that this user's commands may work with, and the tokens that let them in.

They are in a file of the user's own configuration that nobody else can read.
"""

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from orchestrator.exceptions import ConfigError, UsageError
from orchestrator.nearest import did_you_mean

_FILE = "servers.json"
_FOR_OTHERS = 0o077


class Login(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A server, under the name that its user gave it. ``ca`` is a file of certificates to trust."""

    name: str
    url: str
    token: str
    ca: str | None = None

    def __repr__(self) -> str:
        return f"Login({self.name!r}, {self.url!r})"


class Logins(msgspec.Struct, frozen=True, kw_only=True):
    """All of them; ``last`` is the name of the newest."""

    servers: tuple[Login, ...] = ()
    last: str = ""

    def named(self, text: str) -> Login | None:
        """The one of that name or URL."""
        wanted = text.rstrip("/")
        return next((one for one in self.servers if wanted in (one.name, one.url, urlsplit(one.url).netloc)), None)

    def default(self) -> Login | None:
        """What commands work with that name no server, on a machine without a home."""
        return self.named(self.last) if self.last else None

    def including(self, login: Login) -> "Logins":
        others = (one for one in self.servers if one.name != login.name)
        return Logins(servers=(*others, login), last=login.name)

    def without(self, login: Login) -> "Logins":
        left = tuple(one for one in self.servers if one != login)
        return Logins(servers=left, last=self.last if self.last != login.name else "")


def logins_file() -> Path:
    return Path(click.get_app_dir("orchestrator")) / _FILE


def read_logins() -> Logins:
    """ConfigError where the file is not the user's own, or no such file."""
    file = logins_file()
    try:
        if file.stat().st_mode & _FOR_OTHERS:
            raise ConfigError(f"{file} holds tokens, and others can read it; run: chmod 600 {file}")
        return msgspec.json.decode(file.read_bytes(), type=Logins)
    except FileNotFoundError:
        return Logins()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ConfigError(f"{file} cannot be understood; delete it, and log in again") from None


def write_logins(found: Logins) -> None:
    """All at once, for the user's eyes only."""
    file = logins_file()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as written:  # its mode is 600
            written.write(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
        Path(written.name).replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from None


def require_login(text: str) -> Login:
    """UsageError where nobody has logged in there."""
    known = read_logins()
    found = known.named(text)
    if found is None:
        near = did_you_mean(text, [one.name for one in known.servers])
        raise UsageError(f"there is no login of the name or URL {text!r}{near}; `orchestrator logins` lists them")
    return found
