"""Text to Jinja's syntax tree, or to what is wrong with it in words that an author knows."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes

from .scope import Unit

_ENVIRONMENT: Final = Environment(autoescape=False)  # noqa: S701  it only parses, and prompts are no HTML
_CLOSE: Final = re.compile(r"innermost block that needs to be closed is '(\w+)'")


class Unparsable(NamedTuple):
    """A syntax error: the pattern says what to look for on its line."""

    unit: Unit
    line: int
    pattern: str
    message: str
    help: str | None


_LAST_OPENED = r"\{[{%#](?!.*\{[{%#]).*"


def parse(text: str, file: str | None) -> Unit | Unparsable:
    """The unit of a text, with its macros by name; of two with one name the first."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    unit = Unit(file, lines, [], {})
    try:
        body = _ENVIRONMENT.parse(text).body
    except TemplateSyntaxError as error:
        return _explained(unit, error.lineno, error.message or "the template can't be parsed")
    except RecursionError:
        return Unparsable(unit, 1, r"\S", "the template nests too deep", None)
    except ValueError:  # a number with more digits than Python reads
        return Unparsable(unit, 1, r"\d{100,}", "a number is too long", None)
    macros: dict[str, nodes.Macro] = {}
    for node in body:
        if isinstance(node, nodes.Macro):
            macros.setdefault(node.name, node)
    return Unit(file, lines, body, macros)


def _explained(unit: Unit, line: int, message: str) -> Unparsable:
    close = _CLOSE.search(message)
    help_ = f"the block `{close[1]}` is still open: close it with `{{% end{close[1]} %}}`" if close else None
    for expected, end in (("end of print statement", "}}"), ("end of statement block", "%}")):
        if f"expected '{expected}'" in message and "unexpected end of template" in message:
            return Unparsable(unit, line, _LAST_OPENED, f"the template ends before `{end}`", f"add `{end}`")
    first = re.split(r"\.\s|\.$", message)[0]
    at = re.fullmatch(r"unexpected char '.+' at (\d+)", first, re.DOTALL)
    if at is not None:
        return _character(unit, int(at[1]))
    quoted = re.findall(r"'([^']*)'", first)
    named = quoted[-1] if quoted and ("got" in first or "unknown tag" in first) else None
    pattern = re.escape(named) if named else _LAST_OPENED
    shown = re.sub(r"'([^']*)'", r"`\1`", first)
    return Unparsable(unit, line, pattern, shown[:1].lower() + shown[1:], help_)


def _character(unit: Unit, offset: int) -> Unparsable:
    """Jinja counts from the start of the text with its line ends made `\\n`."""
    before = "\n".join(unit.lines)[: offset + 1]
    line, character = before.count("\n") + 1, before[-1:]
    column = len(before) - before.rfind("\n") - 1
    pattern = rf"(?<=^.{{{column - 1}}}){re.escape(character)}" if column > 1 else re.escape(character)
    return Unparsable(unit, line, pattern, f"`{character}` is not expected here", None)
