"""The page's third section: the network's painting beside the iterative one as it forms."""

import tempfile
from pathlib import Path

import gradio as gr

from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.scripts.web.before_after import before_after
from faststyle.scripts.web.cancelling import CancelledError, Cancelling
from faststyle.scripts.web.events import AT_ONCE, IN_TURN, SILENT, is_installed, needs_training, scratch_folder
from faststyle.scripts.web.known_styles import KnownStyles
from faststyle.scripts.web.picture_input import picture_input
from faststyle.scripts.web.pictures import as_data_url
from faststyle.scripts.web.sentences import told_on_the_page

_SIZES = (256, 512)
_DROP = "Drop a photo, and compare."
_WHY = (
    "How good is the network's painting, made in one go? The slow way changes the photo's pixels again and again. "
    "Both are judged by one number, how far a picture is from the painting's style and the photo's content: the curve "
    "shows when the slow way gets as low as the network. For a style that was not trained here, drop its painting, too."
)


class CompareSection:
    """Draws the section and answers its events.

    Args:
        styles: to choose from.
        cancelling: ends a comparison.
    """

    def __init__(self, styles: KnownStyles, cancelling: Cancelling) -> None:
        self._styles, self._cancelling = styles, cancelling

    def draw(self) -> None:
        """Adds the section to the page that is being built."""
        if not is_installed("tensorflow"):
            gr.Markdown(needs_training("Comparing"), elem_id="compare_needs")
            return
        gr.Markdown(_WHY, elem_classes="note")
        first = self._styles.all()[0]
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                photo = picture_input("Photo", elem_id="compare_photo")
                self.style = gr.Dropdown([first.title], value=first.title, label="Style", elem_id="compare_style")
                painting = picture_input(
                    "The style's painting", elem_id="compare_painting", visible=first.painting is None
                )
                size = gr.Radio(list(_SIZES), value=_SIZES[0], label="Size, px", elem_id="compare_size")
                iterations = gr.Slider(
                    5, 400, 100, step=5, label="Iterations of the slow way", elem_id="compare_iterations"
                )
                with gr.Row():
                    start = gr.Button("Compare", variant="primary", elem_id="compare", min_width=120)
                    cancel = gr.Button("Cancel", visible=False, elem_id="compare_cancel", min_width=90)
            with gr.Column(scale=3, min_width=340):
                answer = gr.Markdown(elem_id="compare_answer")
                view = before_after(left="network", right="slow way", placeholder=_DROP, elem_id="compare_view")
                curves = gr.HTML(elem_id="compare_curves")
                report = gr.DownloadButton("Download the report", visible=False, elem_id="compare_report")
        self.style.change(self._asked_for_painting, self.style, painting, **SILENT)
        given = [photo, self.style, painting, size, iterations]
        asked = start.click(self._asked, given, cancel, **AT_ONCE)
        comparing = asked.success(
            self._compared, given, [answer, view, curves, report], show_progress_on=answer, **IN_TURN
        )
        comparing.then(lambda: gr.Button(visible=False), None, cancel, **AT_ONCE)
        cancel.click(self._cancelled, None, answer, cancels=[comparing], **AT_ONCE)

    def titles(self):
        """The styles as they are now."""
        return gr.Dropdown([style.title for style in self._styles.all()])

    def _asked_for_painting(self, title: str):
        return gr.Image(visible=self._styles.find(title).painting is None)

    @told_on_the_page
    def _asked(self, photo, title, painting, size, iterations):
        style = self._styles.find(title)
        if photo is None:
            raise StylizeError("Drop a photo first.")
        if not (style.painting or painting):
            raise StylizeError(f"Drop the painting of {style.title} as well: the comparison asks for it.")
        return gr.Button(visible=True)

    @told_on_the_page
    def _compared(self, request: gr.Request, photo, title, painting, size, iterations):
        style = self._styles.find(title)
        painting = style.painting or Path(painting)
        check_wanted = self._cancelling.begin(request.session_hash)
        from faststyle.scripts.web.comparing import compare, comparison_settings

        settings = comparison_settings(style, painting, Path(photo), size_px=size, iterations=int(iterations))
        output = Path(tempfile.mkdtemp(dir=scratch_folder())) / "report"
        yield "Getting ready: TensorFlow starts.", {}, "", gr.DownloadButton(visible=False)
        try:
            for forming in compare(settings, output, check_wanted):
                pictures = {"before": as_data_url(forming.network), "after": as_data_url(forming.iterative)}
                told = f"**{forming.sentence}**" if forming.sentence else f"{forming.iterations} iterations."
                yield told, pictures, forming.curves, gr.skip()
        except CancelledError:
            yield "Cancelled.", gr.skip(), gr.skip(), gr.skip()
            return
        except Exception:
            yield "", {}, "", gr.skip()
            raise
        file = gr.DownloadButton(value=str(output / "report.html"), visible=True)
        yield gr.skip(), gr.skip(), gr.skip(), file

    def _cancelled(self, request: gr.Request) -> str:
        self._cancelling.cancel(request.session_hash)
        return "Cancelled."
