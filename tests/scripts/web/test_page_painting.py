"""The first section by real clicks and keys: every knob, broken files, two people at once, a phone."""

import re
import shutil

import numpy as np
import pytest
from PIL import Image, ImageCms

from faststyle.scripts.faststyle import main
from tests.scripts.web.served import (
    browser,
    colorful_photo,
    drop_photo,
    open_page,
    paint_and_download,
    served,
    slide,
)

_COPY_GREEN_PICTURE = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 120, height: 90});
  const pen = canvas.getContext('2d');
  pen.fillStyle = 'green';
  pen.fillRect(0, 0, 80, 90);
  const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
  await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]);
}"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture(scope="module")
def running(tmp_path_factory, chromium):
    with served(tmp_path_factory.mktemp("web")) as running:
        yield running


@pytest.fixture
def page(chromium, running):
    page = open_page(chromium, running.url)
    yield page
    page.context.close()


def shown(page) -> str:
    """The painting that is seen now, as its URL."""
    return page.get_attribute("#view img.after", "src")


def wait_for_another(page, before: str) -> str:
    page.wait_for_function("before => document.querySelector('#view img.after').src !== before", arg=before)
    return shown(page)


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), int)


def test_blend_strength_and_colors_are_those_of_the_command_and_exif_and_profile_stay(page, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = colorful_photo(tmp_path / "holiday.jpg", exif=exif, icc_profile=profile)
    drop_photo(page, photo)
    before = shown(page)
    page.click("#styles button[aria-label*='Scream'], #styles button:has-text('The Scream')")
    before = wait_for_another(page, before)
    page.click("#blend button")
    page.click("#second_styles button:has-text('Udnie')")
    before = wait_for_another(page, before)
    slide(page, "#share", 0.25)
    before = wait_for_another(page, before)
    slide(page, "#strength", 0.5)
    before = wait_for_another(page, before)
    page.locator("#colors label", has_text="the photo's own").click()
    wait_for_another(page, before)
    painted = paint_and_download(page, tmp_path / "painted.jpg")
    mix = "--mix the_scream=0.75,udnie=0.25 --strength 0.5 --preserve-colors luminance"
    command = ["stylize", "gallery", str(photo), *mix.split(), "--output", str(tmp_path / "by_command.jpg")]
    assert main(command) == 0
    assert painted.read_bytes() == (tmp_path / "by_command.jpg").read_bytes()
    assert " ".join(mix.split()[:2]) in page.inner_text("#done")
    with Image.open(painted) as result:
        assert result.getexif()[0x010F] == "A camera"
        assert result.info["icc_profile"] == profile


def test_a_drawn_mask_leaves_the_photo_outside_it(page, tmp_path):
    photo = colorful_photo(tmp_path / "holiday.png")
    drop_photo(page, photo)
    before = shown(page)
    page.click("#mask button")
    canvas = page.locator("#brush canvas")
    canvas.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#brush canvas').width === 320")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    page.mouse.up()
    wait_for_another(page, before)
    page.locator("label", has_text="PNG").click()
    difference = np.abs(pixels(paint_and_download(page, tmp_path / "painted.png")) - pixels(photo)).max(-1)
    assert difference[:, 200:].max() == 0
    assert difference[110:130, 40:90].mean() > 10


@pytest.mark.parametrize("content", [b"no picture at all", b"\x89PNG\r\n\x1a\n" + bytes(40)], ids=["text", "cut"])
def test_a_broken_upload_is_a_sentence_and_the_page_goes_on(page, running, tmp_path, content):
    broken = tmp_path / "broken.png"
    broken.write_bytes(content)
    drop_photo(page, colorful_photo(tmp_path / "earlier.png"))
    page.set_input_files("#photo input[type=file]", str(broken))
    notice = page.get_by_test_id("toast-body")
    notice.wait_for()
    told = notice.inner_text()
    assert re.search(r"broken\.png: (not an image|damaged image)", told)
    assert "Traceback" not in told
    assert "/" not in told.replace("image/", "")
    assert "Traceback" not in running.log.read_text()
    page.get_by_test_id("toast-close").click()
    page.locator("#view", has_text="Drop a photo").wait_for()  # nothing of the photo before it
    assert not page.is_visible("#view img.after")
    assert page.inner_text("#note") == ""
    drop_photo(page, colorful_photo(tmp_path / "holiday.png"))
    page.wait_for_selector("#view img.after:visible")


def test_what_cannot_be_painted_while_a_slider_moves_is_a_sentence_in_the_pictures_place(chromium, one_style, tmp_path):
    model = shutil.copytree(one_style, tmp_path / "model")
    with served(tmp_path / "web", models=str(model)) as running:
        page = open_page(chromium, running.url)
        drop_photo(page, colorful_photo(tmp_path / "holiday.png"))
        page.wait_for_selector("#view img.after:visible")
        shutil.rmtree(model)
        move = "slider => { slider.value = 0.5; slider.dispatchEvent(new Event('input', {bubbles: true})); }"
        page.locator("#strength input[type=range]").evaluate(move)
        page.get_by_text("the style 'style_0' is not here any more; choose another").wait_for()
        assert not page.is_visible("#view img.after")
        assert page.get_by_test_id("toast-body").count() == 0


def test_the_frame_is_around_the_style_that_paints_and_only_what_blends_with_it_is_offered(
    chromium, two_styles, tmp_path
):
    framed = "#styles .thumbnail-item.selected"
    with served(tmp_path / "web") as running:
        page = open_page(chromium, running.url)
        page.locator(framed, has_text="The Starry Night").wait_for()
        shutil.copytree(two_styles, tmp_path / "web" / "runs" / "mine" / "export")  # as a training leaves it
        page.reload()
        page.locator("#styles", has_text="style_1").wait_for()
        page.locator(framed, has_text="The Starry Night").wait_for()
        page.get_by_role("tab", name="Video").click()
        page.locator("#video_styles .thumbnail-item.selected", has_text="The Starry Night").wait_for()
        page.get_by_role("tab", name="Paint", exact=True).click()
        page.click("#styles button:has-text('style_0')")
        page.click("#blend button")
        page.wait_for_function("document.querySelectorAll('#second_styles .thumbnail-item').length == 1")
        assert page.locator("#second_styles .thumbnail-item").inner_text() == "style_1"
        page.context.close()


def test_without_a_photo_nothing_is_offered_that_needs_one(page, tmp_path):
    assert not page.is_visible("#paint")
    drop_photo(page, colorful_photo(tmp_path / "holiday.png"))
    page.wait_for_selector("#paint:visible")
    page.click("#photo button[aria-label='Remove Image']")
    page.wait_for_selector("#paint", state="hidden")
    page.locator("#view", has_text="Drop a photo").wait_for()


def test_a_photo_comes_from_the_webcam_or_the_clipboard(chromium, running):
    page = open_page(chromium, running.url, permissions=["camera", "clipboard-read", "clipboard-write"])
    page.click("#photo button[aria-label='Capture from camera']")
    page.click("#photo [title='grant webcam access']")
    page.wait_for_function("document.querySelector('#photo video').currentTime > 0")
    page.click("#photo button[aria-label='capture photo']")
    page.wait_for_selector("#view img.after:visible")
    taken = page.inner_text("#note")
    assert re.match(r"\d+ x \d+ px", taken)
    page.click("#photo button[aria-label='Remove Image']")
    page.evaluate(_COPY_GREEN_PICTURE)
    page.click("#photo button[aria-label='Paste from clipboard']")
    page.get_by_text("120 x 90 px").wait_for()
    page.wait_for_selector("#view img.after:visible")
    page.context.close()


def test_two_browsers_at_once_do_not_mix_their_pictures(chromium, running, tmp_path):
    photos = [colorful_photo(tmp_path / name / "photo.png", seed=seed) for seed, name in enumerate(("one", "two"))]
    pages = [open_page(chromium, running.url) for _ in photos]
    for page, photo, style in zip(pages, photos, ("The Scream", "Udnie"), strict=True):
        drop_photo(page, photo)
        before = shown(page)
        page.click(f"#styles button:has-text('{style}')")
        wait_for_another(page, before)
        page.locator("label", has_text="PNG").click()
    for page in pages:
        page.click("#paint")
    for page, photo, name in zip(pages, photos, ("the_scream", "udnie"), strict=True):
        page.wait_for_selector("#download:visible")
        with page.expect_download() as download:
            page.click("#download")
        download.value.save_as(tmp_path / f"{name}.png")
        assert main(["stylize", name, str(photo), "--output", str(tmp_path / f"{name}_by_command.png")]) == 0
        assert (tmp_path / f"{name}.png").read_bytes() == (tmp_path / f"{name}_by_command.png").read_bytes()
        page.context.close()


def test_whoever_comes_while_it_is_busy_sees_a_place_and_can_go_and_a_painting_can_be_cancelled(
    chromium, running, tmp_path
):
    large = colorful_photo(tmp_path / "large.jpg", size=(4400, 3200))  # in tiles
    first, second = (open_page(chromium, running.url) for _ in range(2))
    drop_photo(first, large)
    slide(first, "#strokes", 1)
    drop_photo(second, colorful_photo(tmp_path / "small.png"))
    first.click("#paint")
    first.get_by_text("measuring, round 1").wait_for()
    second.click("#paint")
    second.get_by_text(re.compile(r"queue: \d/\d")).wait_for()
    first.click("#cancel")
    first.get_by_text("Cancelled.").wait_for()
    second.wait_for_selector("#download:visible")
    assert not first.is_visible("#download")
    for page in (first, second):
        page.context.close()


def test_everything_can_be_done_by_keys_alone(page, tmp_path):
    photo = colorful_photo(tmp_path / "holiday.png")
    choosers: list = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))
    for _ in range(60):  # until the page is alive, which nothing in it shows
        page.locator("#photo button.upload-container").focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(1000)
        if choosers:
            break
    choosers[0].set_files(str(photo))
    page.wait_for_selector("#view img.after[src^=data]")
    before = shown(page)
    page.locator("#styles button:has-text('Udnie')").focus()
    page.keyboard.press("Enter")
    before = wait_for_another(page, before)
    page.locator("#strength input[type=range]").focus()
    page.keyboard.press("ArrowLeft")
    before = wait_for_another(page, before)
    page.locator("#view input[type=range]").focus()
    cut = page.locator("#view .stack").evaluate("stack => stack.style.getPropertyValue('--cut')")
    page.keyboard.press("ArrowRight")
    assert page.locator("#view .stack").evaluate("stack => stack.style.getPropertyValue('--cut')") != cut
    page.locator("#mask button").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#brush canvas').width === 320")
    page.locator("#brush canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    wait_for_another(page, before)
    page.locator("#paint").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#download:visible")
    page.locator("#download").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "holiday_udnie.jpg"


def test_on_a_phone_nothing_is_wider_than_the_window_and_the_path_is_the_same(chromium, running, tmp_path):
    page = open_page(chromium, running.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    drop_photo(page, colorful_photo(tmp_path / "holiday.png"))
    for name in ("Your own style", "Compare", "Video", "Paint"):
        page.evaluate("window.scrollTo(0, 0)")
        tab = page.get_by_role("tab", name=name)
        if not tab.is_visible():
            page.locator(".overflow-menu > button").click()
            tab = page.locator(".overflow-dropdown button", has_text=name)
        tab.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    paint_and_download(page, tmp_path / "painted.jpg")
    assert pixels(tmp_path / "painted.jpg").shape == (240, 320, 3)
    page.context.close()


def test_nothing_is_written_outside_the_temporary_folder_and_the_folder_of_runs(running):
    assert [path.name for path in running.log.parent.iterdir()] == ["server.log"]
