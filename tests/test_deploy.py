"""The worked examples of docs/deploy.md, as they stand there: a page in the browser, TensorFlow Serving's REST call."""

import base64
import contextlib
import http.server
import io
import json
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faststyle.scripts.faststyle import main
from tests.scripts.web.served import PATIENCE_MS, browser, colorful_photo

ROOT = Path(__file__).parent.parent
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", (ROOT / "docs/deploy.md").read_text("utf-8"), re.S | re.M))


def example(section: str, language: str = "") -> str:
    """The first block of code in a section."""
    found = re.search(rf"^```{language}\n(.*?)^```$", SECTIONS[section], re.S | re.M)
    assert found, section
    return found[1]


@contextlib.contextmanager
def http_server(handler: Callable) -> Iterator[str]:
    """The address of a server on this machine, until the block ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class OfFiles(http.server.SimpleHTTPRequestHandler):
    """What `python3 -m http.server` answers with, without its log."""

    def log_message(self, *_) -> None:
        pass


@pytest.fixture(scope="module")
def page_folder(tmp_path_factory) -> Path:
    """What the commands of the browser's section make, but for the last, which serves it."""
    pytest.importorskip("tf2onnx", reason="tf2onnx is not installed")
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("browser")
    (folder / "docs").symlink_to(ROOT / "docs")
    *commands, serve = example("In the browser").replace("\\\n", "").splitlines()
    assert serve == "python3 -m http.server --bind 127.0.0.1 --directory page"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in commands:
            program, *arguments = shlex.split(command)
            if program == "faststyle":
                assert main(arguments) == 0
                continue
            done = subprocess.run([program, *arguments], capture_output=True, text=True)
            if program == "npm" and done.returncode:
                pytest.skip(f"onnxruntime-web cannot be downloaded ({done.stderr.splitlines()[:1]})")
            assert done.returncode == 0, done.stderr
    return folder / "page"


@pytest.fixture
def page(page_folder):
    """The page in a browser, once its script runs; it may ask its own server only."""
    with browser() as chromium, http_server(partial(OfFiles, directory=str(page_folder))) as address:
        asked: set[str] = set()
        page = chromium.new_context(accept_downloads=True).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: asked.add(f"{request.method} {request.url.removeprefix('blob:')}"))
        page.goto(f"http://{address}/")
        yield page
        assert not [request for request in asked if not request.startswith(f"GET http://{address}/")]


def choose_photo(page, path: Path) -> str:
    """Chooses a photo and returns what the page says at the end."""
    page.set_input_files("#photo", str(path))
    page.wait_for_function("() => /[^…]$/.test(document.querySelector('#status').textContent)")
    return page.inner_text("#status")


@pytest.mark.slow
def test_a_photo_painted_in_the_browser_is_the_savedmodels_picture(page, tmp_path):
    from faststyle import load_stylizer
    from faststyle.scripts.demo.sample_photos import sample_scene

    photo = sample_scene("chelsea")
    Image.fromarray(photo).save(tmp_path / "cat.png")
    assert choose_photo(page, tmp_path / "cat.png").startswith("451x300 px in ")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "painted.png"
    painted = np.asarray(Image.open(download.value.path()).convert("RGB"), "float32")
    expected = load_stylizer("starry_night", runtime="tensorflow", precision="float32")(photo)
    assert np.abs(painted - expected).mean() < 1
    assert np.abs(painted - photo).mean() > 20


@pytest.mark.slow
def test_the_page_scales_large_photos_turns_them_upright_and_says_what_it_cannot_read(page, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    photo = colorful_photo(tmp_path / "sideways.jpg", size=(1600, 800), exif=exif)
    page.evaluate("document.querySelector('#side').value = 200")
    assert choose_photo(page, photo).startswith("100x200 px in ")
    (tmp_path / "letter.png").write_text("no photo")
    assert choose_photo(page, tmp_path / "letter.png") == "letter.png: no image that this browser reads"
    assert not page.is_visible("#download")
    assert "too small" in choose_photo(page, colorful_photo(tmp_path / "thin.png", size=(200, 8)))


def rest_answer(signatures, body: bytes) -> bytes:
    """What TensorFlow Serving answers to a predict request by rows, as its `json_tensor.cc` reads and writes it."""
    import tensorflow as tf

    request = json.loads(body)
    signature = signatures[request["signature_name"]]
    specs = signature.structured_input_signature[1]
    rows = request["instances"]
    if rows[0].keys() == {"b64"}:  # a bare value is the only input's
        (name,) = specs
        rows = [{name: row} for row in rows]
    assert all(row.keys() == specs.keys() for row in rows)
    batch = {name: tf.constant([from_json(row[name]) for row in rows], specs[name].dtype) for name in specs}
    ((name, output),) = signature(**batch).items()  # of a single output its name is left out
    values = output.numpy().tolist()
    if output.dtype == tf.string:
        is_binary = name.endswith("_bytes")
        values = [{"b64": base64.b64encode(v).decode()} if is_binary else v.decode("utf-8") for v in values]
    return json.dumps({"predictions": values}).encode()


def from_json(value):
    return base64.b64decode(value["b64"], validate=True) if isinstance(value, dict) else value


def decoded(encoded: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"), "float32")


@pytest.fixture(scope="module")
def serving_example() -> str:
    return example("TensorFlow Serving", "python")


def test_the_rest_example_paints_a_photo(one_style, serving_example, tmp_path, monkeypatch):
    import tensorflow as tf

    model = tf.saved_model.load(str(one_style))

    class Rest(OfFiles):
        def do_POST(self) -> None:
            assert self.path == "/v1/models/painting:predict"
            answer = rest_answer(model.signatures, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

    monkeypatch.chdir(tmp_path)
    encoded = colorful_photo(tmp_path / "holiday.jpg", size=(50, 40)).read_bytes()
    photo = tf.io.decode_image(encoded, channels=3)  # an untrained network makes much of another decoder
    with http_server(Rest) as address:
        assert "localhost:8501" in serving_example
        exec(serving_example.replace("localhost:8501", address), {})
    expected = model.signatures["serving_default"](image=tf.cast(photo, tf.float32)[None])["stylized_image"][0]
    assert np.abs(decoded((tmp_path / "painted.png").read_bytes()) - expected).max() <= 0.51


def test_rest_takes_photos_of_several_sizes_and_a_mixture_for_each(two_styles, tmp_path):
    import tensorflow as tf

    model = tf.saved_model.load(str(two_styles))
    photos = [colorful_photo(tmp_path / f"{width}.png", size=(width, 40)).read_bytes() for width in (50, 30)]
    mixtures = [[1.0, 0.0], [0.25, 0.75]]
    rows = [
        {"encoded": {"b64": base64.b64encode(photo).decode()}, "style_mixture": mixture}
        for photo, mixture in zip(photos, mixtures, strict=True)
    ]
    body = json.dumps({"signature_name": "serve_bytes", "instances": rows}).encode()
    answers = json.loads(rest_answer(model.signatures, body))["predictions"]
    for photo, mixture, answer in zip(photos, mixtures, answers, strict=True):
        inputs = {"image": decoded(photo)[None], "style_mixture": [mixture]}
        expected = model.signatures["serving_default"](**{k: tf.constant(v) for k, v in inputs.items()})
        painted = decoded(base64.b64decode(answer["b64"]))
        assert np.abs(painted - expected["stylized_image"][0]).max() <= 0.51
