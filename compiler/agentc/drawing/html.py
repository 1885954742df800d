"""Pictures as one page that needs nothing else: no script, no font, no image from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from .picture import Picture
from .svg import STYLE, as_svg

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_PAGE: Final = """\
:root { color-scheme: light dark; --ink: #1c1c1e; --paper: #fff; --line: #6b6b70; --state: #eef3fb;
  --private: #ece5f7; --untrusted: #b26a00; --broken: #c40000; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececf0; --paper: #1b1b1f; --line: #9a9aa2;
  --state: #22304a; --private: #3a2f52; --untrusted: #ffb74d; --broken: #ff6b6b; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: var(--ink); background: var(--paper); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid var(--line); }
.broken { color: var(--broken); font-weight: 600; }
"""


def as_html(pictures: Sequence[Picture]) -> str:
    """The page: each agent's drawing, what breaks a rule, and the same as a table."""
    return "".join(_pieces(pictures))


def _pieces(pictures: Sequence[Picture]) -> Iterator[str]:
    title = escape(", ".join(picture.title for picture in pictures))
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{title}</title>\n<style>\n{_PAGE}{STYLE}</style>\n</head>\n<body>\n<main>\n"
    for picture in pictures:
        yield f"<section>\n<h1>{escape(picture.title)}</h1>\n"
        yield from _findings(picture)
        yield '<div class="scroll" tabindex="0" role="region" aria-label="drawing">\n'
        yield as_svg(picture, embedded=True) + "</div>\n"
        yield (
            "<p>Dashed frames may hold text that a stranger wrote, violet ones private data. A red arrow "
            "is a call that such text can cause, or by which such data can leave, with nobody asked.</p>\n"
        )
        yield from _table(picture)
        yield "</section>\n"
    yield "</main>\n</body>\n</html>\n"


def _findings(picture: Picture) -> Iterator[str]:
    if picture.findings:
        yield "<ul>\n"
        for finding in picture.findings:
            yield f'<li class="broken">{escape(finding)}</li>\n'
        yield "</ul>\n"
    elif picture.judged:
        yield "<p>No flow breaks a rule.</p>\n"


def _table(picture: Picture) -> Iterator[str]:
    names = {box.key: box.lines[0] for box in picture.boxes}
    heads = "".join(f'<th scope="col">{word}</th>' for word in ("what", "is", "leads to"))
    yield f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n"
    for box in picture.boxes:
        targets = [
            names[arrow.target] + (f" ({arrow.broken})" if arrow.broken else "")
            for arrow in picture.arrows
            if arrow.source == box.key and arrow.target in names
        ]
        said = escape("; ".join(box.lines[1:]))
        row = (
            f'<th scope="row">{escape(box.lines[0])}</th><td>{said}</td><td>{escape(", ".join(targets))}</td>'
        )
        yield f"<tr>{row}</tr>\n"
    yield "</tbody>\n</table>\n"
