"""The other sections by real clicks: a style of one's own, the comparison, the video."""

import shutil

import numpy as np
import pytest
from PIL import Image

from faststyle.models.loss_network_weights import load_vgg_weights
from faststyle.train.settings import TrainSettings
from tests.scripts.web.served import browser, colorful_photo, drop_photo, open_page, paint_and_download, served, slide
from tests.scripts.web.test_trainings import OPTIONS
from tests.toy_run import write_photos

pytestmark = pytest.mark.slow

ERROR_BADGES = "[data-testid=status-tracker] .error:visible"  # Gradio's, over what a failed event would have changed


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


def begin_training(page, painting, photos) -> None:
    page.get_by_role("tab", name="Your own style").click()
    page.set_input_files("#painting input[type=file]", str(painting))
    page.wait_for_function("document.querySelector('#own_name input, #own_name textarea').value === 'zebra'")
    page.locator("#own_source label", has_text="a folder on this machine").click()
    page.locator("#own_folder").locator("input, textarea").fill(str(photos))
    slide(page, "#own_steps", 150)
    page.locator("#own_name :is(input, textarea)").fill(" night zebra")
    page.click("#train")


def press_train_again(page, painting) -> None:
    page.set_input_files("#painting input[type=file]", str(painting))
    page.wait_for_function("document.querySelector('#own_name input, #own_name textarea').value === 'zebra'")
    page.locator("#own_name :is(input, textarea)").fill("night_zebra")
    page.click("#train")


def test_a_style_is_trained_stopped_found_again_resumed_by_another_server_and_stands_among_the_styles(
    chromium, tmp_path
):
    photos = write_photos(tmp_path / "photos")
    painting = shutil.copy(write_photos(tmp_path / "style", count=1, seed=1) / "photo_00.jpg", tmp_path / "zebra.jpg")
    options = " ".join(OPTIONS)
    with served(tmp_path / "web", options=options) as running:
        page = open_page(chromium, running.url)
        begin_training(page, painting, photos)
        page.get_by_text("Getting ready").wait_for()
        assert page.input_value("#own_name :is(input, textarea)") == "night_zebra"
        page.wait_for_selector("#curves svg")
        page.wait_for_selector("#preview img")
        page.get_by_role("button", name="Plan").click()
        page.locator("#plan", has_text="expected end").wait_for()
        page.context.close()
        page = open_page(chromium, running.url)  # closed, and opened again
        page.get_by_role("tab", name="Your own style").click()
        page.locator("#run_state", has_text="left.").wait_for()
    with served(tmp_path / "web", options=options) as running:  # the server ended, and another one goes on
        page = open_page(chromium, running.url)
        page.get_by_role("tab", name="Your own style").click()
        page.locator("#run_state", has_text="Stopped at step").wait_for()
        page.click("#go_on:enabled")
        page.locator("#run_state", has_text="Training: step").wait_for()
        page.click("#stop:enabled")
        page.locator("#run_state", has_text="Stopped at step").wait_for()
        press_train_again(page, painting)
        page.get_by_text('already; choose another name, or choose it among your trainings and press "Go on"').wait_for()
        assert page.locator(ERROR_BADGES).count() == 0
        page.click("#keep:enabled")
        page.locator("#run_state", has_text="Exporting the style for Paint").wait_for()
        page.locator("#run_state", has_text="Paint has the style as it was").wait_for()
        page.get_by_role("tab", name="Paint", exact=True).click()
        drop_photo(page, colorful_photo(tmp_path / "holiday.png"))
        before = page.get_attribute("#view img.after", "src")
        page.click("#styles button:has-text('night_zebra')")
        page.wait_for_function("before => document.querySelector('#view img.after').src !== before", arg=before)
        assert paint_and_download(page, tmp_path / "painted.jpg").stat().st_size > 1000
    assert sorted(path.name for path in (tmp_path / "web").iterdir()) == ["runs", "server.log"]


@pytest.fixture
def loss_network():
    try:
        load_vgg_weights("vgg16")
    except ValueError as error:
        pytest.skip(f"needs weights of VGG-16 ({error})")


