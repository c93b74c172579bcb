"""The page's shortest path in a real browser: drop, see, paint, download; and nobody else is asked for anything."""

from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from faststyle.scripts.faststyle import main
from tests.scripts.web.served import browser, colorful_photo, drop_photo, open_page, paint_and_download, served


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def page_server(tmp_path_factory, chromium):
    with served(tmp_path_factory.mktemp("web")) as running:
        yield running


def test_a_dropped_photo_is_painted_as_the_command_paints_it_and_no_other_host_is_asked(
    chromium, page_server, tmp_path
):
    photo = colorful_photo(tmp_path / "holiday.png")
    asked = []
    page = open_page(chromium, page_server.url, on_request=lambda request: asked.append(request.url))
    drop_photo(page, photo)
    page.locator("label", has_text="PNG").click()
    painted = paint_and_download(page, tmp_path / "painted.png")
    command = ["stylize", "starry_night", str(photo), "--output", str(tmp_path / "by_command.png")]
    assert main(command) == 0
    with Image.open(painted) as result, Image.open(photo) as original:
        assert result.size == original.size
        assert np.abs(np.asarray(result, int) - np.asarray(original, int)).mean() > 10
    assert painted.read_bytes() == (tmp_path / "by_command.png").read_bytes()
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(page_server.url).netloc}
