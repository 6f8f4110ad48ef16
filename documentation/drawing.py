"""Shapes of a picture, and the SVG document that they become, light and dark."""

from dataclasses import dataclass, field
from html import escape

_COLOURS = {
    "light": {"text": "#1f2328", "quiet": "#59636e", "line": "#59636e", "box": "#f6f8fa", "azure": "#ddf4ff"},
    "dark": {"text": "#e6edf3", "quiet": "#9da7b3", "line": "#9da7b3", "box": "#212830", "azure": "#12304f"},
}
THEMES = tuple(_COLOURS)
WIDTH = 432
_LINE, _PADDING = 17, 10


@dataclass
class Drawing:
    """Shapes in the order in which they are drawn."""

    shapes: list[str] = field(default_factory=list)

    def box(self, left: float, top: float, right: float, lines: list[str], *, kind: str = "box") -> float:
        """Draw a box with its text, the first line in bold and names in backquotes as code; returns its lower edge."""
        height = len(lines) * _LINE + 2 * _PADDING - 4
        self.shapes.append(
            f'<rect class="{kind}" x="{left}" y="{top}" width="{right - left}" height="{height}" rx="6"/>'
        )
        for place, line in enumerate(lines):
            weight = "bold" if place == 0 else "quiet"
            self.text((left + right) / 2, top + _PADDING + 9 + place * _LINE, line, kind=weight)
        return top + height

    def text(self, x: float, y: float, line: str, *, kind: str = "quiet", more: str = "") -> None:
        """One line of text, centred at `x`."""
        if line.startswith("`"):
            kind += " code"
        self.shapes.append(f'<text class="{kind}" x="{x}" y="{y}"{more}>{escape(line.strip("`"))}</text>')

    def arrow(self, *points: tuple[float, float], both: bool = False) -> None:
        """A line along `points` with an arrow head at its end, or at both ends."""
        path = "M" + " L".join(f"{x} {y}" for x, y in points)
        start = ' marker-start="url(#head)"' if both else ""
        self.shapes.append(f'<path class="line" d="{path}" marker-end="url(#head)"{start}/>')


def document(drawing: Drawing, height: float, theme: str, *, title: str, description: str) -> str:
    """The SVG file, `height` high; `title` and `description` are for those who cannot see it."""
    colours = _COLOURS[theme]
    style = (
        'text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;text-anchor:middle}'
        f".bold{{fill:{colours['text']};font-weight:600}}.quiet{{fill:{colours['quiet']}}}"
        '.code{font:12px ui-monospace,"Cascadia Mono",Menlo,Consolas,monospace}'
        f".box,.azure{{stroke:{colours['line']};fill:{colours['box']}}}.azure{{fill:{colours['azure']}}}"
        f".line{{stroke:{colours['line']};stroke-width:1.5;fill:none}}.head{{fill:{colours['line']}}}"
    )
    head = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
    )
    said = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
        f'height="{height:g}" role="img">'
    )
    return "\n".join([opening, said, f"<style>{style}</style>", head, *drawing.shapes, "</svg>", ""])
