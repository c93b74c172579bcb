"""Two pictures over each other with an edge that moves: by the mouse, a finger, or the arrow keys."""

import gradio as gr

_HTML = """
<div class="before-after" hidden>
  <div class="stack">
    <img class="before" alt="${left}" draggable="false"><img class="after" alt="${right}" draggable="false">
    <span class="edge"></span><span class="name left">${left}</span><span class="name right">${right}</span>
  </div>
  <input type="range" min="0" max="100" step="1" value="30" aria-label="${left} to the left, ${right} to the right">
</div>
<p class="nothing" role="status">${placeholder}</p>
"""
_CSS = """
.stack { position: relative; cursor: ew-resize; touch-action: pan-y; --cut: 30%; --shape: 1; line-height: 0;
  width: min(100%, calc(72vh * var(--shape))); margin: 0 auto; overflow: hidden; border-radius: var(--radius-md); }
.stack img { width: 100%; user-select: none; display: block; margin: 0; }
.stack .after { position: absolute; inset: 0; height: 100%; clip-path: inset(0 0 0 var(--cut)); }
.edge { position: absolute; top: 0; bottom: 0; left: var(--cut); border-left: 2px solid #fff;
  box-shadow: 0 0 4px #0008; pointer-events: none; }
.name { position: absolute; bottom: .5rem; padding: .1rem .5rem; border-radius: 1rem; background: #0009; color: #fff;
  font-size: .8rem; line-height: 1.4; pointer-events: none; }
.left { left: .5rem; } .right { right: .5rem; }
input { width: 100%; margin: .5rem 0 0; accent-color: var(--color-accent); }
.nothing { margin: 0; padding: 5rem 1rem; text-align: center; color: var(--body-text-color-subdued);
  border: 1px dashed var(--border-color-primary); border-radius: var(--radius-lg); }
[hidden] { display: none; }
"""
# The template names no value, so that pictures change in place and the edge stays where it was put.
_JS = """
const view = element.querySelector('.before-after'), stack = element.querySelector('.stack');
const range = element.querySelector('input'), nothing = element.querySelector('.nothing');
const before = element.querySelector('.before'), after = element.querySelector('.after');
const placeholder = nothing.textContent;
const show = () => {
  const pictures = props.value || {};
  view.hidden = !pictures.after;
  nothing.hidden = !!pictures.after;
  nothing.textContent = pictures.problem || placeholder;
  if (pictures.before && before.src !== pictures.before) before.src = pictures.before;
  if (pictures.after && after.src !== pictures.after) after.src = pictures.after;
};
before.onload = () => stack.style.setProperty('--shape', before.naturalWidth / before.naturalHeight);
const cut = () => stack.style.setProperty('--cut', range.value + '%');
const follow = event => {
  const box = stack.getBoundingClientRect();
  range.value = Math.round(100 * (event.clientX - box.left) / box.width);
  cut();
};
range.addEventListener('input', cut);
stack.addEventListener('pointerdown', event => { stack.setPointerCapture(event.pointerId); follow(event); });
stack.addEventListener('pointermove', event => { if (event.buttons) follow(event); });
watch('value', show);
show();
"""


def before_after(*, left: str, right: str, placeholder: str, elem_id: str) -> gr.HTML:
    """The component; its value is `{"before": URL, "after": URL}`, or `{"problem": why there are none}`.

    Args:
        left: name of the first picture.
        right: of the second.
        placeholder: said while there are none.
        elem_id: of the component.
    """
    return gr.HTML(
        value={},
        html_template=_HTML,
        css_template=_CSS,
        js_on_load=_JS,
        left=left,
        right=right,
        placeholder=placeholder,
        elem_id=elem_id,
    )
