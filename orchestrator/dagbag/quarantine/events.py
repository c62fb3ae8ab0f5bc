"""What Python's audit events mean: a table from their names to kinds of effects and their words.

Each description is given the event's arguments and what is free to be written; None: it does no harm.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from orchestrator.dagbag.quarantine.effects import Kind

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_LONGEST = 400  # with the folder of the code, which is taken off when the sentence is made


class Free(Protocol):
    """Whether a path may be written: absolute, or relative to the working folder or an open one."""

    def __call__(self, path: Any, folder: int = -1) -> bool: ...


Describe: TypeAlias = Callable[[tuple[Any, ...], Free], str | None]


def is_write(arguments: tuple[Any, ...]) -> bool:
    """Whether an ``open`` event is of a file that is opened to be written."""
    return bool(arguments[2] & _WRITES)


# ── network ──────────────────────────────────────────────────────────────────────────────────────────────


def _address(address: Any) -> str:
    if isinstance(address, tuple) and len(address) > 1:
        host = _text(address[0]) or "this host"
        return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"
    return _text(address)


def _peer(verb: str) -> Describe:
    return lambda arguments, _: f"{verb} {_address(arguments[1])}"


def _lookup(arguments: tuple[Any, ...], _: Free) -> str:
    host, port, *_rest = arguments
    return f"connects to {_address((host, _text(port)))}" if port else f"looks up the address of {_text(host)}"


def _send(arguments: tuple[Any, ...], _: Free) -> str | None:
    """A datagram; what goes over a connection has no address of its own."""
    return f"sends to {_address(arguments[1])}" if arguments[1] else None


def _client(arguments: tuple[Any, ...], _: Free) -> str:
    _self, host, port, *_rest = arguments
    return f"connects to {_address((host, port))}" if port else f"connects to {_text(host)}"


def _url(arguments: tuple[Any, ...], _: Free) -> str | None:
    """Without the user, the password and what is asked for: they may be secrets."""
    try:
        url = urlsplit(_text(arguments[0]))
    except ValueError:
        return None  # it is no URL, and its author is told so
    if url.scheme in ("file", "data", ""):
        return None
    return f"opens {url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────


def _program(arguments: tuple[Any, ...], _: Free) -> str:
    """Without its arguments, which may be secrets."""
    return f"starts the program {_text(arguments[0])}"


def _started(arguments: tuple[Any, ...], free: Free) -> str:
    """A program, or what a shell is started for."""
    _executable, words, *_rest = arguments
    if isinstance(words, list) and words[:2] == ["/bin/sh", "-c"] and len(words) > 2:
        return _command((words[2],), free)
    return _program(arguments, free)


def _command(arguments: tuple[Any, ...], _: Free) -> str:
    return f"runs the command {_text(arguments[0]).strip().partition(' ')[0]}"


def _kill(arguments: tuple[Any, ...], _: Free) -> str | None:
    """A process that ends itself is seen by whoever started it."""
    return None if arguments[0] == os.getpid() else f"sends a signal to the process {arguments[0]}"


def says(words: str) -> Describe:
    """A description that is the same each time."""
    return lambda _arguments, _free: words


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────


def _on_path(verb: str, folder_at: int | None = None, path_at: int = 0) -> Describe:
    """``folder_at``: which argument is the open folder that the path is relative to."""

    def describe(arguments: tuple[Any, ...], is_free: Free) -> str | None:
        folder = -1 if folder_at is None else arguments[folder_at]
        path = arguments[path_at]
        return None if is_free(path, folder) else f"{verb} {_text(path)}"

    return describe


def _opened(arguments: tuple[Any, ...], is_free: Free) -> str | None:
    return None if is_free(arguments[0]) else f"writes the file {_text(arguments[0])}"


def _made(arguments: tuple[Any, ...], is_free: Free) -> str | None:
    """To make a folder that is there changes nothing: ``exist_ok`` comes to no more than that."""
    path, _, folder = arguments
    if is_free(path, folder) or (folder == -1 and Path(os.fsdecode(path)).is_dir()):
        return None
    return f"makes the folder {_text(path)}"


def _moved(verb: str) -> Describe:
    def describe(arguments: tuple[Any, ...], is_free: Free) -> str | None:
        source, target, *folders = arguments
        from_folder, to_folder = folders or (-1, -1)
        if is_free(source, from_folder) and is_free(target, to_folder):
            return None
        return f"{verb} {_text(source)} to {_text(target)}"

    return describe


def _copied(verb: str) -> Describe:
    return lambda arguments, is_free: (
        None if is_free(arguments[1]) else f"{verb} {_text(arguments[0])} to {_text(arguments[1])}"
    )


def _linked(arguments: tuple[Any, ...], is_free: Free) -> str | None:
    return None if is_free(arguments[1], arguments[-1]) else f"makes the link {_text(arguments[1])}"


def _removed_tree(arguments: tuple[Any, ...], is_free: Free) -> str | None:
    path, folder = arguments
    return None if is_free(path, -1 if folder is None else folder) else f"deletes the folder {_text(path)}"


def _database(arguments: tuple[Any, ...], is_free: Free) -> str | None:
    name = _text(arguments[0])
    path = name.removeprefix("file:").partition("?")[0]
    if path in ("", ":memory:") or "mode=memory" in name or "mode=ro" in name or is_free(path):
        return None
    return f"opens the SQLite database {path}"


def _library(arguments: tuple[Any, ...], _: Free) -> str:
    return f"loads the C library {_text(arguments[0])}" if arguments[0] else "loads the C library of Python itself"


def _text(value: Any) -> str:
    """On one line, whatever it is."""
    text = os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else str(value)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_SHUTIL = {
    "shutil.copyfile": _copied("copies"),
    "shutil.copymode": _copied("copies the mode of"),
    "shutil.copystat": _copied("copies the mode of"),
    "shutil.copytree": _copied("copies"),
    "shutil.move": _moved("moves"),
    "shutil.rmtree": _removed_tree,
    "shutil.make_archive": _on_path("makes the archive"),
    "shutil.unpack_archive": _on_path("unpacks an archive into", path_at=1),
    "shutil.chown": _on_path("changes the owner of"),
}

_FILES: dict[str, Describe] = {
    "open": _opened,
    "os.mkdir": _made,
    "os.rmdir": _on_path("deletes the folder", folder_at=1),
    "os.remove": _on_path("deletes the file", folder_at=1),
    "os.rename": _moved("moves"),
    "os.link": _linked,
    "os.symlink": _linked,
    "os.chmod": _on_path("changes the mode of", folder_at=2),
    "os.chown": _on_path("changes the owner of", folder_at=3),
    "os.chflags": _on_path("changes the flags of"),
    "os.truncate": _on_path("cuts off the file"),
    "os.utime": _on_path("changes the times of", folder_at=3),
    "os.setxattr": _on_path("changes the attributes of"),
    "os.removexattr": _on_path("changes the attributes of"),
    "sqlite3.connect": _database,
    "syslog.syslog": says("writes to the system's log"),
    **_SHUTIL,
}

_NETWORK: dict[str, Describe] = {
    "socket.connect": _peer("connects to"),
    "socket.bind": _peer("listens at"),
    "socket.sendto": _send,
    "socket.sendmsg": _send,
    "socket.getaddrinfo": _lookup,
    "socket.gethostbyname": lambda arguments, _: f"looks up the address of {_text(arguments[0])}",
    "socket.gethostbyaddr": lambda arguments, _: f"looks up the name of {_text(arguments[0])}",
    "socket.getnameinfo": lambda arguments, _: f"looks up the name of {_address(arguments[0])}",
    "socket.sethostname": says("changes the name of this host"),
    "urllib.Request": _url,
    "http.client.connect": _client,
    "ftplib.connect": _client,
    "imaplib.open": _client,
    "nntplib.connect": _client,
    "poplib.connect": _client,
    "smtplib.connect": _client,
    "telnetlib.Telnet.open": _client,
    "webbrowser.open": says("opens a web browser"),
}

_PROCESSES: dict[str, Describe] = {
    "subprocess.Popen": _started,
    "os.system": _command,
    "os.exec": _program,
    "os.posix_spawn": _program,
    "pty.spawn": lambda arguments, _: f"starts the program {_text(arguments[0][0])}",
    "os.fork": says("starts a process"),
    "os.forkpty": says("starts a process"),
    "os.kill": _kill,
    "os.killpg": lambda arguments, _: f"sends a signal to the processes of the group {arguments[0]}",
}

_THREADS: dict[str, Describe] = {
    "_thread.start_new_thread": says("starts a thread"),
    "_thread.start_joinable_thread": says("starts a thread"),
}

EVENTS: dict[str, tuple[Kind, Describe]] = {
    event: (kind, describe)
    for kind, table in (
        (Kind.NETWORK, _NETWORK),
        (Kind.PROCESS, _PROCESSES),
        (Kind.THREAD, _THREADS),
        (Kind.FILE, _FILES),
        (Kind.LIBRARY, {"ctypes.dlopen": _library}),
    )
    for event, describe in table.items()
}
