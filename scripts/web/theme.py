"""How the page looks: the system's own letters, calm colors, light and dark as the system says."""

import gradio as gr

_FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
_FONT_MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

CSS = """
.gradio-container { max-width: 84rem !important; width: 100% !important; margin: 0 auto !important; }
/* The painting stays in sight while the sliders beside it are scrolled to, in no box that would scroll by itself. */
.gradio-container { overflow: clip !important; }
@media (min-width: 60rem) {
  .beside { align-self: stretch; }
  #view { position: sticky; top: .5rem; z-index: 2; background: var(--body-background-fill); }
}
#title h1 { margin: 0; font-size: 1.5rem; }
#title p { margin: 0; color: var(--body-text-color-subdued); }
.styles .grid-wrap { max-height: 21rem; overflow-y: auto; padding: 0; }
.styles .grid-container { gap: .4rem; grid-template-columns: repeat(auto-fill, minmax(5.6rem, 1fr)) !important; }
.styles .thumbnail-item { border-radius: var(--radius-md); }
.styles .caption-label { inset: auto 0 0 0; max-width: none; max-height: none; padding: .15rem .3rem; border: 0;
  border-radius: 0; background: #000a; color: #fff; font-size: .7rem; line-height: 1.25; white-space: normal;
  opacity: 1 !important; }
.styles .thumbnail-item.selected { outline: 3px solid var(--color-accent); outline-offset: -3px; }
/* Gradio's is higher than our field, and would lie over the choice of sources. */
[title="grant webcam access"] .wrap { min-height: 0 !important; height: 100%; }
.note { color: var(--body-text-color-subdued); font-size: .9rem; }
.note p { margin: 0; }
.empty { margin: 0; padding: 3rem 1rem; text-align: center; color: var(--body-text-color-subdued);
  border: 1px dashed var(--border-color-primary); border-radius: var(--radius-lg); }
.frames { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem; }
.frames img { width: 100%; margin: 0; border-radius: var(--radius-sm); }
/* Drawn by the browser itself, a bar would be green or blue. */
progress { width: 100%; height: .6rem; appearance: none; border: 0; border-radius: 1rem; overflow: hidden; }
progress, progress::-webkit-progress-bar { background: var(--border-color-primary); }
progress::-webkit-progress-value { background: var(--color-accent); }
progress::-moz-progress-bar { background: var(--color-accent); }
.plan pre { font-size: .8rem; overflow-x: auto; white-space: pre; }
.plot-box { --ink: var(--body-text-color); --soft: var(--body-text-color-subdued); --rule: var(--border-color-primary);
  --paper: var(--background-fill-primary); }
.plot { width: 100%; height: auto; font-size: 12px; } .plot text { fill: var(--soft); }
.plot .grid { stroke: var(--rule); } .plot .curve { stroke: var(--color-accent); stroke-width: 2; }
.plot .raw { stroke: var(--color-accent); opacity: .25; }
.plot circle { fill: var(--color-accent); stroke: var(--paper); }
.plot .network { stroke: var(--ink); stroke-width: 1.5; } .plot .network-label { fill: var(--ink); font-weight: 600; }
@media (max-width: 40rem) {
  .gradio-container main { padding: .5rem !important; }
  .styles .grid-wrap { max-height: 15rem; }
}
"""


def theme() -> gr.themes.Base:
    """A theme that asks no other host for fonts."""
    return gr.themes.Soft(
        primary_hue=gr.themes.colors.orange,
        secondary_hue=gr.themes.colors.orange,
        neutral_hue=gr.themes.colors.stone,
        font=_FONT,
        font_mono=_FONT_MONO,
    )
