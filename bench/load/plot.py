"""A bar for each figure, as a part of what it is held against, as SVG that suits a light page and a dark one. Pure.

The line at 1 is the bar to be met; longer is better whichever way the figure counts. Bars are cut at three times their bar.
"""

from collections.abc import Sequence
from html import escape

from bench.load.results import Claim, cell

WIDTH = 860
LABEL_WIDTH = 470
ROW = 26
TOP = 34
MOST = 3.0
STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #1f2328 } .value { fill: #59636e } .line { stroke: #59636e; stroke-dasharray: 3 3 }
.good { fill: #2f81b7 } .bad { fill: #c9510c }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .value { fill: #9198a1 } .line { stroke: #9198a1 }
.good { fill: #58a6d8 } .bad { fill: #e8853d } }"""


def bars(claims: Sequence[Claim]) -> str:
    """The picture."""
    height = TOP + ROW * len(claims) + 12
    scale = (WIDTH - LABEL_WIDTH - 90) / MOST
    line = LABEL_WIDTH + scale
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>Each figure as a part of what it is held against; 1 or more is good</title>",
        f"<style>{STYLE}</style>",
        f'<text x="{line:.0f}" y="18" text-anchor="middle" class="value">the bar</text>',
        f'<line x1="{line:.0f}" x2="{line:.0f}" y1="24" y2="{height - 8}" class="line"/>',
    ]
    for number, claim in enumerate(claims):
        parts += _row(claim, TOP + number * ROW, scale)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _row(claim: Claim, top: int, scale: float) -> list[str]:
    length = max(1.0, min(claim.reached, MOST) * scale)
    kind = "good" if claim.holds else "bad"
    value = f"{cell(claim.value)}{claim.unit}"
    return [
        f'<text x="{LABEL_WIDTH - 8}" y="{top + 14}" text-anchor="end">{escape(claim.text)}</text>',
        f'<rect x="{LABEL_WIDTH}" y="{top + 3}" width="{length:.1f}" height="{ROW - 10}" rx="2" class="{kind}"/>',
        f'<text x="{LABEL_WIDTH + length + 6:.1f}" y="{top + 14}" class="value">{escape(value)}</text>',
    ]
