"""The whole page: its sections, and what they share."""

import gradio as gr

from faststyle.scripts.web.cancelling import Cancelling
from faststyle.scripts.web.compare_section import CompareSection
from faststyle.scripts.web.events import SILENT
from faststyle.scripts.web.known_styles import KnownStyles
from faststyle.scripts.web.own_style_section import OwnStyleSection
from faststyle.scripts.web.paint_section import PaintSection
from faststyle.scripts.web.trainings import Trainings
from faststyle.scripts.web.video_section import VideoSection

_UNUSED_S, _LOOK_EVERY_S = 6 * 3600, 1800  # files of visitors who are gone
_TITLE = "# faststyle\nPaint photographs in the style of a picture. All of it happens on this machine."


def build_page(styles: KnownStyles, trainings: Trainings) -> gr.Blocks:
    """The page, not yet served."""
    cancelling = Cancelling()

    def left(request: gr.Request) -> None:
        cancelling.cancel(request.session_hash)

    with gr.Blocks(
        title="faststyle", fill_width=True, analytics_enabled=False, delete_cache=(_LOOK_EVERY_S, _UNUSED_S)
    ) as page:
        gr.Markdown(_TITLE, elem_id="title")
        with gr.Tab("Paint", id="paint") as paint_tab:
            paint = PaintSection(styles, cancelling)
            paint.draw()
        with gr.Tab("Your own style", id="own"):
            own = OwnStyleSection(trainings)
            own.draw()
        with gr.Tab("Compare", id="compare") as compare_tab:
            compare = CompareSection(styles, cancelling)
            compare.draw()
        with gr.Tab("Video", id="video") as video_tab:
            video = VideoSection(styles, cancelling)
            video.draw()
        # A style may have been trained since the page was built.
        for seen in (paint_tab.select, page.load):
            seen(paint.shown, paint.chosen, paint.galleries, **SILENT)
        for seen in (video_tab.select, page.load):
            seen(video.shown, video.chosen, video.gallery, **SILENT)
        if hasattr(compare, "style"):
            for seen in (compare_tab.select, page.load):
                seen(compare.titles, None, compare.style, **SILENT)
        own.when_opened(page)
        page.unload(left)
    return page
