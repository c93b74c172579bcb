import socket
import sys

import pytest

from faststyle.scripts.faststyle import main
from faststyle.scripts.web.command import LOOPBACK, listening_socket


def test_a_port_in_use_is_one_line(capsys):
    pytest.importorskip("gradio")
    with listening_socket(LOOPBACK, 0) as taken:
        port = taken.getsockname()[1]
        assert main(["web", "--port", str(port)]) == 2
    assert capsys.readouterr().err == f"error: port {port} of 127.0.0.1 is in use; choose another with --port\n"


def test_by_default_only_this_machine_can_come():
    with listening_socket(LOOPBACK, 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        assert listening.family == socket.AF_INET


def test_share_is_refused(capsys):
    assert main(["web", "--share"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: --share would lead pictures through another company's server")
    assert len(told.splitlines()) == 1


def test_what_is_no_model_is_one_line(capsys, tmp_path):
    pytest.importorskip("gradio")
    assert main(["web", "--model", str(tmp_path), "--port", "0"]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}: no exported model")


def test_a_strange_port_and_a_strange_host_are_one_line():
    with pytest.raises(ValueError, match=r"--port must lie in 0\.\.65535, got 70000"):
        listening_socket(LOOPBACK, 70_000)
    with pytest.raises(ValueError, match="cannot serve at port 0 of no.such.host.invalid"):
        listening_socket("no.such.host.invalid", 0)


def test_without_gradio_the_command_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["web"]) == 2
    assert capsys.readouterr().err.endswith('not installed: pip install "faststyle-tf[web]"\n')
