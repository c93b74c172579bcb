"""A brush that draws where the style goes: over the photo, by the mouse, a finger, or the keyboard."""

import gradio as gr

_HTML = """
<div class="brush">
  <div class="sheet">
    <img alt="the photo to draw on" draggable="false">
    <canvas tabindex="0" role="img" aria-label="mask: draw where the photo is painted; arrow keys move the brush,
      space draws, Delete starts anew"></canvas><span class="tip"></span>
  </div>
  <div class="tools">
    <label>Brush <input type="range" min="2" max="30" value="12" aria-label="size of the brush"></label>
    <button type="button" class="draw" aria-pressed="true">Draw</button>
    <button type="button" class="rub" aria-pressed="false">Rub out</button>
    <button type="button" class="anew">Everywhere again</button>
  </div>
</div>
"""
_CSS = """
.sheet { position: relative; line-height: 0; touch-action: none; cursor: crosshair; overflow: hidden; }
.sheet img { width: 100%; display: block; margin: 0; user-select: none; }
.sheet img:not([src]) { min-height: 6rem; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; opacity: .55; }
.tip { position: absolute; border: 2px solid #fff; box-shadow: 0 0 3px #000; border-radius: 50%; display: none;
  transform: translate(-50%, -50%); pointer-events: none; }
canvas:focus-visible { outline: 3px solid var(--color-accent); outline-offset: -3px; }
canvas:focus-visible + .tip { display: block; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-top: .5rem; }
.tools label { display: flex; gap: .5rem; align-items: center; flex: 1 1 10rem; }
.tools input { flex: 1; min-width: 0; accent-color: var(--color-accent); }
button { padding: .25rem .8rem; border-radius: var(--radius-md); border: 1px solid var(--border-color-primary);
  background: var(--button-secondary-background-fill); color: var(--button-secondary-text-color); }
button[aria-pressed=true] { border-color: var(--color-accent); box-shadow: inset 0 0 0 1px var(--color-accent); }
"""
_JS = """
const photo = element.querySelector('img'), canvas = element.querySelector('canvas');
const tip = element.querySelector('.tip'), size = element.querySelector('input'), pen = canvas.getContext('2d');
const [draw, rub, anew] = ['.draw', '.rub', '.anew'].map(name => element.querySelector(name));
let last = null, shown = '', at = [.5, .5];
const clear = () => pen.clearRect(0, 0, canvas.width, canvas.height);
const show = () => {
  const given = props.value || {};
  if (given.photo === shown) return;
  shown = given.photo || '';
  if (!shown) { photo.removeAttribute('src'); clear(); return; }
  photo.onload = () => { canvas.width = photo.naturalWidth; canvas.height = photo.naturalHeight; };
  photo.src = shown;
};
const tell = mask => { props.value = {photo: shown, mask}; trigger('drawn'); };
const width = () => size.value / 100 * Math.max(canvas.width, canvas.height);
const stroke = (from, to) => {
  pen.globalCompositeOperation = rub.getAttribute('aria-pressed') === 'true' ? 'destination-out' : 'source-over';
  Object.assign(pen, {strokeStyle: '#e4572e', lineWidth: width(), lineCap: 'round', lineJoin: 'round'});
  pen.beginPath(); pen.moveTo(...from); pen.lineTo(to[0] + .01, to[1]); pen.stroke();
};
const place = event => {
  const box = canvas.getBoundingClientRect();
  const share = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  return [share[0] * canvas.width, share[1] * canvas.height];
};
canvas.addEventListener('pointerdown', event => {
  if (!shown) return;
  canvas.setPointerCapture(event.pointerId);
  last = place(event);
  stroke(last, last);
});
canvas.addEventListener('pointermove', event => {
  if (!last) return;
  const here = place(event);
  stroke(last, here);
  last = here;
});
canvas.addEventListener('pointerup', () => { if (last) { last = null; tell(canvas.toDataURL('image/png')); } });
const showTip = () => {
  const px = size.value / 100 * Math.max(canvas.clientWidth, canvas.clientHeight) + 'px';
  Object.assign(tip.style, {left: 100 * at[0] + '%', top: 100 * at[1] + '%', width: px, height: px});
};
canvas.addEventListener('focus', showTip);
canvas.addEventListener('keydown', event => {
  const steps = {ArrowLeft: [-.03, 0], ArrowRight: [.03, 0], ArrowUp: [0, -.03], ArrowDown: [0, .03]};
  if (event.key in steps) at = at.map((value, axis) => Math.min(1, Math.max(0, value + steps[event.key][axis])));
  else if (event.key === ' ' && shown) {
    const here = [at[0] * canvas.width, at[1] * canvas.height];
    stroke(here, here);
    tell(canvas.toDataURL('image/png'));
  } else if (event.key === 'Delete') anew.click();
  else return;
  event.preventDefault();
  showTip();
});
const press = (on, off) => { on.setAttribute('aria-pressed', 'true'); off.setAttribute('aria-pressed', 'false'); };
draw.addEventListener('click', () => press(draw, rub));
rub.addEventListener('click', () => press(rub, draw));
anew.addEventListener('click', () => { clear(); tell(''); });
watch('value', show);
show();
"""


def mask_brush(*, elem_id: str) -> gr.HTML:
    """The component; its value is `{"photo": URL, "mask": URL or ""}`, and `drawn` its event after every stroke."""
    return gr.HTML(value={}, html_template=_HTML, css_template=_CSS, js_on_load=_JS, elem_id=elem_id)