@pytest.mark.usefixtures("loss_network")
def test_the_network_is_compared_with_the_iterative_image_as_it_forms(chromium, tmp_path):
    with served(tmp_path / "web") as running:
        page = open_page(chromium, running.url)
        page.get_by_role("tab", name="Compare").click()
        page.click("#compare")
        page.get_by_text("Drop a photo first.").wait_for()
        assert not page.is_visible("#compare_cancel")
        assert page.locator(ERROR_BADGES).count() == 0
        page.set_input_files("#compare_photo input[type=file]", str(colorful_photo(tmp_path / "photo.png")))
        page.wait_for_selector("#compare_photo img")
        page.click("#compare")
        page.get_by_text("Drop the painting of The Starry Night as well").wait_for()
        painting = colorful_photo(tmp_path / "painting.png", seed=5)
        page.set_input_files("#compare_painting input[type=file]", str(painting))
        page.wait_for_selector("#compare_painting img")
        slide(page, "#compare_iterations", 400)
        page.click("#compare")
        page.wait_for_selector("#compare_curves svg")
        page.click("#compare_cancel")
        page.locator("#compare_answer", has_text="Cancelled.").wait_for()
        page.locator("#compare_cancel").wait_for(state="hidden")
        assert not page.is_visible("#compare_report")
        slide(page, "#compare_iterations", 10)
        while page.inner_text("#compare_answer") == "Cancelled.":  # until its last iteration has ended
            page.click("#compare")
            page.wait_for_timeout(1000)
        page.locator("#compare_answer", has_text="to be as good as the network").wait_for()
        page.locator("#compare_cancel").wait_for(state="hidden")
        with page.expect_download() as download:
            page.click("#compare_report")
        download.value.save_as(tmp_path / "report.html")
    assert "iterations" in (tmp_path / "report.html").read_text()


@pytest.mark.usefixtures("loss_network")
def test_a_style_whose_painting_is_known_is_compared_without_asking_for_it(chromium, one_style, tmp_path):
    shutil.copytree(one_style, tmp_path / "web" / "runs" / "mine" / "export")
    painting = colorful_photo(tmp_path / "style_0.png", seed=5)
    settings = TrainSettings(style_images=(str(painting),), content="")
    (tmp_path / "web" / "runs" / "mine" / "config.json").write_text(settings.to_json())
    with served(tmp_path / "web") as running:
        page = open_page(chromium, running.url)
        page.get_by_role("tab", name="Compare").click()
        page.wait_for_selector("#compare_photo")
        assert not page.is_visible("#compare_painting")
        page.set_input_files("#compare_photo input[type=file]", str(colorful_photo(tmp_path / "photo.png")))
        page.wait_for_selector("#compare_photo img")
        slide(page, "#compare_iterations", 5)
        page.click("#compare")
        page.locator("#compare_answer", has_text="to be as good as the network").wait_for()
        page.click("#compare_style input")
        page.get_by_role("option", name="Udnie").click()
        page.wait_for_selector("#compare_painting:visible")


def test_a_rendering_can_be_cancelled(chromium, tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed")
    from tests.infer.stylize.clips import write_clip

    write_clip(tmp_path / "long.mp4", [np.full((240, 320, 3), index, "uint8") for index in range(200)])
    with served(tmp_path / "web") as running:
        page = open_page(chromium, running.url)
        page.get_by_role("tab", name="Video").click()
        page.set_input_files("#clip input[type=file]", str(tmp_path / "long.mp4"))
        page.wait_for_selector("#frames img")
        page.click("#render")
        page.get_by_text("rendering").wait_for()
        page.click("#video_cancel")
        page.locator("#video_done", has_text="Cancelled.").wait_for()
        page.locator("#video_cancel").wait_for(state="hidden")
        page.click("#render")  # what was cancelled leaves the next one alone
        page.get_by_text("rendering").wait_for()
        page.click("#video_cancel")
        assert not page.is_visible("#video_download")


def test_a_clip_is_previewed_rendered_and_downloaded(chromium, tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    from tests.infer.stylize.clips import write_clip

    shades = [np.full((48, 64, 3), 8 * index, "uint8") for index in range(12)]
    write_clip(tmp_path / "clip.mp4", shades)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with served(tmp_path / "web") as running:
        page = open_page(chromium, running.url)
        page.get_by_role("tab", name="Video").click()
        page.set_input_files("#clip input[type=file]", str(tmp_path / "broken.mp4"))
        page.get_by_text("broken.mp4: cannot be read").wait_for()
        page.get_by_test_id("toast-close").click()
        page.locator("#frames", has_text="Drop a clip").wait_for()
        assert not page.is_visible("#render")
        page.set_input_files("#clip input[type=file]", str(tmp_path / "clip.mp4"))
        page.wait_for_selector("#frames img")
        assert page.locator("#frames img").count() == 3
        assert not page.is_visible("#video_cancel")
        page.click("#render")
        page.wait_for_selector("#video_download:visible")
        page.wait_for_function("document.querySelector('#video_film video')?.videoWidth === 64")  # it can be played
        page.locator("#video_cancel").wait_for(state="hidden")
        with page.expect_download() as download:
            page.click("#video_download")
        download.value.save_as(tmp_path / "painted.mp4")
    with av.open(str(tmp_path / "painted.mp4")) as reader:
        painted = [frame.to_ndarray(format="rgb24") for frame in reader.decode(video=0)]
    assert len(painted) == len(shades)
    assert painted[0].shape == shades[0].shape
    assert np.abs(painted[6].astype(int) - shades[6]).mean() > 5
    assert Image.fromarray(painted[0]).size == (64, 48)
