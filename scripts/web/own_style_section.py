"""The page's second section: drop a painting, train, watch, stop and go on, keep."""

import math
import re
from html import escape
from pathlib import Path

import gradio as gr

from faststyle.images.contact_sheet import fit_within
from faststyle.images.files import read_image
from faststyle.infer.styles.names import style_name
from faststyle.scripts.web.curves import loss_curves
from faststyle.scripts.web.events import AT_ONCE, IN_TURN, SILENT, is_installed, needs_training
from faststyle.scripts.web.picture_input import picture_input
from faststyle.scripts.web.pictures import as_data_url
from faststyle.scripts.web.sentences import told_on_the_page
from faststyle.scripts.web.trainings import RunStatus, TrainingError, Trainings

_SAMPLES, _FOLDER = "the sample photos", "a folder on this machine"
_EVERY_S = 2.0
_SHEET_PX = 1200
_STATES = {
    "training": "Training: step {step} of {steps}",
    "stopped": "Stopped at step {step} of {steps}. Go on continues from there.",
    "done": "Done: {steps} steps. You find the style in Paint.",
}
_NONE = (
    '<p class="empty">Nothing was trained here yet. Drop a painting and press Train: here you see how far it is, '
    "and what it has learned. When it is done, you find the style in Paint.</p>"
)
_PREPARING = "Getting ready: TensorFlow starts, and the plan is measured."
_EXPORTING = "<p>Exporting the style for Paint; this can take a minute.</p>"
_STEPS = "400 show the style; more paint it better and take longer. How long is told once it trains."
_STRENGTH = "Below full Strength the strokes then get weaker; else the painting is blended with the photo. Slower."
_LOSS = (
    "<p class=\"note\">The curve: how far the paintings are from the painting's style and the photos' content; "
    "lower is better. Held-out photos are not trained on.</p>"
)


