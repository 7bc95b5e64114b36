"""Draws a decision table as a ladder: each rule a rung, its outcome beside it, down to what holds otherwise.

The picture brings its own background, so that it can be read on a light page and on a dark one. Everything is set in
a monospaced font, whose width is known, so that text never runs out of its box.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from lifecycle_mail.policy.tables import Table

TONES = ("go", "stop", "care", "plain")
"""What an outcome means for the contact: mail goes on, mail stops, something is tried, nothing is done."""

_CHARACTER = 7.25  # the width of a character of 12 px, a little more than any monospaced font needs
_LINE = 17
_PAD = 12
_GAP = 26
_NUMBER = 40
_ARROW = 64
_MOST = 64  # characters of a predicate in one line
_SMALLEST = 30

_STYLE = """\
    text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2933; }
    .title, .name { font-weight: bold; }
    .title { font-size: 14px; }
    .when { fill: #3e4c59; }
    .quiet { fill: #616e7c; }
    .page { fill: #ffffff; stroke: #d5dbe1; }
    .rung { fill: #f4f6f8; stroke: #9aa5b1; }
    .way { stroke: #7b8794; fill: none; }
    .tip { fill: #7b8794; }
    .go { fill: #d8f3e0; stroke: #2f855a; }
    .stop { fill: #fde3e1; stroke: #c0392b; }
    .care { fill: #fdf0cf; stroke: #b7791f; }
    .plain { fill: #e4e9ef; stroke: #7b8794; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e8ecf0; }
      .when { fill: #c3ccd5; }
      .quiet { fill: #9fabb7; }
      .page { fill: #14181c; stroke: #39424c; }
      .rung { fill: #1f262d; stroke: #56616d; }
      .go { fill: #14432a; stroke: #48a777; }
      .stop { fill: #571d18; stroke: #e0695e; }
      .care { fill: #4d3a0c; stroke: #cf9a3a; }
      .plain { fill: #2d3640; stroke: #7b8794; }
    }"""


def wrap(text: str, width: int = _MOST) -> list[str]:
    """Break a predicate before its `and` and `or`, or else between words; later lines are indented."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}".strip() if not line.startswith("  ") else f"{line} {word}"
        if line.strip() and (len(joined) > width or (word in ("and", "or") and len(text) > width)):
            lines.append(line)
            line = f"  {word}"
        else:
            line = joined
    return [*lines, line]


def ladder(table: Table, tones: Mapping[str, str], *, title: str = "") -> str:
    """Draw a table as an SVG picture.

    Args:
        table: the table.
        tones: one of `TONES` for each outcome; left out, it is `stop`.
        title: what stands above; left out, the table's name.
    """
    rungs = [(rule.name, wrap(str(rule.when)), str(rule.then)) for rule in table.rules]
    last = (table.otherwise.name, ["no rule above holds"], str(table.otherwise.then))
    widest = max(len(line) for name, lines, _ in [*rungs, last] for line in [name, *lines])
    box = round(max(widest, _SMALLEST) * _CHARACTER) + 2 * _PAD
    pill = round(max(len(outcome) for _, _, outcome in [*rungs, last]) * _CHARACTER) + 3 * _PAD
    left = _NUMBER
    right = left + box + _ARROW
    width = right + pill + _PAD
    shown = title or table.name
    width = max(width, round(len(shown) * _CHARACTER * 14 / 12) + 2 * _PAD)
    parts: list[str] = []
    y = 46
    for number, (name, lines, outcome) in enumerate([*rungs, last], 1):
        height = _LINE * (1 + len(lines)) + 13
        middle = y + height // 2
        is_last = number == len(rungs) + 1
        parts.append(f'<rect class="rung" x="{left}" y="{y}" width="{box}" height="{height}" rx="6"/>')
        if not is_last:
            parts.append(f'<text class="quiet" x="{left - 10}" y="{y + 21}" text-anchor="end">{number}</text>')
        parts.append(f'<text class="name" x="{left + _PAD}" y="{y + 21}">{escape(name)}</text>')
        for place, line in enumerate(lines, 1):
            indent = (len(line) - len(line.lstrip())) * _CHARACTER
            kind = "quiet" if is_last else "when"
            parts.append(
                f'<text class="{kind}" x="{left + _PAD + indent:g}" y="{y + 21 + _LINE * place}">'
                f"{escape(line.strip())}</text>"
            )
        start, end = left + box, right
        parts.append(f'<path class="way" d="M{start} {middle} H{end - 8}"/>')
        parts.append(f'<path class="tip" d="M{end - 9} {middle - 4} L{end - 1} {middle} L{end - 9} {middle + 4} z"/>')
        if not is_last:
            parts.append(
                f'<text class="quiet" x="{(start + end) // 2 - 4}" y="{middle - 6}" text-anchor="middle">yes</text>'
            )
        tone = tones.get(outcome, "stop")
        parts.append(f'<rect class="{tone}" x="{right}" y="{middle - 14}" width="{pill}" height="28" rx="14"/>')
        centre = f'x="{right + pill / 2:g}" y="{middle + 4}" text-anchor="middle"'
        parts.append(f'<text class="name" {centre}>{escape(outcome)}</text>')
        if not is_last:
            down = left + 28
            foot = y + height
            parts.append(f'<path class="way" d="M{down} {foot} V{foot + _GAP - 8}"/>')
            tip = foot + _GAP - 1
            parts.append(f'<path class="tip" d="M{down - 4} {tip - 8} L{down} {tip} L{down + 4} {tip - 8} z"/>')
            parts.append(f'<text class="quiet" x="{down + 9}" y="{foot + 17}">no</text>')
        y += height + _GAP
    total = y - _GAP + _PAD
    body = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" viewBox="0 0 {width} {total}" '
        f'role="img">\n  <title>{escape(shown)}</title>\n  <style>\n{_STYLE}\n  </style>\n'
        f'  <rect class="page" x="0.5" y="0.5" width="{width - 1}" height="{total - 1}" rx="8"/>\n'
        f'  <text class="title" x="{_PAD}" y="28">{escape(shown)}</text>\n  {body}\n</svg>\n'
    )
