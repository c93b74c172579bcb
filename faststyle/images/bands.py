"""Bands of rows: work in float32 on a photo of 100 megapixels without holding all of it in float32."""

from collections.abc import Iterator

_BAND_PIXELS = 1 << 20


def bands(height: int, width: int) -> Iterator[slice]:
    """Slices of rows that cover an image from top to bottom, each of about a megapixel and at least one row."""
    rows = max(1, _BAND_PIXELS // max(1, width))
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))
