"""`faststyle web`: arguments, and what is refused before the page is built. Heavy imports wait."""

import argparse
import errno
import importlib.util
import socket
from pathlib import Path

from faststyle import DISTRIBUTION
from faststyle.user_error import UserError

LOOPBACK = "127.0.0.1"


def add_web_command(subcommands) -> None:
    """Adds `web` to an argparse subparsers object."""
    parser = subcommands.add_parser(
        "web",
        help="a page on this machine: paint, train, compare, render in the browser",
        description="Serve a page on this machine: drop a photo and paint it with live sliders, train a style of your "
        "own, compare it with iterative optimization, render a video. Nothing leaves this machine.",
    )
    parser.add_argument("--port", type=int, default=7860, metavar="N", help="of the page (default: 7860)")
    parser.add_argument(
        "--host", default=LOOPBACK, metavar="ADDRESS", help="who may come: by default only this machine itself"
    )
    parser.add_argument(
        "--model",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="RUN_OR_MODEL",
        help="run directories or exported models whose styles stand beside the gallery's",
    )
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR", help="where trainings go (default: runs)"
    )
    parser.add_argument("--share", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run_web)


def run_web(arguments: argparse.Namespace) -> int:
    """Runs the command until Ctrl-C.

    Raises:
        ValueError: what cannot be served: `--share`, a model that is none, a port in use, Gradio missing.
    """
    if arguments.share:
        raise UserError("--share would lead pictures through another company's server; --host ADDRESS shows the page")
    if importlib.util.find_spec("gradio") is None:
        raise UserError(f'this needs gradio, which is not installed: pip install "{DISTRIBUTION}[web]"')
    from faststyle.atomic_files import check_place
    from faststyle.scripts.web.known_styles import find_export

    check_place(arguments.runs)
    models = [find_export(path) for path in arguments.model]
    with listening_socket(arguments.host, arguments.port) as listening:
        from faststyle.scripts.web.server import serve

        serve(listening, models=models, runs=arguments.runs)
    return 0


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that holds the page's port already, so that a port in use is one line.

    Raises:
        ValueError: the port is in use, or not to be had there.
    """
    if not 0 <= port <= 65535:
        raise UserError(f"--port must lie in 0..65535, got {port}")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"port {port} of {host} is in use; choose another with --port") from None
        raise UserError(f"cannot serve at port {port} of {host} ({error.strerror or error})") from None
    return listening
