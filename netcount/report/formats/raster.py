"""An SVG image as PNG or PDF, by cairosvg (the extra `picture`).  Imported only when one is wanted."""

from __future__ import annotations

import re

from netcount.core.errors import InputError

SCALE = 2
"""Pixels of a PNG for one of the picture: sharp on today's screens."""
MOST_PIXELS = 32_000
"""Cairo draws no image that is wider or taller."""
_MOST_IN_ALL = 120_000_000
"""Pixels in all; more would take gigabytes."""
_SIZE = re.compile(r' (?:width|height)="(\d+)"')


def raster(image: str, form: str) -> bytes:
    """The image in another format.

    Args:
        image: SVG.
        form: "png" or "pdf".

    Raises:
        InputError: The extra is not installed, or the picture is too large for it.
    """
    try:
        import cairosvg
    except (ImportError, OSError):  # OSError: the package is there, and the system's cairo is not
        raise InputError(
            f"{form} needs cairosvg, of the extra netcount[picture], and the library cairo; "
            "in a clone: python -m pip install '.[picture]'"
        ) from None
    made: bytes
    if form == "pdf":
        made = cairosvg.svg2pdf(bytestring=image.encode())
        return made
    width, height = map(int, _SIZE.findall(image)[:2])
    scale = min(SCALE, MOST_PIXELS / max(width, height), (_MOST_IN_ALL / (width * height)) ** 0.5)
    made = cairosvg.svg2png(bytestring=image.encode(), scale=scale)
    return made
