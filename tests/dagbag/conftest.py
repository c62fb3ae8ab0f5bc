import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.dagbag.folders import DagsFolder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[DagsFolder]:
    made = DagsFolder(tmp_path)
    yield made
    made.close()


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Waits for a condition; a failure of the test once ``seconds`` have passed."""

    def wait(condition: Callable[[], object], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        pause = threading.Event()
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            pause.wait(0.01)

    return wait
