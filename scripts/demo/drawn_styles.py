"""Style images drawn by our own code, from brush strokes to cut paper. Seeded, no files needed."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from faststyle.images.files import write_image

_SUPERSAMPLING = 2


def brush_strokes(size_px: int = 512, *, seed: int = 0) -> np.ndarray:
    """Long curved strokes along a swirling flow, in night blues with cream and ochre lights.

    Returns:
        `[size_px, size_px, 3]` uint8.
    """
    random = np.random.default_rng(seed)
    size = size_px * _SUPERSAMPLING
    angle = _flow_angles(size, random, scale=0.16)
    light = _smooth_noise(size, random, scale=0.09)
    palette = [
        (16, 24, 66),
        (28, 52, 120),
        (52, 92, 168),
        (104, 150, 196),
        (176, 196, 176),
        (240, 214, 120),
        (232, 158, 40),
    ]
    image = Image.new("RGB", (size, size), (20, 28, 70))
    draw = ImageDraw.Draw(image)
    for length, width, count in ((0.13, 0.016, 2600), (0.09, 0.010, 5200), (0.06, 0.006, 5200)):
        for x, y in random.uniform(-0.05 * size, 1.05 * size, (count, 2)):
            row, column = (int(np.clip(value, 0, size - 1)) for value in (y, x))
            tone = _ramp(palette, light[row, column] + random.normal(0, 0.07))
            path = _follow(angle, x, y, length=length * size * random.uniform(0.6, 1.2))
            _paint_stroke(draw, path, width=width * size * random.uniform(0.6, 1.3), color=tone, random=random)
    return _finish(image, size_px)


def stained_glass(size_px: int = 512, *, seed: int = 0) -> np.ndarray:
    """Panes of saturated glass between dark lead lines, each pane with its own glow.

    Returns:
        `[size_px, size_px, 3]` uint8.
    """
    random = np.random.default_rng(seed)
    size = size_px * _SUPERSAMPLING
    unit = size / 1024
    centers = random.uniform(-0.05, 1.05, (170, 2)) * size
    warp = [48 * unit * (_smooth_noise(size, random, scale=0.07) - 0.5) for _ in range(2)]
    y, x = np.mgrid[0:size, 0:size].astype("float64")
    distance, pane = cKDTree(centers).query(np.stack([y + warp[0], x + warp[1]], axis=-1), k=2)
    palette = np.array(
        [
            (172, 24, 36),
            (214, 92, 24),
            (240, 184, 44),
            (32, 118, 74),
            (22, 66, 150),
            (72, 158, 200),
            (104, 44, 128),
            (236, 226, 196),
        ],
        "float64",
    )
    color = palette[random.integers(len(palette), size=len(centers))][pane[..., 0]]
    glow = 1.15 - 0.5 * (distance[..., 0] / (0.06 * size)) ** 1.5
    streaks = gaussian_filter(random.normal(size=(size, size)), (3 * unit, 18 * unit))
    glass = color * np.clip(glow + 4.0 * unit * streaks, 0.35, 1.35)[..., None]
    lead = np.clip((distance[..., 1] - distance[..., 0]) / (6.4 * unit) - 0.8, 0, 1)[..., None]
    picture = glass * lead + np.array((22, 20, 24)) * (1 - lead)
    return _finish(Image.fromarray(np.clip(picture, 0, 255).astype("uint8")), size_px)


def woodcut(size_px: int = 512, *, seed: int = 0) -> np.ndarray:
    """Carved lines that follow the form, thick in shadow and thin in light, over two flat printed colors.

    Returns:
        `[size_px, size_px, 3]` uint8.
    """
    random = np.random.default_rng(seed)
    size = size_px * _SUPERSAMPLING
    height = _smooth_noise(size, random, scale=0.10)
    tone = _smooth_noise(size, random, scale=0.055)
    y, x = np.mgrid[0:size, 0:size] / size
    phase = 2 * np.pi * (38 * (y + 0.25 * x) + 9.0 * height)
    wobble = 0.35 * _smooth_noise(size, random, scale=0.008)
    ink = np.sin(phase) * 0.5 + 0.5 + wobble - 0.18 < 1.15 * (1.0 - tone)
    ink |= tone < 0.16
    paper = np.where((height > 0.52)[..., None], np.array((236, 222, 190)), np.array((196, 84, 52)))
    paper = np.where(((height <= 0.52) & (tone > 0.62))[..., None], np.array((226, 170, 84)), paper)
    picture = np.where(ink[..., None], np.array((30, 26, 34)), paper)
    return _finish(Image.fromarray(picture.astype("uint8")), size_px)


def mosaic(size_px: int = 512, *, seed: int = 0) -> np.ndarray:
    """Small stones of turquoise, lapis, gold and terracotta in pale grout, laid in rows that follow the form.

    Returns:
        `[size_px, size_px, 3]` uint8.
    """
    random = np.random.default_rng(seed)
    size = size_px * _SUPERSAMPLING
    form = _smooth_noise(size, random, scale=0.13)
    y, x = np.mgrid[0:size, 0:size] / size
    across = 34 * (y + 0.45 * form)  # rows of stones
    along = 34 * (x - 0.30 * form) + 0.5 * (np.floor(across) % 2)
    row, column = np.floor(across).astype(int), np.floor(along).astype(int)
    stone = random.permutation(4096)[(row * 67 + column * 131) % 4096]
    jitter = random.normal(size=4096)[stone]
    edge = np.minimum.reduce([across % 1, 1 - across % 1, along % 1, 1 - along % 1])
    tone = np.clip(_smooth_noise(size, random, scale=0.12) + 0.10 * jitter, 0, 1)
    palette = np.array(
        [(28, 48, 110), (30, 104, 140), (64, 168, 164), (236, 214, 160), (222, 166, 60), (186, 84, 48)], "float64"
    )
    color = palette[np.minimum((tone * len(palette)).astype(int), len(palette) - 1)] * (1 + 0.09 * jitter)[..., None]
    bevel = np.clip(edge / 0.22, 0.55, 1.0)[..., None]
    grout = np.clip((edge - 0.05) / 0.04, 0, 1)[..., None]
    picture = color * bevel * grout + np.array((214, 206, 190)) * (1 - grout)
    return _finish(Image.fromarray(np.clip(picture, 0, 255).astype("uint8")), size_px)


def cut_paper(size_px: int = 512, *, seed: int = 0) -> np.ndarray:
    """Sheets of bright paper with cut edges, laid over each other, each with its shadow on the one below.

    Returns:
        `[size_px, size_px, 3]` uint8.
    """
    random = np.random.default_rng(seed)
    size = size_px * _SUPERSAMPLING
    unit = size / 1024
    palette = [
        (244, 232, 208),
        (236, 186, 48),
        (226, 84, 52),
        (188, 34, 84),
        (28, 132, 138),
        (22, 50, 104),
        (14, 18, 40),
    ]
    picture = np.broadcast_to(np.array(palette[0], "float64"), (size, size, 3)).copy()
    for index in range(1, 3 * len(palette)):
        color = np.array(palette[index % len(palette)], "float64") * random.uniform(0.9, 1.08)
        sheet = _smooth_noise(size, random, scale=random.uniform(0.07, 0.13)) > random.uniform(0.6, 0.72)
        fallen = np.roll(sheet, (round(10 * unit), round(8 * unit)), axis=(0, 1))
        shadow = gaussian_filter(fallen.astype("float32"), 7 * unit)[..., None]
        grain = 1 + 0.03 * gaussian_filter(random.normal(size=(size, size)), 1.2 * unit)[..., None]
        picture = np.where(sheet[..., None], color * grain, picture * (1 - 0.55 * shadow))
    return _finish(Image.fromarray(np.clip(picture, 0, 255).astype("uint8")), size_px)


def ink_and_wash(size_px: int = 512, *, seed: int = 0) -> np.ndarray:
    """Thick and thin black contours with crossed hatching in the shadows, over flat washes of a few colors.

    Returns:
        `[size_px, size_px, 3]` uint8.
    """
    random = np.random.default_rng(seed)
    size = size_px * _SUPERSAMPLING
    form, tone, wash = (_smooth_noise(size, random, scale=scale) for scale in (0.10, 0.07, 0.12))
    palette = np.array([(246, 240, 226), (248, 206, 92), (232, 96, 64), (72, 156, 176), (246, 240, 226)], "float64")
    picture = palette[np.minimum((wash * len(palette)).astype(int), len(palette) - 1)]
    y, x = np.mgrid[0:size, 0:size] / size
    ink = np.zeros((size, size), bool)
    for darkness, turn in ((0.44, 0.8), (0.3, -0.7), (0.18, 0.05)):
        along = np.cos(turn) * y + np.sin(turn) * x + 0.05 * form
        stroke = np.abs((52 * along) % 1 - 0.5) < 0.11 + 0.3 * np.clip(darkness - tone, 0, 0.5)
        ink |= stroke & (tone < darkness)
    for level in np.linspace(0.2, 0.8, 5):
        slope = np.hypot(*np.gradient(form)) + 1e-9
        ink |= np.abs(form - level) / slope < (0.002 + 0.005 * tone) * size
    picture = np.where(ink[..., None], np.array((18, 16, 22)), picture)
    return _finish(Image.fromarray(picture.astype("uint8")), size_px)


def fan_waves(size_px: int = 512, *, seed: int = 0) -> np.ndarray:
    """Overlapping fans of concentric bands, in black, gold, ivory and teal, as in prints of waves and of Art Deco.

    Returns:
        `[size_px, size_px, 3]` uint8.
    """
    random = np.random.default_rng(seed)
    size = size_px * _SUPERSAMPLING
    y, x = np.mgrid[0:size, 0:size].astype("float64")
    bend = 0.05 * size * (np.stack([_smooth_noise(size, random, scale=0.2) for _ in range(2)]) - 0.5)
    y, x = y + bend[0], x + bend[1]
    radius, bands = size / 6.5, 6
    palette = np.array([(16, 20, 30), (222, 168, 62), (20, 92, 104), (242, 230, 202), (178, 48, 44)], "float64")
    picture = np.empty((size, size, 3))
    for row, top in enumerate(np.arange(-radius, size + 2 * radius, radius / 2)):
        for left in np.arange(-2 * radius, size + 2 * radius, 2 * radius) + (row % 2) * radius:
            distance = np.hypot(x - left, y - top - radius) / radius
            inside = distance < 1
            colors = palette[random.permutation(len(palette))[np.arange(bands) % 3]]
            colors[bands - 1] = palette[0]
            picture[inside] = colors[np.minimum((distance[inside] * bands).astype(int), bands - 1)]
    grain = 1 + 0.05 * gaussian_filter(random.normal(size=(size, size)), 2)[..., None]
    return _finish(Image.fromarray(np.clip(picture * grain, 0, 255).astype("uint8")), size_px)


DRAWN_STYLES = {
    "brush_strokes": brush_strokes,
    "stained_glass": stained_glass,
    "woodcut": woodcut,
    "mosaic": mosaic,
    "cut_paper": cut_paper,
    "ink_and_wash": ink_and_wash,
    "fan_waves": fan_waves,
}


def write_drawn_styles(folder: Path) -> list[Path]:
    """Draws every style into `folder`, where it is not there yet; the files in the order of `DRAWN_STYLES`."""
    paths = {folder / f"{name}.png": draw for name, draw in DRAWN_STYLES.items()}
    for path, draw in paths.items():
        if not path.exists():
            write_image(path, draw())
    return list(paths)


def _smooth_noise(size: int, random: np.random.Generator, *, scale: float) -> np.ndarray:
    """Smooth noise `[size, size]` spread evenly over 0..1; `scale` is its grain as a share of the side."""
    coarse = max(8, round(4 / scale))
    small = random.normal(size=(coarse, coarse))
    smooth = gaussian_filter(small, scale * coarse, mode="wrap")
    large = np.asarray(
        Image.fromarray(smooth.astype("float32")).resize((size, size), Image.Resampling.BICUBIC), "float64"
    )
    spread = (large - large.mean()) / (large.std() + 1e-12)
    return np.clip(0.5 + spread / 4.0, 0.0, 1.0)


def _flow_angles(size: int, random: np.random.Generator, *, scale: float) -> np.ndarray:
    """Directions along the level lines of smooth noise, so that strokes swirl around its hills: radians."""
    hills = _smooth_noise(size, random, scale=scale)
    down, across = np.gradient(gaussian_filter(hills, size * 0.01))
    return np.arctan2(-across, down)


def _follow(angle: np.ndarray, x: float, y: float, *, length: float) -> list[tuple[float, float]]:
    """A path of `length` px along the directions, from (x, y)."""
    steps, size, path = 10, angle.shape[0], [(x, y)]
    for _ in range(steps):
        direction = angle[min(max(int(y), 0), size - 1), min(max(int(x), 0), size - 1)]
        x, y = x + length / steps * np.cos(direction), y + length / steps * np.sin(direction)
        path.append((x, y))
    return path


def _paint_stroke(draw: ImageDraw.ImageDraw, path, *, width: float, color, random: np.random.Generator) -> None:
    """A stroke of several bristles side by side, each a little lighter or darker."""
    bristles = 4
    (x0, y0), (x1, y1) = path[0], path[-1]
    span = np.hypot(x1 - x0, y1 - y0) + 1e-9
    across = np.array([-(y1 - y0), x1 - x0]) / span
    for index in range(bristles):
        offset = across * width * ((index + 0.5) / bristles - 0.5)
        shade = random.normal(0, 11) + 14 * (index / (bristles - 1) - 0.5)
        tone = tuple(min(max(int(channel + shade), 0), 255) for channel in color)
        shifted = [(x + offset[0], y + offset[1]) for x, y in path]
        draw.line(shifted, fill=tone, width=max(1, round(width / bristles * 1.35)), joint="curve")


def _ramp(palette: list[tuple[int, int, int]], position: float) -> tuple[float, ...]:
    place = float(np.clip(position, 0, 1)) * (len(palette) - 1)
    low = min(int(place), len(palette) - 2)
    share = place - low
    return tuple((1 - share) * a + share * b for a, b in zip(palette[low], palette[low + 1], strict=True))


def _finish(image: Image.Image, size_px: int) -> np.ndarray:
    return np.asarray(image.resize((size_px, size_px), Image.Resampling.LANCZOS))
