"""The page's first section: drop a photo, choose a style, slide, paint, download."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from faststyle.images.contact_sheet import fit_within
from faststyle.images.files import ImageError, read_image
from faststyle.infer.exported_model.stylizer import StylizeError
from faststyle.infer.styles.gallery import GALLERY_MODEL, THUMBNAILS
from faststyle.scripts.web.before_after import before_after
from faststyle.scripts.web.cancelling import CancelledError, Cancelling
from faststyle.scripts.web.events import AT_ONCE, IN_TURN, LAST_WINS, SILENT, new_file
from faststyle.scripts.web.known_styles import KnownStyle, KnownStyles
from faststyle.scripts.web.mask_brush import mask_brush
from faststyle.scripts.web.paint import (
    OpenedPhoto,
    Wish,
    command_line_of,
    open_photo,
    paint_file,
    preview,
    usual_stroke_size,
)
from faststyle.scripts.web.picture_input import picture_input
from faststyle.scripts.web.pictures import as_data_url, mask_of
from faststyle.scripts.web.sentences import sentence, told_on_the_page

_LARGEST_STROKES = 8.0
_SHOWN_PX = 1600
_THUMBNAIL_PX = 192
_NO_PICTURE = np.full((128, 192, 3), 150, "uint8")
_COLORS = {"the style's": None, "the photo's own": "luminance", "the photo's palette": "covariance"}
_FORMATS = {"JPEG": ".jpg", "PNG": ".png"}
_PROGRESS = gr.Progress()
_LEAVE_OUT_PHOTO = "(...knobs) => knobs.map(knob => knob && knob.photo ? {mask: knob.mask} : knob)"  # the brush's
_DROP = "Drop a photo, and it is painted here."
_STROKES = "Fitted to each new photo; more makes larger strokes"
_PALETTE = "The photo's own stay at every pixel; its palette stays as a whole"


class PaintSection:
    """Draws the section and answers its events.

    Args:
        styles: to choose from.
        cancelling: ends a painting.

    Attributes:
        galleries: what shows the styles, once the section is drawn.
        chosen: the titles of the style and of the one it is blended with, once the section is drawn.
    """

    def __init__(self, styles: KnownStyles, cancelling: Cancelling) -> None:
        self._styles, self._cancelling = styles, cancelling
        self.galleries: tuple[gr.Gallery, ...] = ()
        self.chosen: tuple[gr.State, ...] = ()

    def draw(self) -> None:
        """Adds the section to the page that is being built."""
        opened, first, second = gr.State(), gr.State(self._styles.all()[0].title), gr.State()
        self.chosen = (first, second)
        with gr.Row():
            with gr.Column(scale=3, min_width=340, elem_classes="beside"):
                photo = picture_input("Photo", elem_id="photo")
                view = before_after(left="photo", right="painting", placeholder=_DROP, elem_id="view")
                note = gr.Markdown(elem_id="note", elem_classes="note")
                with gr.Row(visible=False) as finishing:
                    file_format = gr.Radio(list(_FORMATS), value="JPEG", label="Format", scale=2, min_width=160)
                    paint = gr.Button("Paint at full size", variant="primary", scale=2, min_width=160, elem_id="paint")
                    cancel = gr.Button("Cancel", visible=False, scale=1, min_width=90, elem_id="cancel")
                    download = gr.DownloadButton("Download", visible=False, variant="primary", elem_id="download")
                done = gr.Markdown(elem_id="done")
            with gr.Column(scale=2, min_width=320):
                gallery = style_gallery(self._styles, "Style", "styles", selected=0)
                strength = gr.Slider(0, 1, 1, step=0.01, label="Strength", info="0 is the photo", elem_id="strength")
                strokes = gr.Slider(
                    1, _LARGEST_STROKES, 1, step=0.25, label="Stroke size", info=_STROKES, elem_id="strokes"
                )
                colors = gr.Radio(list(_COLORS), value="the style's", label="Colors", info=_PALETTE, elem_id="colors")
                with gr.Accordion("Blend with a second style", open=False, elem_id="blend"):
                    other = style_gallery(self._styles, "Second style", "second_styles")
                    share = gr.Slider(0, 1, 0.5, step=0.01, label="Share of the second style", elem_id="share")
                    alone = gr.Button("No second style", size="sm")
                with gr.Accordion("Paint only where you draw", open=False, elem_id="mask"):
                    brush = mask_brush(elem_id="brush")
                    feather = gr.Slider(0, 10, 2, step=0.5, label="Soft edge, % of the photo", elem_id="feather")
        self.galleries = (gallery, other)
        knobs = [opened, first, second, share, strength, strokes, colors, brush, feather]
        live: dict[str, Any] = {"inputs": knobs, "trigger_mode": "always_last", "js": _LEAVE_OUT_PHOTO}
        quick = live | {"outputs": view} | SILENT
        settled = live | {"outputs": [view, done, download]} | AT_ONCE

        # Painted by the very event that opens it: one that follows it may see no photo yet.
        opening = [opened, strokes, brush, note, done, download, finishing, view]
        opened_now = photo.input(self._opened, [photo, *knobs[1:]], opening, js=_LEAVE_OUT_PHOTO, **LAST_WINS)
        # Once unseen, since the first painting of a size takes longer than those that follow a slider.
        opened_now.success(self._warmed, knobs, None, js=_LEAVE_OUT_PHOTO, **AT_ONCE)
        # The picture of before would look like what the broken file gave.
        opened_now.failure(lambda: (None, *self._opened(None)), None, [photo, *opening], **AT_ONCE)
        for slider in (strength, strokes, share, feather):
            slider.input(self._quick, **quick)
            slider.release(self._settled, **settled)
        colors.input(self._settled, **settled)
        brush.drawn(self._settled, **settled)
        chosen = gallery.select(chosen_style, None, first, **LAST_WINS)
        chosen.success(self._blendable, self.chosen, [second, other], **SILENT).success(self._settled, **settled)
        other.select(chosen_style, None, second, **LAST_WINS).success(self._settled, **settled)
        alone.click(_one_style_alone, None, [second, other], **AT_ONCE).success(self._settled, **settled)
        asked: dict[str, Any] = {
            "inputs": [*knobs, file_format],
            "outputs": [view, done, download],
            "show_progress_on": done,
        }
        paint.click(lambda: gr.Button(visible=True), None, cancel, **SILENT)
        painting = paint.click(self._painted, **asked, **IN_TURN)
        painting.then(lambda: gr.Button(visible=False), None, cancel, **SILENT)
        cancel.click(self._cancelled, None, [done, cancel], cancels=[painting], **AT_ONCE)
        file_format.input(nothing_painted, None, [done, download], **SILENT)

    def shown(self, first: str, second: str | None):
        """The galleries of today, each with a frame around its chosen style: some may have been trained meanwhile."""
        return framed(self._styles.all(), first), self._blendable(first, second)[1]

    def _blendable(self, first: str, second: str | None):
        """The second style and its gallery: others of the first one's model, since no more blend with it."""
        styles = self._styles.all()
        models = [style.model for style in styles if style.title == first]
        offered = [style for style in styles if style.model in models and style.title != first]
        kept = second if second in [style.title for style in offered] else None
        return kept, framed(offered, kept)

    @told_on_the_page
    def _opened(self, path: str | None, *knobs):
        """What changes when a photo is dropped, or taken away."""
        if path is None:
            return None, gr.skip(), {}, "", *nothing_painted(), gr.Row(visible=False), {}
        photo = open_photo(Path(path))
        width, height = photo.size_px
        lost = f" Its painting will differ: {'; '.join(photo.left_out)}." if photo.left_out else ""
        brush = {"photo": as_data_url(photo.quick, icc_profile=photo.icc_profile), "mask": ""}
        strokes = usual_stroke_size(photo, _LARGEST_STROKES)
        first, second, share, strength, _, colors, _, feather = knobs
        view = self._shown(photo, first, second, share, strength, strokes, colors, brush, feather, quick=False)
        size = f"{width} x {height} px.{lost}"
        return photo, strokes, brush, size, *nothing_painted(), gr.Row(visible=True), view

    def _quick(self, photo: OpenedPhoto | None, *knobs) -> dict[str, str]:
        return self._shown(photo, *knobs, quick=True)

    def _warmed(self, *knobs) -> None:
        self._quick(*knobs)

    def _settled(self, photo: OpenedPhoto | None, *knobs):
        """What was painted at full size before is not what the knobs say now, and is offered no longer."""
        return self._shown(photo, *knobs, quick=False), *nothing_painted()

    def _shown(self, photo: OpenedPhoto | None, *knobs, quick: bool) -> dict[str, str]:
        """Before and after at the preview's size; or in their place why there are none, where notices would pile up."""
        if photo is None:
            return {}
        try:
            painted = preview(photo, self._wish(*knobs), self._styles, quick=quick)
            if quick:  # the photo is there already, and larger
                return {"after": as_data_url(painted, icc_profile=photo.icc_profile)}
            return _pair(photo.settled, painted, photo.icc_profile)
        except Exception as error:
            return {"problem": sentence(error)}

    @told_on_the_page
    def _painted(self, request: gr.Request, progress=_PROGRESS, photo: OpenedPhoto | None = None, *knobs_and_format):
        """Paints the file; the view then shows the painting itself."""
        *knobs, format_name = knobs_and_format
        if photo is None:
            raise StylizeError("Drop a photo first.")
        wish, check_wanted = self._wish(*knobs), self._cancelling.begin(request.session_hash)

        def on_tile(what: str, done: int, total: int) -> None:
            check_wanted()
            progress((done, total), desc=what, unit="tiles")

        progress(0, desc="painting")
        names = [style.name for style in (wish.first, wish.second) if style]
        target = new_file("_".join([photo.path.stem, *names]) + _FORMATS[format_name])
        try:
            paint_file(photo, wish, self._styles, target, on_tile=on_tile)
        except CancelledError:
            return gr.skip(), "Cancelled.", gr.skip()
        view = _pair(photo.settled, fit_within(read_image(target), _SHOWN_PX), photo.icc_profile)
        width, height = photo.size_px
        told = f"**Painted:** {width} x {height} px, {target.stat().st_size / 1e6:.1f} MB. The same by command:\n\n"
        told += f"```\n{command_line_of(photo, wish, target)}\n```"
        return view, told, gr.DownloadButton(value=str(target), visible=True)

    def _wish(self, first, second, share, strength, strokes, colors, brush, feather) -> Wish:
        return Wish(
            self._styles.find(first),
            self._styles.find(second) if second else None,
            share=share,
            strength=strength,
            stroke_size=strokes,
            preserve_colors=_COLORS[colors],
            mask=mask_of((brush or {}).get("mask")),
            feather=feather / 100,
        )

    def _cancelled(self, request: gr.Request):
        self._cancelling.cancel(request.session_hash)
        return "Cancelled.", gr.Button(visible=False)


