"""Small charts as SVG, drawn on the server: their words say the same to those who do not see them.

The label is escaped; all else are numbers, so that templates may take them as they are (`|safe`).
"""

from collections.abc import Sequence
from html import escape
from typing import Final

_WIDTH: Final = 120
_HEIGHT: Final = 28


def bars(values: Sequence[int], label: str, kind: str = "") -> str:
    """A bar for each value; the largest one has the whole height, and none is invisible."""
    step, largest = _WIDTH / max(len(values), 1), max([*values, 1])
    drawn = []
    for place, value in enumerate(values):
        height = max(2.0, _HEIGHT * value / largest) if value else 1.0
        name = "bar" if value else "bar none"
        drawn.append(
            f'<rect class="{name}" x="{place * step:.1f}" y="{_HEIGHT - height:.1f}" width="{max(step - 1, 0.6):.1f}" '
            f'height="{height:.1f}"/>'
        )
    return _svg("".join(drawn), label, kind)


def line(values: Sequence[float], label: str, kind: str = "") -> str:
    """A line through the values, with the area beneath it."""
    if len(values) < 2:
        values = [*values, *values] or [0, 0]
    largest, step = max([*values, 1]), _WIDTH / (len(values) - 1)
    points = [(place * step, 1 + (_HEIGHT - 2) * (1 - value / largest)) for place, value in enumerate(values)]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    area = f'<polygon class="area" points="0,{_HEIGHT} {drawn} {_WIDTH},{_HEIGHT}"/>'
    return _svg(f'{area}<polyline class="stroke" points="{drawn}"/>', label, kind)


def _svg(content: str, label: str, kind: str) -> str:
    return (
        f'<svg class="chart {escape(kind)}" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{content}</svg>'
    )
