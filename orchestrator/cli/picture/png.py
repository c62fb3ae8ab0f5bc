"""SVG as PNG, by a library that is there only where somebody wants that."""

import re
from importlib import import_module

from orchestrator.exceptions import UsageError

_LIBRARY = "resvg_py"
_ZOOM = 2  # for screens with fine dots, and for prints
_SIZE = re.compile(r'<svg [^>]*?width="(?P<width>\d+)" height="(?P<height>\d+)"')
_MOST = 16_000  # pixels on a side; above that few programs show a PNG


def png(picture: str) -> bytes:
    """The bytes of a PNG; UsageError where the library is missing, or it would be too large."""
    width, height = _size(picture)
    if max(width, height) > _MOST:
        raise UsageError(f"this graph is {width} x {height} pixels large, too much for a PNG; save it as .svg")
    try:
        library = import_module(_LIBRARY)
    except ImportError:
        raise UsageError(
            "a PNG needs the library resvg-py: pip install 'orchestrator[pictures]', or save it as .svg"
        ) from None
    zoom = _ZOOM if max(width, height) * _ZOOM <= _MOST else 1
    return bytes(library.svg_to_bytes(svg_string=picture, zoom=zoom, sans_serif_family="DejaVu Sans"))


def _size(picture: str) -> tuple[int, int]:
    """What the picture says of itself."""
    found = _SIZE.search(picture)
    assert found is not None
    return int(found["width"]), int(found["height"])
