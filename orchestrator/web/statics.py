"""Statics: the files that pages load, under an address that changes with them, so that browsers keep them for good."""

import gzip
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

KEPT_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
_FOLDER = "static"
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}


class StaticFile(msgspec.Struct, frozen=True):
    """What is sent: as it is, and packed for those who take it."""

    content: bytes
    packed: bytes
    media_type: str


class Statics:
    """All of them. They share one address, by the hash of all, so that modules find each other by relative names."""

    def __init__(self) -> None:
        self._files = {name: _read(file) for name, file in _walk(files("orchestrator.web").joinpath(_FOLDER), "")}
        self.address = f"/{_FOLDER}/{_hash(self._files)}"

    def url(self, name: str) -> str:
        """Where a browser loads it; KeyError where there is none of that name."""
        self._files[name]
        return f"{self.address}/{name}"

    def answer(self, request: Request, version: str, name: str) -> Response:
        found = self._files.get(name)
        if found is None:
            raise HTTPException(404, f"there is no file {name[:100]!r}")
        headers = {"Vary": "Accept-Encoding"}
        if self.address.endswith(version):
            headers |= KEPT_FOR_GOOD
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(found.content, headers=headers, media_type=found.media_type)
        return Response(found.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.media_type)

    def router(self) -> APIRouter:
        router = APIRouter()
        router.add_api_route(f"/{_FOLDER}/{{version}}/{{name:path}}", self.answer, methods=["GET", "HEAD"])
        return router


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            found.append((prefix + entry.name, entry))
    return found


def _read(file: Traversable) -> StaticFile:
    content = file.read_bytes()
    return StaticFile(content, gzip.compress(content, mtime=0), _TYPES[file.name.rpartition(".")[2]])


def _hash(found: Mapping[str, StaticFile]) -> str:
    digest = hashlib.sha256()
    for name, file in found.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.content).digest())
    return digest.hexdigest()[:16]
