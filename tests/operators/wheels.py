"""Wheels made by a test: small packages that pip and uv install without a network."""

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path


def make_wheel(folder: Path, name: str = "shelf", version: str = "1.0", source: str = "") -> Path:
    """A package of one module, whose VERSION is its version."""
    module = source or f"VERSION = {version!r}\n"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in {**files, f"{info}/RECORD": _record(files, info)}.items():
            wheel.writestr(file, text)
    return path


def _record(files: Mapping[str, str], info: str) -> str:
    def line(name: str, text: str) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        return f"{name},sha256={digest},{len(text.encode())}"

    return "\n".join([*(line(name, text) for name, text in files.items()), f"{info}/RECORD,,", ""])
