"""A page with the trace of an event, to which the console links."""

from collections.abc import Sequence
from html import escape

from sandbox.systems.collector.otlp import Row
from sandbox.systems.collector.tree import branches

_STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color-scheme: light dark; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: .2rem .6rem; text-align: left; white-space: nowrap; }
.bar { background: #3b82f6; height: .7rem; min-width: 2px; border-radius: 2px; } .failed .bar { background: #dc2626; }
td.time { width: 50%; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
"""


def page(event_id: str, spans: Sequence[Row]) -> str:
    """A row for each span: name, what is to be said of it, and when it was on its way."""
    found = list(branches(spans))
    whole = max((it.after + it.seconds for it in found), default=0.0) or 1.0
    rows = "\n".join(
        f'<tr{" class=failed" if it.span["error"] else ""}><td style="padding-left:{0.6 + 1.2 * it.depth}rem">'
        f"{escape(it.span['name'])}</td><td>{escape(it.said)}</td>"
        f'<td class=number>{it.seconds * 1000:.1f} ms</td><td class=time><div class=bar style="margin-left:'
        f'{100 * it.after / whole:.2f}%;width:{100 * it.seconds / whole:.2f}%"></div></td></tr>'
        for it in found
    )
    title = f"Trace of event {escape(event_id)}"
    body = f"<table><tr><th>Span</th><th>How it ended</th><th>Took</th><th>When</th></tr>{rows}</table>"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1>{body if found else '<p>No span of it has come yet.</p>'}</html>"
    )