class OwnStyleSection:
    """Draws the section and answers its events.

    Args:
        trainings: the runs to show.
    """

    def __init__(self, trainings: Trainings) -> None:
        self._trainings = trainings

    def draw(self) -> None:
        """Adds the section to the page that is being built."""
        if not is_installed("tensorflow"):
            gr.Markdown(needs_training("Training a style"), elem_id="own_needs")
            return
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                painting = picture_input("Painting", elem_id="painting")
                name = gr.Textbox(label="Name of the style", max_lines=1, elem_id="own_name")
                source = gr.Radio([_SAMPLES, _FOLDER], value=_SAMPLES, label="Photos to learn on", elem_id="own_source")
                folder = gr.Textbox(label="Folder of photos", visible=False, max_lines=1, elem_id="own_folder")
                steps = gr.Slider(50, 4000, 400, step=50, label="Steps", info=_STEPS, elem_id="own_steps")
                learned = gr.Checkbox(False, label="Learn weaker strengths", info=_STRENGTH, elem_id="own_learned")
                train = gr.Button("Train", variant="primary", elem_id="train")
            with gr.Column(scale=3, min_width=340):
                state = gr.HTML(_NONE, elem_id="run_state")
                with gr.Column(visible=False) as watching:
                    run = gr.Dropdown([], label="Your trainings", elem_id="run", filterable=False)
                    with gr.Row():
                        stop = gr.Button("Stop", interactive=False, elem_id="stop", min_width=90)
                        go_on = gr.Button("Go on", interactive=False, elem_id="go_on", min_width=90)
                        keep = gr.Button("Try in Paint", interactive=False, elem_id="keep", min_width=90)
                    curves = gr.HTML(elem_id="curves")
                    preview = gr.HTML(elem_id="preview")
                    with gr.Accordion("Plan", open=False):
                        plan = gr.HTML(elem_id="plan", elem_classes="plan")
        seen = gr.State()
        shown = [state, stop, go_on, keep, curves, preview, plan, seen]
        source.change(lambda chosen: gr.Textbox(visible=chosen == _FOLDER), source, folder, **SILENT)
        painting.input(_suggested_name, painting, name, **AT_ONCE)
        given = [painting, name, source, folder, steps, learned]
        begun = train.click(self._begun, given, [run, watching, name], **AT_ONCE)
        begun.success(self._shown_anew, run, shown, **AT_ONCE)
        for button, act in ((stop, self._stopped), (go_on, self._gone_on)):
            button.click(act, run, None, **AT_ONCE).success(self._shown_anew, run, shown, **AT_ONCE)
        keeping = keep.click(_exporting, None, [state, stop, go_on, keep], **AT_ONCE)
        kept = keeping.success(self._kept, run, None, **IN_TURN)
        kept.then(self._shown_anew, run, shown, **AT_ONCE)
        run.change(self._shown_anew, run, shown, **AT_ONCE)
        gr.Timer(_EVERY_S).tick(self._shown, [run, seen], shown, **SILENT)
        self._find = {"fn": self._found, "inputs": run, "outputs": [run, watching], **SILENT}

    def when_opened(self, page: gr.Blocks) -> None:
        """Lets every newly opened page find the run that trains."""
        if hasattr(self, "_find"):
            page.load(**self._find)

    def _found(self, run: str | None):
        names = self._trainings.names()
        chosen = run if run in names else self._trainings.training() or next(iter(names), None)
        return gr.Dropdown(names, value=chosen), gr.Column(visible=bool(names))

    @told_on_the_page
    def _begun(self, painting, name, source, folder, steps, learned):
        if painting is None:
            raise TrainingError("Drop a painting first.")
        if source == _FOLDER and not folder.strip():
            raise TrainingError("Name the folder of photos, or learn on the sample photos.")
        photos = Path(folder.strip()).expanduser() if source == _FOLDER else None
        name = _as_name(name)
        self._trainings.begin(name, Path(painting), photos=photos, steps=int(steps), learned_strength=learned)
        return gr.Dropdown(self._trainings.names(), value=name), gr.Column(visible=True), name

    @told_on_the_page
    def _stopped(self, run: str | None) -> None:
        self._trainings.stop()

    @told_on_the_page
    def _gone_on(self, run: str | None) -> None:
        self._trainings.go_on(run or "")

    @told_on_the_page
    def _kept(self, run: str | None) -> None:
        self._trainings.keep(run or "")

    @told_on_the_page
    def _shown_anew(self, run: str | None):
        return self._shown(run, None)

    @told_on_the_page
    def _shown(self, run: str | None, seen):
        """What changed since it was shown last; mostly nothing."""
        status = self._trainings.status(run) if run else None
        now = (run, *status[:4], len(status.previews), *status[7:]) if status else None
        if now == seen and seen is not None:
            return [gr.skip()] * 8
        if status is None:
            buttons = [gr.Button(interactive=False)] * 3
            return [_NONE, *buttons, "", "", "", None]
        return [
            _told(status),
            gr.Button(interactive=status.state == "training"),
            gr.Button(interactive=status.state == "stopped" and self._trainings.training() is None),
            gr.Button(interactive=status.state == "stopped" and status.step > 0),
            loss_curves(status.totals, status.validation, steps=status.steps) + _LOSS if status.totals else "",
            _preview(status.previews[-1]) if status.previews else "",
            f"<pre>{escape(status.plan)}</pre>" if status.plan else "",
            now,
        ]


def _exporting():
    """At once, since the export itself may have to wait for its turn."""
    return _EXPORTING, *[gr.Button(interactive=False)] * 3


def _suggested_name(painting: str | None):
    return _as_name(re.sub(r"[^\w-]", " ", style_name(painting))) if painting else gr.skip()


def _as_name(typed: str) -> str:
    """A name as typed, with underscores for spaces."""
    return "_".join(typed.split())


def _preview(sheet: Path) -> str:
    return f'<img src="{as_data_url(fit_within(read_image(sheet), _SHEET_PX))}" alt="preview: photos and paintings">'


def _told(status: RunStatus) -> str:
    text = _STATES[status.state].format(step=status.step, steps=status.steps)
    if status.state == "training":
        text = _PREPARING if not status.step else text + _time_left(status)
    if status.state == "stopped" and status.kept:
        text += " Paint has the style as it was when you last pressed Try in Paint."
    bar = f'<progress max="{status.steps}" value="{status.step}" aria-label="steps done"></progress>'
    problem = f"<p>{escape(status.problem)}</p>" if status.problem else ""
    return f"<p>{escape(text)}</p>{bar}{problem}"


def _time_left(status: RunStatus) -> str:
    if status.step >= status.steps:
        return "; exporting the style for Paint."
    if status.seconds_left is None:
        return "."
    minutes = math.ceil(status.seconds_left / 60)
    return f"; about {minutes} min left." if minutes > 1 else "; less than a minute left."
