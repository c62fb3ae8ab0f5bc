"""What the processes of these tests run."""

import json
import multiprocessing
import os
import signal
import sys
import time


def answer(number: int) -> int:
    return number


def nothing() -> None:
    pass


def leave(status: int) -> None:
    sys.exit(status)


def fail() -> None:
    raise RuntimeError("on purpose")


def sleep() -> None:
    time.sleep(60)


def end_by(number: int) -> None:
    os.kill(os.getpid(), number)


def tell(words: list[str], file: int) -> None:
    """What a process sees of itself."""
    seen = {
        "words": words,
        "stdin": sys.stdin.read(),
        "environment": os.environ.get("COLOUR"),
        "session": os.getsid(0) == os.getpid(),
        "terminates": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        "parent": os.getppid(),
        "path": sys.path,
    }
    os.write(file, json.dumps(seen).encode())
    os.close(file)


def double(number: int) -> int:
    return 2 * number


def spread() -> int:
    """Have a process of multiprocessing's own do it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(double, [21])
