"""The page's server: Gradio behind a policy that lets a browser ask this host only; what it writes is temporary."""

import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from faststyle.scripts.web.command import LOOPBACK

_LARGEST_UPLOAD = "2gb"
_SHUTDOWN_S = 3
# Gradio compiles its templates in the browser, hence 'unsafe-eval'.
_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "connect-src 'self' data: blob:; form-action 'self'; base-uri 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]
# What a page would tell other sites, and the example files of an API that nobody reads here.
_OF_OTHER_HOSTS = re.compile(
    rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>|https://(?:github|raw\.githubusercontent)\.com/[^"]*'
)


def serve(listening: socket.socket, *, models: Sequence[Path], runs: Path, train_options: Sequence[str] = ()) -> None:
    """Serves the page until Ctrl-C or SIGTERM; a training that it started is stopped with a checkpoint.

    Args:
        listening: holds the page's address.
        models: exported models whose styles are offered beside the gallery's.
        runs: folder of the trainings.
        train_options: further ones of `faststyle train`, for every run.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="faststyle_web_", ignore_cleanup_errors=True) as scratch:
        _settle_gradio(Path(scratch))
        import uvicorn

        from faststyle.scripts.web.known_styles import KnownStyles
        from faststyle.scripts.web.trainings import Trainings

        trainings = Trainings(runs, train_options)
        app = create_app(KnownStyles(models, runs), trainings)
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=_SHUTDOWN_S, ws="none")
        host, port = listening.getsockname()[:2]
        print(f"The page is at http://{host}:{port} (Ctrl-C ends it)", flush=True)
        if host not in (LOOPBACK, "::1"):
            print("Whoever reaches this address can use the page, and train on folders of this machine", flush=True)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            trainings.close()


def create_app(styles, trainings):
    """The page as an ASGI application.

    Args:
        styles: the `KnownStyles` to offer.
        trainings: the `Trainings` to show.
    """
    import gradio
    from fastapi import FastAPI

    from faststyle.infer.styles.gallery import GALLERY_MODEL, THUMBNAILS
    from faststyle.scripts.web.page import build_page
    from faststyle.scripts.web.theme import CSS, theme

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    gradio.mount_gradio_app(
        app,
        build_page(styles, trainings),
        path="",
        allowed_paths=[str(GALLERY_MODEL / THUMBNAILS)],
        footer_links=[],
        run_history=False,
        show_error=True,
        max_file_size=_LARGEST_UPLOAD,
        ssr_mode=False,
        theme=theme(),
        css=CSS,
    )
    return OwnHostOnly(app)


class OwnHostOnly:
    """An ASGI application whose pages name no other host, and which tells browsers to ask none."""

    def __init__(self, app) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == "/":  # plain, so that it can be read here
            scope = scope | {"headers": [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]}
        await self._app(scope, receive, _Rewriting(send, whole=scope["path"] == "/"))


class _Rewriting:
    """A `send` that adds headers to every answer, and takes what is for other sites out of a whole page."""

    def __init__(self, send, *, whole: bool) -> None:
        self._send, self._whole = send, whole
        self._start: dict = {}
        self._body = b""

    async def __call__(self, message: dict) -> None:
        if message["type"] == "http.response.start":
            headers = [
                pair for pair in message["headers"] if not (self._whole and pair[0].lower() == b"content-length")
            ]
            self._start = message | {"headers": [*headers, *_HEADERS]}
            if not self._whole:
                await self._send(self._start)
        elif not self._whole or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send(self._start)
                body = _OF_OTHER_HOSTS.sub(b"", self._body)
                await self._send({"type": "http.response.body", "body": body})


def _settle_gradio(scratch: Path) -> None:
    """Gradio reads these when it is imported: no word to anybody, and every file below `scratch`."""
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(scratch),
        "GRADIO_CACHE_DIR": str(scratch / "cache"),
        "GRADIO_RUN_HISTORY": "False",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "1",
    }
