"""The page's third section: the network's painting beside the iterative one as it forms."""

import tempfile
from pathlib import Path

import gradio as gr

from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.scripts.web.before_after import before_after
from faststyle.scripts.web.cancelling import CancelledError, Cancelling
from faststyle.scripts.web.events import AT_ONCE, IN_TURN, is_installed, needs_training, scratch_folder
from faststyle.scripts.web.known_styles import KnownStyle, KnownStyles
from faststyle.scripts.web.picture_input import picture_input
from faststyle.scripts.web.pictures import as_data_url
from faststyle.scripts.web.sentences import told_on_the_page
from faststyle.scripts.web.trainings import TrainingError, Trainings

_SIZES = (256, 512)
_DROP = "Drop a photo and the style's painting, and compare."
_WHY = (
    "How good is a network? The iterative way changes the photo itself, step by step, until the same objective is low. "
    "It is slower by far; the curve shows after how many iterations it is as good as the network was at once."
)


class CompareSection:
    """Draws the section and answers its events.

    Args:
        styles: to choose from.
        trainings: know the paintings of styles that were trained here.
        cancelling: ends a comparison.
    """

    def __init__(self, styles: KnownStyles, trainings: Trainings, cancelling: Cancelling) -> None:
        self._styles, self._trainings, self._cancelling = styles, trainings, cancelling

    def draw(self) -> None:
        """Adds the section to the page that is being built."""
        if not is_installed("tensorflow"):
            gr.Markdown(needs_training("Comparing"), elem_id="compare_needs")
            return
        gr.Markdown(_WHY, elem_classes="note")
        titles = [style.title for style in self._styles.all()]
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                photo = picture_input("Photo", elem_id="compare_photo")
                self.style = gr.Dropdown(titles, value=titles[0], label="Style", elem_id="compare_style")
                painting = picture_input("The style's painting", elem_id="compare_painting")
                size = gr.Radio(list(_SIZES), value=_SIZES[0], label="Size, px", elem_id="compare_size")
                iterations = gr.Slider(5, 400, 100, step=5, label="Iterations", elem_id="compare_iterations")
                with gr.Row():
                    start = gr.Button("Compare", variant="primary", elem_id="compare", min_width=120)
                    cancel = gr.Button("Cancel", elem_id="compare_cancel", min_width=90)
            with gr.Column(scale=3, min_width=340):
                answer = gr.Markdown(elem_id="compare_answer")
                view = before_after(left="network", right="iterative", placeholder=_DROP, elem_id="compare_view")
                curves = gr.HTML(elem_id="compare_curves")
                report = gr.DownloadButton("Download the report", visible=False, elem_id="compare_report")
        given = [photo, self.style, painting, size, iterations]
        comparing = start.click(
            self._compared, given, [answer, view, curves, report], show_progress_on=answer, **IN_TURN
        )
        cancel.click(self._cancelled, None, answer, cancels=[comparing], **AT_ONCE)

    def titles(self):
        """The styles as they are now."""
        return gr.Dropdown([style.title for style in self._styles.all()])

    @told_on_the_page
    def _compared(self, request: gr.Request, photo, title, painting, size, iterations):
        style = self._styles.find(title)
        painting = Path(painting) if painting else self._own_painting(style)
        if photo is None or painting is None:
            raise StylizeError("Drop a photo and the style's painting first: the objective asks for both.")
        self._cancelling.begin(request.session_hash)
        from faststyle.scripts.web.comparing import compare, comparison_settings

        settings = comparison_settings(style, painting, Path(photo), size_px=size, iterations=int(iterations))
        output = Path(tempfile.mkdtemp(dir=scratch_folder())) / "report"
        yield "TensorFlow starts, and the objective is compiled.", {}, "", gr.DownloadButton(visible=False)
        try:
            for forming in compare(settings, output, lambda: self._cancelling.check(request.session_hash)):
                pictures = {"before": as_data_url(forming.network), "after": as_data_url(forming.iterative)}
                told = f"**{forming.sentence}**" if forming.sentence else f"{forming.iterations} iterations."
                yield told, pictures, forming.curves, gr.skip()
        except CancelledError:
            yield "Cancelled.", gr.skip(), gr.skip(), gr.skip()
            return
        file = gr.DownloadButton(value=str(output / "report.html"), visible=True)
        yield gr.skip(), gr.skip(), gr.skip(), file

    def _own_painting(self, style: KnownStyle) -> Path | None:
        """The painting of a style that was trained here."""
        run = style.model.parent
        try:
            return self._trainings.style_image(run.name) if run.parent == self._trainings.runs else None
        except TrainingError:
            return None

    def _cancelled(self, request: gr.Request) -> str:
        self._cancelling.cancel(request.session_hash)
        return "Cancelled."
