"""Bars as SVG, of one table at a time."""

from html import escape
from typing import Final

from sandbox.analytics.opened import Figures

_ROW, _LABEL, _BAR, _WIDTH = 22, 230, 420, 760
_MOST: Final = 48
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1f2933}.bar{fill:#2f6f9f}"
    "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.bar{fill:#6cb2e2}}"
)


def bars(figures: Figures, value: int = 1) -> str:
    """A bar for each row, named by its first column and as long as its column `value`; the newest rows if many."""
    shown = figures.rows[-_MOST:]
    most = max((float(row[value]) for row in shown), default=0.0) or 1.0
    height = _ROW * (len(shown) + 2)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(figures.title)}">',
        f"<style>{_STYLE}</style>",
        f'<text x="0" y="16" font-weight="600">{escape(f"{figures.title} ({figures.columns[value]})")}</text>',
    ]
    for number, row in enumerate(shown, 1):
        top, length = number * _ROW + 8, _BAR * float(row[value]) / most
        lines += [
            f'<text x="0" y="{top + 12}">{escape(str(row[0]))}</text>',
            f'<rect class="bar" x="{_LABEL}" y="{top}" width="{length:.1f}" height="{_ROW - 6}"/>',
            f'<text x="{_LABEL + length + 6:.1f}" y="{top + 12}">{escape(str(row[value]))}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
