"""From bytes to YAML documents with positions, and the comments that silence findings.

Positions are what an editor shows: lines end at LF, CRLF or CR, a tab is one column, a byte order mark is
none. libyaml also ends lines at NEL, LS and PS; those are refused and replaced before it sees them.
"""

from __future__ import annotations

import gc
import re
from bisect import bisect_right
from typing import NamedTuple

from .characters import readable_text
from .checks.ac108_too_large import MAX_BYTES, MAX_DEPTH, MAX_NODES, report_bytes
from .compose import Composer
from .diagnostics import Diagnostic, Span
from .source import Document, SourceFile
from .yaml_events import EventReader, c_events

#: A file with more findings than anybody reads is refused by the first ones.
_MOST_FINDINGS = 1000
_MARK = "agentc: ignore"
_SUPPRESSION = re.compile(
    r"(?<!\S)#[ \t]*agentc: ignore[ \t]+(AC[0-9]{3}(?:[ \t]*,[ \t]*AC[0-9]{3})*)[ \t]*"
    r"(?:[-–—:]+[ \t]*)?([^\n]*)"  # noqa: RUF001  the dashes that people type
)


class Suppression(NamedTuple):
    """A comment `# agentc: ignore AC501 - reason`. `line` is the line that it speaks of, `span` the comment.

    A comment on a line of its own speaks of the next line that holds more than a comment.
    """

    code: str
    reason: str
    line: int
    span: Span


def parse_documents(
    file: SourceFile, *, events: EventReader = c_events
) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """The documents of a spec file and every AC1 finding in it.

    A document with a syntax error is left out; one with another finding is there, as far as it can be
    understood: the first of two equal keys, the value that an alias stands for. Empty documents are left out.
    """
    if len(file.data) > MAX_BYTES:
        return (), (report_bytes(file.whole(), len(file.data)),)
    text, found = readable_text(file)
    composer = Composer(file, text, events)
    collecting = gc.isenabled()
    gc.disable()  # many live nodes and no cycle: the collector would only walk them
    try:
        composer.run()
    finally:
        if collecting:
            gc.enable()
    if found:  # what breaks where a refused character stands is no finding of its own
        spoiled = {line for finding in found for line in (finding.span.line, finding.span.line + 1)}
        composer.found = [f for f in composer.found if f.code != "AC101" or f.span.line not in spoiled]
    return tuple(composer.documents), (*found, *composer.found)[:_MOST_FINDINGS]


def suppressions(file: SourceFile, *, events: EventReader = c_events) -> tuple[Suppression, ...]:
    """The comments of a spec file that silence a finding, in source order.

    What looks like one inside quotes or a block of text is text. Comments after a syntax error are not seen.
    """
    if _MARK not in file.text or len(file.data) > MAX_BYTES:
        return ()
    text, _ = readable_text(file)
    quoted, end = _quoted(text, events)
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    begins = [start for start, _ in quoted]
    following = _following(file.lines)
    found: list[Suppression] = []
    for match in _SUPPRESSION.finditer(text, 0, end):
        at = bisect_right(begins, match.start()) - 1
        if at >= 0 and match.start() < quoted[at][1]:
            continue
        line = bisect_right(starts, match.start())
        span = Span(
            file.path,
            line,
            match.start() - starts[line - 1] + 1,
            line,
            match.end() - starts[line - 1] + 1,
        )
        alone = file.lines[line - 1].lstrip().startswith("#")
        target = following[line] if alone else line
        codes = [code.strip() for code in match[1].split(",")]
        found.extend(Suppression(code, match[2].strip(), target, span) for code in codes)
    return tuple(found)


def _following(lines: list[str]) -> list[int]:
    """For each line, counted from 1, the next one that holds more than a comment; at the end, itself."""
    following = list(range(len(lines) + 1))
    for number in range(len(lines) - 1, 0, -1):
        below = lines[number].strip()
        blank = not below or below.startswith("#")
        following[number] = following[number + 1] if blank else number + 1
    return following


def _quoted(text: str, events: EventReader) -> tuple[list[tuple[int, int]], int]:
    """The regions of the text that hold quoted and block scalars, and where the readable text ends."""
    from yaml import YAMLError
    from yaml.events import CollectionEndEvent, CollectionStartEvent, ScalarEvent

    regions: list[tuple[int, int]] = []
    depth = 0
    end = 0
    next_event = events(text)
    for _ in range(2 * MAX_NODES):
        try:
            event = next_event()
        except YAMLError:
            return regions, end
        if event is None:
            return regions, len(text)
        end = event.end_mark.index
        if isinstance(event, ScalarEvent) and event.style:
            start = event.start_mark.index
            if event.style in "|>":
                start = text.find("\n", start) if "\n" in text[start:end] else end
            regions.append((start, end))
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            break
    return regions, end
