import re

import pytest

pytest.importorskip("gradio", reason="Gradio is not installed")

from starlette.testclient import TestClient

from faststyle.scripts.web.known_styles import KnownStyles
from faststyle.scripts.web.server import create_app
from faststyle.scripts.web.trainings import Trainings


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("scratch")))
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        yield TestClient(create_app(KnownStyles([], runs), Trainings(runs)), base_url="http://127.0.0.1:7860")


def test_the_page_names_no_other_host(client):
    answer = client.get("/", headers={"accept-encoding": "gzip, br"})
    assert answer.status_code == 200
    assert set(re.findall(r"https?://([^/\"'\\ ]+)", answer.text)) <= {"127.0.0.1:7860"}
    assert "The Starry Night" in answer.text


def test_browsers_are_told_to_ask_no_other_host(client):
    for path in ("/", "/theme.css", "/gradio_api/startup-events", "/nothing"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy


def test_files_of_the_machine_are_not_served(client):
    for path in ("/etc/passwd", "C:/windows/win.ini", "../../etc/passwd"):
        assert client.get(f"/gradio_api/file={path}").status_code in (403, 404)
