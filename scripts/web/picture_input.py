"""Where a picture is dropped: its file reaches our own code as it is, with all that belongs to it."""

from typing import Any

import gradio as gr


def picture_input(label: str, *, elem_id: str, visible: bool = True) -> gr.Image:
    """An image input whose value is the uploaded file's path.

    Gradio would decode the file first, drop what it does not know, and name defects in its own words.
    """
    component = gr.Image(
        type="filepath",
        label=label,
        sources=["upload", "webcam", "clipboard"],
        height=180,
        elem_id=elem_id,
        visible=visible,
    )
    component.preprocess = _path  # type: ignore[method-assign]  # a subclass would have Gradio write a .pyi beside it
    return component


def _path(payload: Any) -> str | None:
    return payload.path if payload else None
