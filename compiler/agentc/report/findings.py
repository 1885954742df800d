"""What every format needs: the findings with their sources, display paths, counts and safe text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..diagnostics import Diagnostic
from ..source import SourceFile

#: What a terminal obeys or does not show. A line break is among it: a message is one line.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


class Report(NamedTuple):
    """The findings of one project. `base` is the path to the project's root, put before each file's path.

    Diagnostics at level `ignore` are not reported. `sources` holds every file that was checked, by its path.
    """

    base: str
    diagnostics: Sequence[Diagnostic]
    sources: Mapping[str, SourceFile]

    def shown(self) -> list[Diagnostic]:
        """The errors and warnings, in the order given."""
        return [diagnostic for diagnostic in self.diagnostics if diagnostic.level != "ignore"]

    def path(self, file: str) -> str:
        """The path to show for a file of the project, with `/`."""
        base = self.base.replace("\\", "/").rstrip("/")
        return file if base in ("", ".") else f"{base}/{file}"


class Counts(NamedTuple):
    """How many findings there are. `files` counts those with findings, `checked` all."""

    errors: int
    warnings: int
    files: int
    checked: int


def count(reports: Sequence[Report]) -> Counts:
    """The sums over all reports."""
    found = [(report.path(finding.span.file), finding.level) for report, finding in every(reports)]
    errors = sum(level == "error" for _, level in found)
    checked = {report.path(file) for report in reports for file in report.sources}
    return Counts(errors, len(found) - errors, len({file for file, _ in found}), len(checked))


def every(reports: Sequence[Report]) -> Iterator[tuple[Report, Diagnostic]]:
    """Each finding with its report."""
    for report in reports:
        for diagnostic in report.shown():
            yield report, diagnostic


def visible(text: str) -> str:
    """The text, with an escape for what acts on a terminal or can't be seen: `\\x1b`, `\\u202e`."""
    return _UNSAFE.sub(lambda match: escaped(match[0]), text)


def disarmed(text: str, bracket: str) -> str:
    """The text without `##[`, which begins a command anywhere in a line that GitHub's runner prints.

    `bracket` is what the format writes for `[`.
    """
    return text.replace("##[", f"##{bracket}")


def escaped(character: str) -> str:
    """The escape of one character."""
    code = ord(character)
    if code < 0x100:
        return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code, f"\\x{code:02x}")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_visible(character: str) -> bool:
    """Whether the character can be shown as it is."""
    return _UNSAFE.match(character) is None
