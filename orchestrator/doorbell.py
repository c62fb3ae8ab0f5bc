"""The doorbell: a named pipe in the home folder by which other processes wake the scheduler."""

import contextlib
import os
import select
from collections.abc import Sequence
from pathlib import Path

from orchestrator.exceptions import ConfigError

_RING = b"\n"


def ring(path: Path) -> bool:
    """Wake the scheduler that listens at ``path``; False where none does, or where it is another user's.

    It then looks by itself before long, so this is no error.
    """
    try:
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        os.write(pipe, _RING)
    except BlockingIOError:
        pass  # full of rings already: it will wake
    except BrokenPipeError:
        return False  # it died just now
    finally:
        os.close(pipe)
    return True


def _make_pipe(path: Path) -> None:
    """Also in place of a plain file, which a copied home may hold: that would always seem to ring."""
    if path.is_file():
        path.unlink()
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)


class PipeDoorbell:
    """Hears ``ring``; sleeps on it together with the executor's files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            _make_pipe(path)
            # Read and write: with a writer of our own the pipe never reports end-of-file.
            self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            raise ConfigError(
                f"the doorbell {path} cannot be made ({error.strerror}); put the home on a local, writable disk"
            ) from error

    def wait(self, files: Sequence[int], timeout: float | None) -> bool:
        """Sleep until a file is readable, somebody rings, or ``timeout`` seconds have passed; True if rung."""
        watch = select.poll()
        watch.register(self._pipe, select.POLLIN)
        for file in files:
            watch.register(file, select.POLLIN)
        ready = watch.poll(None if timeout is None else max(0, timeout) * 1000)
        if not any(file == self._pipe for file, _ in ready):
            return False
        with contextlib.suppress(BlockingIOError):
            while os.read(self._pipe, 4096):
                pass
        return True

    def close(self) -> None:
        os.close(self._pipe)
