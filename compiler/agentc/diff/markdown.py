"""A delta as Markdown, for a comment on a pull request.

Whatever comes from a spec, a document or a name may be hostile: it stands in code, or every character of it
that could begin markup, a link, a mention or a command is written as an entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..report.findings import disarmed, visible
from .acceptance import Accepted
from .text import (
    acceptance_lines,
    bump_line,
    not_compared,
    notes,
    number_of,
    reproduction,
    short,
    verdict_line,
    where,
    witness_lines,
)
from .values import Change, Delta, Edit

#: What a service takes in one comment; what is longer is cut, with a word on it.
MAX_CHARACTERS = 60_000
_PLAIN = re.compile(r"[^A-Za-z0-9 ,;()\u00a0-\U0010ffff]")
_JOINER = "&#8288;"
_MARKS = {"high": "🔴", "medium": "🟠", "low": "🟡"}


def as_markdown(delta: Delta, accepted: Accepted) -> str:
    """All of it, ending in a line break, and never longer than a comment may be."""
    blocks = [f"### agentc diff\n\n**{prose(verdict_line(delta, accepted))}**"]
    if delta.widenings:
        blocks.append("#### Widened")
        blocks += [_change(change, accepted) for change in delta.widenings]
    fewer = [change for change in delta.changes if not change.widens]
    if fewer:
        shown = [_change(change, accepted) for change in fewer]
        blocks.append(_folded(number_of(len(fewer), "narrowing"), shown))
    if delta.edits:
        title = number_of(len(delta.edits), "change of behaviour", "changes of behaviour")
        blocks.append(_folded(title, [_edit(edit) for edit in delta.edits]))
    if delta.bumps:
        blocks.append(_list(bump_line(bump) for bump in delta.bumps))
    if said := list(acceptance_lines(delta, accepted)):
        blocks.append(_list(said))
    tail = [*(f"not compared: {line}" for line in not_compared(delta)), *reproduction(delta)]
    blocks.append(_folded("What was compared", [_list(tail)]))
    return _cut(blocks)


def prose(text: str) -> str:
    """A sentence of ours: what stands in backticks in it is code, and nothing in it is markup."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:  # a backtick in a name: then nothing is code
        return escaped(visible(text))
    return "".join(code(part) if index % 2 else escaped(part) for index, part in enumerate(parts))


def escaped(text: str) -> str:
    """The text with an entity for every character that could mean something, so that it means nothing.

    Addresses and mentions are looked for once entities are read, so `@` and `#` are cut off from what follows
    by a word joiner, which is not seen.
    """
    return _PLAIN.sub(lambda match: f"&#{ord(match[0])};{_JOINER if match[0] in '@#' else ''}", text)


def code(text: str) -> str:
    """The text in a code span, whatever is in it."""
    shown = visible(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if not shown.strip() or shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown or ' '}{pad}{fence}"


def block(lines: Iterable[str], language: str = "") -> str:
    """The lines in a block of code, whatever is in them."""
    shown = [visible(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *shown, fence])


def _change(change: Change, accepted: Accepted) -> str:
    title = f"{_MARKS[change.severity]} **{change.code}** {code(change.agent)}: "
    said = [f"{title}{code(short(change.subject))} {prose(short(change.what))}", "", code(where(change))]
    for note in notes(change, accepted):
        said += ["", prose(note)]
    if change.lines:
        said += ["", block(map(short, change.lines), "diff")]
    if change.witness is not None:
        said += ["", block(map(short, witness_lines(change.witness, change.subject)))]
    return "\n".join(said)


def _edit(edit: Edit) -> str:
    said = [f"{code(edit.agent)}: {code(edit.subject)} {prose(short(edit.what))}"]
    if edit.at is not None:
        said[0] += f" ({code(str(edit.at))})"
    if edit.lines:
        said += ["", block(map(short, edit.lines), "diff")]
    return "\n".join(said)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {prose(line)}" for line in lines)


def _folded(title: str, blocks: Iterable[str]) -> str:
    inside = "\n\n".join(blocks)
    return f"<details><summary>{title}</summary>\n\n{inside}\n\n</details>"


def _cut(blocks: Iterable[str]) -> str:
    return disarmed("".join(_kept(blocks)), "&#91;")


def _kept(blocks: Iterable[str]) -> Iterator[str]:
    used = 0
    every = list(blocks)
    for index, one in enumerate(every):
        used += len(one) + 2
        if used > MAX_CHARACTERS:
            left = len(every) - index
            yield f"\n**{left} parts do not fit into a comment: run agentc diff to read them**\n"
            return
        yield f"{one}\n" if index == len(every) - 1 else f"{one}\n\n"
