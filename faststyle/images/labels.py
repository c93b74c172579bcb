"""Words on contact sheets: a picture with lines of text below it, or a cell of text alone."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

TEXT_PX = 13
_LINE_SPACING = 1.3
_MARGIN_PX = 4


def captioned(picture: np.ndarray, lines: Sequence[str], *, text_px: int = TEXT_PX) -> np.ndarray:
    """A picture with lines of text centered below it; the cell is as wide as the wider of both.

    Args:
        picture: `[height, width, 3]` uint8.
        lines: of text.
        text_px: height of the letters' em square.

    Returns:
        `[cell_height, cell_width, 3]` uint8 on white.
    """
    caption = text_cell(lines, text_px=text_px)
    width = max(picture.shape[1], caption.shape[1])
    cell = np.full((picture.shape[0] + caption.shape[0], width, 3), 255, "uint8")
    for part, top in ((picture, 0), (caption, picture.shape[0])):
        left = (width - part.shape[1]) // 2
        cell[top : top + part.shape[0], left : left + part.shape[1]] = part
    return cell


def text_cell(lines: Sequence[str], *, text_px: int = TEXT_PX) -> np.ndarray:
    """Lines of black text on white, centered: `[height, width, 3]` uint8, just large enough.

    Accents are left out: Pillow's own font has none.
    """
    lines = [unicodedata.normalize("NFKD", line) for line in lines]
    lines = ["".join(letter for letter in line if not unicodedata.combining(letter)) for line in lines]
    font = ImageFont.load_default(text_px)
    line_px = round(text_px * _LINE_SPACING)
    width = max((int(np.ceil(font.getlength(line))) for line in lines), default=0) + 2 * _MARGIN_PX
    image = Image.new("RGB", (width, line_px * len(lines) + 2 * _MARGIN_PX), "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((width / 2, _MARGIN_PX + (number + 0.5) * line_px), line, fill="black", font=font, anchor="mm")
    return np.asarray(image)
