"""A picture as SVG: four columns of boxes, and curves between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from .picture import Box, Column, Picture

COLUMNS: Final[tuple[Column, ...]] = ("data", "state", "tool", "place")
_LINE, _PAD, _GAP, _BETWEEN, _MARGIN, _HEAD = 16, 8, 18, 90, 20, 56
#: How far a curve inside a column goes out of it.
_AROUND: Final = 70
#: Width of a character of the font, as a part of its size: enough for any of ours.
_CHARACTER = 7.3

STYLE: Final = """\
.picture { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; }
.picture text { fill: var(--ink, #1c1c1e); }
.picture .name { font-weight: 600; }
.picture .title { font-size: 16px; font-weight: 600; }
.picture .box { fill: var(--paper, #fff); stroke: var(--line, #6b6b70); }
.picture .state .box { fill: var(--state, #eef3fb); }
.picture .private .box { fill: var(--private, #ece5f7); }
.picture .untrusted .box { stroke: var(--untrusted, #b26a00); stroke-width: 2; stroke-dasharray: 5 3; }
.picture .arrow { fill: none; stroke: var(--line, #6b6b70); marker-end: url(#head); }
.picture .catch, .picture .reach { stroke-dasharray: 4 3; }
.picture .broken { stroke: var(--broken, #c40000); stroke-width: 3; marker-end: url(#broken-head); }
.picture text.told { fill: var(--broken, #c40000); font-weight: 600; }
.picture .halo { paint-order: stroke; stroke: var(--paper, #fff); stroke-width: 4; }
"""


@dataclass(frozen=True)
class _Place:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def as_svg(picture: Picture, *, embedded: bool = False) -> str:
    """The drawing, with a title and a description for those who can't see it.

    `embedded` leaves the style out, for a page that has it.
    """
    places, width, height = _placed(picture)
    return "".join(_pieces(picture, places, width, height, embedded))


def _placed(picture: Picture) -> tuple[Mapping[str, _Place], float, float]:
    places: dict[str, _Place] = {}
    # curves inside the first column go around its left side
    first_is_states = all(box.column != "data" for box in picture.boxes)
    x, lowest = float(_MARGIN + _AROUND * first_is_states), 0.0
    for column in COLUMNS:
        boxes = [box for box in picture.boxes if box.column == column]
        if not boxes:
            continue
        width = max(len(line) for box in boxes for line in box.lines) * _CHARACTER + 2 * _PAD
        y = float(_MARGIN + _HEAD)
        for box in boxes:
            height = len(box.lines) * _LINE + 2 * _PAD
            places[box.key] = _Place(x, y, width, height)
            y += height + _GAP
        x, lowest = x + width + _BETWEEN, max(lowest, y)
    return places, x - _BETWEEN + _MARGIN, lowest - _GAP + _MARGIN


def _pieces(
    picture: Picture, places: Mapping[str, _Place], width: float, height: float, embedded: bool
) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img" aria-labelledby="t d" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">\n'
    )
    yield f'<title id="t">{escape(picture.title)}</title>\n'
    yield f'<desc id="d">{escape(_words(picture))}</desc>\n'
    if not embedded:
        yield f"<style>\n{STYLE}</style>\n"
    yield "<defs>"
    for name, color in (("head", "var(--line, #6b6b70)"), ("broken-head", "var(--broken, #c40000)")):
        yield (
            f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 10 5 0 10z" fill="{color}"/></marker>'
        )
    yield "</defs>\n"
    yield f'<text class="title" x="{_MARGIN}" y="{_MARGIN + 16}">{escape(picture.title)}</text>\n'
    yield f'<text x="{_MARGIN}" y="{_MARGIN + 36}">{escape(picture.subtitle)}</text>\n'
    drawn = [arrow for arrow in picture.arrows if {arrow.source, arrow.target} <= places.keys()]
    curves = [
        (arrow, _curve(places[arrow.source], places[arrow.target]))
        for arrow in sorted(drawn, key=lambda arrow: arrow.broken is not None)
    ]
    for arrow, curve in curves:
        marks = f"arrow {arrow.kind}" + (" broken" if arrow.broken else "")
        yield f'<path class="{marks}" d="{curve.path}"/>\n'
    for box in picture.boxes:
        yield _box(box, places[box.key])
    for arrow, curve in curves:
        words = " ".join(word for word in (arrow.label, arrow.broken) if word)
        if words:
            kind = "halo told" if arrow.broken else "halo"
            at = f'x="{curve.x:.1f}" y="{curve.y - 3:.1f}" text-anchor="{curve.anchor}"'
            yield f'<text class="{kind}" {at}>{escape(words)}</text>\n'
    yield "</svg>\n"


def _words(picture: Picture) -> str:
    broken = [arrow for arrow in picture.arrows if arrow.broken]
    told = f"{len(broken)} calls break a rule about flows" if broken else "no flow breaks a rule"
    states = ", ".join(box.lines[0] for box in picture.boxes if box.column == "state")
    tools = ", ".join(box.lines[0] for box in picture.boxes if box.column == "tool") or "none"
    return f"States: {states}. Tools: {tools}." + (f" {told}." if picture.judged else "")


def _box(box: Box, place: _Place) -> str:
    marks = " ".join(
        name for name in (box.column, "untrusted" * box.untrusted, "private" * box.private) if name
    )
    rows = "".join(
        f'<text{" class=" + chr(34) + "name" + chr(34) if number == 0 else ""} x="{place.x + _PAD:.1f}" '
        f'y="{place.y + _PAD + (number + 0.78) * _LINE:.1f}">{escape(line)}</text>'
        for number, line in enumerate(box.lines)
    )
    corner = 10 if box.column == "state" else 2
    frame = (
        f'<rect class="box" x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" '
        f'height="{place.height:.1f}" rx="{corner}"/>'
    )
    return f'<g class="{marks}">{frame}{rows}</g>\n'


@dataclass(frozen=True)
class _Curve:
    path: str
    x: float
    y: float
    anchor: str


def _curve(source: _Place, target: _Place) -> _Curve:
    y = (source.middle + target.middle) / 2
    if source.x == target.x:
        # inside a column: around its left side, further out for a longer way
        out = min(float(_AROUND), 18 + abs(target.middle - source.middle) / 8)
        path = (
            f"M{source.x:.1f} {source.middle:.1f}C{source.x - out:.1f} {source.middle:.1f} "
            f"{target.x - out:.1f} {target.middle:.1f} {target.x:.1f} {target.middle:.1f}"
        )
        return _Curve(path, source.x - 0.75 * out - 2, y + 6, "end")
    start, end = source.x + source.width, target.x
    bend = (end - start) / 2
    path = (
        f"M{start:.1f} {source.middle:.1f}C{start + bend:.1f} {source.middle:.1f} "
        f"{end - bend:.1f} {target.middle:.1f} {end:.1f} {target.middle:.1f}"
    )
    return _Curve(path, start + bend, y, "middle")
