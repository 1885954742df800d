"""YAML files of a project that are no specs and that no spec refers to: whether one was meant to be a spec.

Most are somebody else's: documents, workflows, values. What holds nothing, is no YAML or only almost says
that it is a spec would otherwise be passed over in silence, and with it an agent or a limit.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from itertools import islice
from typing import Final

import yaml

from .checks import ac116_unread_file, ac118_almost_a_spec
from .diagnostics import Diagnostic, Span
from .source import SourceFile
from .syntax.kinds import KINDS

_VERSION: Final = "agentc/v1"
#: A line that says nothing: a comment, or where a document begins or ends.
_IDLE: Final = re.compile(rb"[ \t]*(#.*|---|\.\.\.)?[ \t]*")
#: What templates of YAML have and YAML has not.
_TEMPLATE: Final = (b"{{", b"{%")
_NOT_TEXT: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")
#: Deeper than anything that somebody writes; a parser takes very long for a file of opening brackets.
_MAX_DEPTH: Final = 100
#: Events of a parser after which a file is YAML. One that may be almost a spec is read to its end.
_ENOUGH: Final = 1_000
_KIND: Final = re.compile(rb"^kind[ \t]*:", re.MULTILINE)
_OURS: Final = frozenset({"spec", "metadata"})


def stray_findings(others: Mapping[str, SourceFile], known: Container[str]) -> Iterator[Diagnostic]:
    """What is wrong with the files in `others`; those in `known` are read for somebody."""
    for path, file in others.items():
        if path not in known:
            yield from _findings(file)


def _findings(file: SourceFile) -> Iterator[Diagnostic]:
    data = file.data.removeprefix(b"\xef\xbb\xbf")
    if all(_IDLE.fullmatch(line) for line in data.splitlines()):
        yield ac116_unread_file.report(file.whole(), file.path, "is empty")
        return
    if _NOT_TEXT.search(data) or not _is_utf8(data):
        yield ac116_unread_file.report(file.whole(), file.path, "is not text")
        return
    if any(mark in data for mark in _TEMPLATE):
        return
    try:
        top = _top(data)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        reason = f"is not YAML: {error.problem or 'unreadable'}"
        yield ac116_unread_file.report(_line(file, line), file.path, reason)
        return
    except yaml.YAMLError:
        yield ac116_unread_file.report(file.whole(), file.path, "is not YAML")
        return
    if top is None:
        yield ac116_unread_file.report(file.whole(), file.path, "holds a single value")
    else:
        yield from _almost(file, top)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _top(data: bytes) -> dict[str, tuple[str, int]] | None:
    """The keys of the first map at the top of a document, each with its value, if that is a scalar, and its
    line; `None` when every document holds but a scalar.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    found: dict[str, tuple[str, int]] | None = None
    collected = False
    depth = 0
    key: tuple[str, int] | None = None
    enough = None if _KIND.search(data) else _ENOUGH
    for event in islice(yaml.parse(data, Loader=yaml.CSafeLoader), enough):
        is_start = isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent)
        if depth == 1 and found is not None and not collected:
            if key is None and isinstance(event, yaml.ScalarEvent):
                key = (event.value, event.start_mark.line + 1 if event.start_mark else 1)
                continue
            if key is not None and (is_start or isinstance(event, yaml.NodeEvent)):
                found.setdefault(key[0], (event.value if isinstance(event, yaml.ScalarEvent) else "", key[1]))
                key = None
        if is_start:
            if depth == 0 and found is None:
                found = {}
                collected = isinstance(event, yaml.SequenceStartEvent)
            depth += 1
            if depth > _MAX_DEPTH:
                raise yaml.YAMLError("nested too deeply")
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
            collected = collected or depth == 0
    return found


def _almost(file: SourceFile, top: Mapping[str, tuple[str, int]]) -> Iterator[Diagnostic]:
    """A file with a kind of ours, and without the `apiVersion` by which it would be read."""
    kind, line = top.get("kind", ("", 1))
    if kind not in KINDS or not _OURS & top.keys():
        return
    written = top.get("apiVersion")
    if written is None:
        near = next((key for key in top if _folded(key) == "apiversion"), None)
        reason = f"it has `{near}` and no `apiVersion`" if near else "it has no `apiVersion`"
    elif _folded(written[0]).startswith("agentc"):
        reason, line = f"its `apiVersion` is `{written[0][:40]}`", written[1]
    else:
        return
    yield ac118_almost_a_spec.report(_line(file, line), file.path, kind, reason, _VERSION)


def _line(file: SourceFile, number: int) -> Span:
    """A whole line, the last one if the file has less."""
    number = min(number, len(file.lines))
    return Span(file.path, number, 1, number, max(2, len(file.lines[number - 1]) + 1))


def _folded(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())
