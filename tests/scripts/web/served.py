"""The page served by a process of its own, and a browser that looks at it."""

import contextlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium")
_FLAGS = shlex.split(
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"
)
_SERVE = """
import sys
from pathlib import Path
from faststyle.scripts.web.command import LOOPBACK, listening_socket
from faststyle.scripts.web.server import serve

models, options = sys.argv[2].split(), sys.argv[3].split()
serve(listening_socket(LOOPBACK, 0), models=[Path(m) for m in models], runs=Path(sys.argv[1]), train_options=options)
"""
PATIENCE_MS = 120_000


class Served(NamedTuple):
    """Where the page is, which process serves it, and what that wrote."""

    url: str
    process: subprocess.Popen
    log: Path


@contextlib.contextmanager
def served(folder: Path, *, models: str = "", options: str = "") -> Iterator[Served]:
    """Serves the page until the block ends, with `folder / "runs"` as the folder of runs; skips without Gradio."""
    pytest.importorskip("gradio", reason="Gradio is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    with log.open("w") as file:
        command = [sys.executable, "-c", _SERVE, str(folder / "runs"), models, options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True, cwd=folder)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, log.read_text()
        yield Served(found[0], process, log)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


@contextlib.contextmanager
def browser():
    """Chromium without a window; skips where it or Playwright is not installed."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


def open_page(chromium, url: str, *, on_request=lambda request: None, **options):
    """A page of a browser of its own, once it is built."""
    page = chromium.new_context(accept_downloads=True, **options).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("request", on_request)
    page.goto(url)
    page.wait_for_selector("#view")
    return page


def drop_photo(page, path: Path) -> None:
    """Drops a photo in the first section and waits for its painting."""
    page.set_input_files("#photo input[type=file]", str(path))
    page.wait_for_selector("#view img.after[src^=data]")


def paint_and_download(page, target: Path) -> Path:
    """Presses the button, waits, and downloads."""
    page.click("#paint")
    page.wait_for_selector("#download:visible")
    with page.expect_download() as download:
        page.click("#download")
    download.value.save_as(target)
    return target


def slide(page, selector: str, value: float) -> None:
    """Moves a slider to a value as a hand would: it follows, and is let go."""
    move = """(slider, value) => {
      slider.value = value;
      for (const name of ['input', 'change', 'pointerup']) slider.dispatchEvent(new Event(name, {bubbles: true}));
    }"""
    page.locator(f"{selector} input[type=range]").evaluate(move, value)


def colorful_photo(path: Path, *, size: tuple[int, int] = (320, 240), seed: int = 0, **saved) -> Path:
    """Writes a smooth random photo."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3)).astype("uint8")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path, **saved)
    return path
