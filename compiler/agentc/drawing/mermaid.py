"""A picture as a Mermaid flowchart, which GitHub and GitLab draw where it stands in Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from .picture import Arrow, Box, Picture

_SHAPES = {"data": ('[/"', '"/]'), "state": ('("', '")'), "tool": ('["', '"]'), "place": ('[("', '")]')}
_LINES = {"next": "-->", "catch": "-.->", "call": "-->", "reach": "-.-", "read": "-->"}


def as_mermaid(picture: Picture) -> str:
    """The text of the flowchart. Spec text is escaped: no label ends its quotes or is read as markup."""
    return "\n".join(_lines(picture)) + "\n"


def _lines(picture: Picture) -> Iterator[str]:
    names = {box.key: f"n{number}" for number, box in enumerate(picture.boxes)}
    yield "flowchart LR"
    for box in picture.boxes:
        yield f"  {names[box.key]}{_box(box)}"
    drawn = [arrow for arrow in picture.arrows if {arrow.source, arrow.target} <= names.keys()]
    for arrow in drawn:
        yield f"  {names[arrow.source]} {_line(arrow)} {names[arrow.target]}"
    for name, key in (("untrusted", "untrusted"), ("private", "private")):
        marked = [names[box.key] for box in picture.boxes if getattr(box, key)]
        if marked:
            yield f"  class {','.join(marked)} {name}"
    broken = [str(number) for number, arrow in enumerate(drawn) if arrow.broken]
    if broken:
        yield f"  linkStyle {','.join(broken)} stroke:#c00,stroke-width:3px,color:#c00"
    yield "  classDef untrusted stroke:#b26a00,stroke-width:2px,stroke-dasharray:5 3"
    yield "  classDef private fill:#e8e0f5,color:#222"


def _box(box: Box) -> str:
    before, after = _SHAPES[box.column]
    return before + "<br/>".join(_escaped(line) for line in box.lines) + after


def _line(arrow: Arrow) -> str:
    words = " ".join(word for word in (arrow.label, arrow.broken) if word)
    line = _LINES[arrow.kind]
    return f'{line}|"{_escaped(words)}"|' if words else line


def _escaped(text: str) -> str:
    """Mermaid's entities: `#` and a name or number, and `;`."""
    return "".join(sign if sign.isalnum() or sign in " .,_/:-{}$()" else f"#{ord(sign)};" for sign in text)
