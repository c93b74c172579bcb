"""The report's page around its content: colors for light and dark, and the lines of script that move the slider."""

from html import escape

_STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --soft: #6b6b70; --paper: #ffffff; --rule: #dcdce0;
  --lbfgs: #2563c9; --adam: #c2540a; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf0; --soft: #a0a0a8; --paper: #17171a; --rule: #3a3a40;
  --lbfgs: #7cb0ff; --adam: #ffa45c; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 3rem; border-top: 1px solid var(--rule); padding-top: 1rem; }
.answer { font-size: 1.15rem; } .soft, figcaption { color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .9rem .25rem 0; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
.pictures { display: flex; flex-wrap: wrap; gap: .8rem; } figure { margin: 0; width: 10.9rem; }
img { width: 100%; height: auto; display: block; }
.photo { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin: 1rem 0; }
.photo > .numbers { flex: 1 1 24rem; min-width: 0; }
.slider { flex: 1 1 20rem; max-width: 32rem; --cut: 50%; } .slider img + img { position: absolute; inset: 0;
  clip-path: inset(0 0 0 var(--cut)); } .slider input { width: 100%; margin: .4rem 0 0; }
.slider .edge { position: absolute; top: 0; bottom: 0; left: var(--cut); border-left: 2px solid #fff; }
.stack { position: relative; } .choice { display: flex; justify-content: space-between; gap: 1rem; margin-top: .3rem; }
.plot { width: 100%; max-width: 46rem; height: auto; font-size: 12px; } .plot text { fill: var(--soft); }
.grid { stroke: var(--rule); } .curve { stroke-width: 2; stroke-linejoin: round; }
.curve.lbfgs, .key.lbfgs { stroke: var(--lbfgs); } .curve.adam, .key.adam { stroke: var(--adam); }
.from-noise { stroke-dasharray: 6 4; } circle { stroke-dasharray: none !important; stroke: var(--paper); }
circle.lbfgs { fill: var(--lbfgs); } circle.adam { fill: var(--adam); }
.network { stroke: var(--ink); stroke-width: 1.5; } .plot .network-label { fill: var(--ink); font-weight: 600;
  stroke: var(--paper); stroke-width: 4px; paint-order: stroke; }
.keys { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .9rem; } .key { stroke-width: 3; }
.keys svg { width: 2.2rem; height: .7rem; margin-right: .4rem; } pre { overflow-x: auto; white-space: pre-wrap; }
"""

_SCRIPT = """
for (const slider of document.querySelectorAll('.slider')) {
  const figures = [...slider.closest('section').querySelectorAll('.pictures figure')];
  const [left, right] = slider.querySelectorAll('img');
  const choices = slider.querySelectorAll('select');
  figures.forEach((figure, i) => choices.forEach((choice, side) => {
    const name = figure.querySelector('figcaption').dataset.name;
    choice.add(new Option(name, i, false, i === Math.min(side + 1, figures.length - 1)));
  }));
  const show = () => [left, right].forEach((img, side) => {
    img.src = figures[choices[side].value].querySelector('img').src;
  });
  choices.forEach(choice => choice.addEventListener('change', show));
  const range = slider.querySelector('input');
  range.addEventListener('input', () => slider.style.setProperty('--cut', range.value + '%'));
  show();
  slider.hidden = false;
}
"""

# Left and right picture are put in by the script, out of the pictures below; without scripts these are all there is.
SLIDER = (
    '<div class="slider" hidden><div class="stack"><img alt="left picture"><img alt="right picture">'
    '<span class="edge"></span></div><input type="range" min="0" max="100" value="50" aria-label="how much of each">'
    '<div class="choice"><select aria-label="left picture"></select><select aria-label="right picture"></select></div>'
    "</div>"
)


def page(title: str, body: str) -> str:
    """A whole HTML document that needs nothing from outside."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    content = f"<head>{head}<style>{_STYLE}</style></head><body>{body}<script>{_SCRIPT}</script></body>"
    return f'<!doctype html><html lang="en">{content}</html>\n'


def table(columns: list[str], rows: list[list[str]]) -> str:
    """An HTML table of plain texts."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    lines = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
