"""The page's fourth section: drop a clip, preview three of its frames, render it, download."""

from pathlib import Path
from typing import Any

import gradio as gr

from faststyle.images.contact_sheet import fit_within
from faststyle.infer.stylize.video import SmoothedStylizer, VideoError, stylize_video
from faststyle.infer.stylize.video_samples import sample_frames
from faststyle.scripts.web.cancelling import CancelledError, Cancelling
from faststyle.scripts.web.events import AT_ONCE, IN_TURN, LAST_WINS, new_file
from faststyle.scripts.web.known_styles import KnownStyles
from faststyle.scripts.web.paint_section import chosen_style, framed, nothing_painted, style_gallery
from faststyle.scripts.web.pictures import as_data_url
from faststyle.scripts.web.sentences import told_on_the_page

_FRAMES, _FRAME_PX = 3, 640
_DROP = '<p class="empty">Drop a clip, and three of its frames are painted here.</p>'
_PROGRESS = gr.Progress()


class VideoSection:
    """Draws the section and answers its events.

    Args:
        styles: to choose from.
        cancelling: ends a rendering.
    """

    def __init__(self, styles: KnownStyles, cancelling: Cancelling) -> None:
        self._styles, self._cancelling = styles, cancelling

    def draw(self) -> None:
        """Adds the section to the page that is being built."""
        self.chosen = chosen = gr.State(self._styles.all()[0].title)
        with gr.Row():
            with gr.Column(scale=3, min_width=340):
                clip = gr.File(label="Clip", file_types=["video"], height=140, elem_id="clip")
                frames = gr.HTML(_DROP, elem_id="frames")
                with gr.Row():
                    render = gr.Button("Render", variant="primary", visible=False, elem_id="render", min_width=120)
                    cancel = gr.Button("Cancel", visible=False, elem_id="video_cancel", min_width=90)
                done = gr.Markdown(elem_id="video_done")
                film = gr.Video(label="Painted clip", visible=False, buttons=[], elem_id="video_film")
                download = gr.DownloadButton("Download", visible=False, variant="primary", elem_id="video_download")
            with gr.Column(scale=2, min_width=320):
                self.gallery = style_gallery(self._styles, "Style", "video_styles", selected=0)
                strength = gr.Slider(0, 1, 1, step=0.01, label="Strength", elem_id="video_strength")
        given = [clip, chosen, strength]
        live: dict[str, Any] = {"trigger_mode": "always_last", "api_visibility": "private", "show_progress_on": frames}
        live |= {"inputs": given, "outputs": [frames, done, download, film, render]}
        clip.change(self._previewed, **live).failure(lambda: None, None, clip, **AT_ONCE)
        strength.release(self._previewed, **live)
        self.gallery.select(chosen_style, None, chosen, **LAST_WINS).success(self._previewed, **live)
        asked = render.click(self._asked, given, cancel, **AT_ONCE)
        rendering = asked.success(self._rendered, given, [done, download, film], show_progress_on=done, **IN_TURN)
        rendering.then(lambda: gr.Button(visible=False), None, cancel, **AT_ONCE)
        cancel.click(self._cancelled, None, done, cancels=[rendering], **AT_ONCE)

    def shown(self, chosen: str) -> gr.Gallery:
        """The gallery of today, with a frame around the chosen style."""
        return framed(self._styles.all(), chosen)

    @told_on_the_page
    def _previewed(self, clip, title, strength):
        if clip is None:
            return _DROP, *_nothing_rendered(), gr.Button(visible=False)
        stylizer = self._stylizer(title, strength)
        painter = stylizer.tile_painter()
        paintings = [
            SmoothedStylizer(painter, smoothing_s=0)(fit_within(frame, _FRAME_PX), 0.0)
            for frame in sample_frames(Path(clip), _FRAMES)
        ]
        images = "".join(f'<img src="{as_data_url(painting)}" alt="frame of the clip">' for painting in paintings)
        return f'<div class="frames">{images}</div>', *_nothing_rendered(), gr.Button(visible=True)

    @told_on_the_page
    def _asked(self, clip, title, strength):
        if clip is None:
            raise VideoError("Drop a clip first.")
        self._stylizer(title, strength)
        return gr.Button(visible=True)

    @told_on_the_page
    def _rendered(self, request: gr.Request, progress=_PROGRESS, clip=None, title="", strength=1.0):
        stylizer, check_wanted = self._stylizer(title, strength), self._cancelling.begin(request.session_hash)

        def on_frame(done: int, total: int) -> None:
            check_wanted()
            progress((done, total or None), desc="rendering", unit="frames")

        source = Path(clip)
        target = new_file(f"{source.stem}_painted.mp4")
        try:
            report = stylize_video(source, target, stylizer, on_frame=on_frame)
        except CancelledError:
            return "Cancelled.", gr.skip(), gr.skip()
        changed = f" It differs: {'; '.join(report.changes)}." if report.changes else ""
        told = f"**Rendered:** {report.frames} frames, {target.stat().st_size / 1e6:.1f} MB.{changed}"
        download = gr.DownloadButton(f"Download {target.name}", value=str(target), visible=True)
        return told, download, gr.Video(str(target), visible=True)

    def _stylizer(self, title: str, strength: float):
        stylizer = self._styles.stylizer(self._styles.find(title), strength=strength)
        if strength < 1 and not stylizer.identity_style:
            raise VideoError("The strength of a video needs a model that learned it; this one did not.")
        return stylizer

    def _cancelled(self, request: gr.Request) -> str:
        self._cancelling.cancel(request.session_hash)
        return "Cancelled."


def _nothing_rendered():
    return *nothing_painted(), gr.Video(None, visible=False)