def style_gallery(styles: KnownStyles, label: str, elem_id: str, *, selected: int | None = None) -> gr.Gallery:
    """Thumbnails to choose a style from."""
    return gr.Gallery(
        pictures_of(styles.all()),
        label=label,
        columns=4,
        selected_index=selected,
        show_label=False,
        allow_preview=False,
        object_fit="cover",
        height="auto",
        elem_id=elem_id,
        elem_classes="styles",
        interactive=False,
        buttons=[],
    )


def framed(styles: Sequence[KnownStyle], chosen: str | None) -> gr.Gallery:
    """Thumbnails of styles as they are now, the chosen title's in a frame."""
    titles = [style.title for style in styles]
    return gr.Gallery(pictures_of(styles), selected_index=titles.index(chosen) if chosen in titles else None)


def pictures_of(styles: Sequence[KnownStyle]) -> list[tuple]:
    """Thumbnails with titles, as a gallery shows them."""
    return [(_thumbnail(style.picture), style.title) for style in styles]


def _thumbnail(picture: Path | None):
    """What the gallery shows: a shipped file as it is, another picture small, a gray card where there is none."""
    if picture is not None and picture.parent == GALLERY_MODEL / THUMBNAILS:
        return str(picture)
    try:
        return fit_within(read_image(picture), _THUMBNAIL_PX) if picture else _NO_PICTURE
    except ImageError:
        return _NO_PICTURE


def chosen_style(event: gr.SelectData) -> str:
    """The title of the thumbnail that was clicked."""
    return event.value["caption"]


def _pair(before, after, icc_profile: bytes | None) -> dict[str, str]:
    return {
        "before": as_data_url(before, icc_profile=icc_profile),
        "after": as_data_url(after, icc_profile=icc_profile),
    }


def nothing_painted():
    """A line and a button that say nothing."""
    return "", gr.DownloadButton(visible=False)


def _one_style_alone():
    return None, gr.Gallery(selected_index=None)
