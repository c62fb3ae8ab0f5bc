"""Files that are on disk when a call returns, for processes that never see a database too: this needs no SQLAlchemy."""

import os
from pathlib import Path


def write_synced(path: Path, content: bytes) -> None:
    """Write a new file, its content on disk when this returns; its name is once its folder is synced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
