"""Findings as values: where, which rule, what is wrong, why, and what to do. Rendering lives in `report`.

Plain named tuples, because `--version` and `explain` import this module and must start fast.
Message style: lower case, no full stop, names and values in backticks, the help apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

Level: TypeAlias = Literal["error", "warning", "ignore"]


#: Syntax, names, schemas and templates: without them nothing else can be checked, and nothing can be built.
_FUNDAMENTAL = ("AC1", "AC2", "AC30", "AC310")
#: But these are about files that are no specs, and about what is not there: a project may mean it so.
_LEVELLED = frozenset({"AC116", "AC117", "AC118"})
#: Assertions: who answers for them says when they change, in the file where they stand.
ASSERTIONS = frozenset({"AC417", "AC418", "AC419", "AC420", "AC421", "AC422", "AC423"})


def is_fundamental(code: str) -> bool:
    """Whether a finding of the rule leaves no program that could be built or judged."""
    return code.startswith(_FUNDAMENTAL) and code not in _LEVELLED


def is_always_error(code: str) -> bool:
    """Whether a project can't set the level of a rule, nor a comment silence it."""
    return is_fundamental(code) or code in ASSERTIONS


def is_about_change(code: str) -> bool:
    """Whether `agentc diff` finds it, between two versions, and not `validate` in one."""
    return "AC901" <= code <= "AC919" and code != "AC918"


class Span(NamedTuple):
    """A region of a source file. Lines and columns count from 1, in characters; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


def within(span: Span, outer: Span) -> bool:
    """Whether a span begins inside another one."""
    place = (span.line, span.column)
    return span.file == outer.file and outer[1:3] <= place < outer[3:5]


class Note(NamedTuple):
    """More to know: a second place that matters, or a sentence."""

    message: str
    span: Span | None = None


class Edit(NamedTuple):
    """Replace `span` by `text`."""

    span: Span
    text: str


class Diagnostic(NamedTuple):
    """One finding of one rule. `edits` is a fix that can be applied without thought, when there is one."""

    code: str
    level: Level
    message: str
    span: Span
    help: str | None = None
    notes: tuple[Note, ...] = ()
    edits: tuple[Edit, ...] = ()


class Rule(NamedTuple):
    """One rule of the compiler, with its documentation.

    `bad` and `good` are small projects as text: `# file: PATH` lines separate files, which are laid over
    the base project of `agentc.checks.base`. In `bad`, each line where the finding stands ends with
    a comment `# <- CODE`. Tests run both; `agentc explain CODE` prints both. Of a rule about a change, `good`
    is the version before it and `bad` the one after it.
    """

    code: str
    name: str
    title: str
    why: str
    bad: str
    good: str
    level: Level = "error"

    def at(
        self,
        span: Span,
        message: str,
        *,
        help: str | None = None,  # noqa: A002  the word that users see is the word in the code
        notes: tuple[Note, ...] = (),
        edits: tuple[Edit, ...] = (),
    ) -> Diagnostic:
        """A finding of this rule at `span`."""
        return Diagnostic(self.code, self.level, message, span, help, notes, edits)


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `name` was probably meant to be, or `None`. Case and `-`/`_` count little."""
    from difflib import get_close_matches

    options = sorted(candidates)
    folded = {option.lower().replace("-", "_"): option for option in reversed(options)}
    key = name.lower().replace("-", "_")
    matches = get_close_matches(key, folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """The help line for an unknown name: the nearest one, else what there is, else `None`."""
    options = sorted(candidates)
    best = nearest(name, options)
    if best is not None:
        return f"did you mean `{best}`?"
    if not options:
        return None
    shown = ", ".join(f"`{option}`" for option in options[:8])
    return f"known: {shown}" + (f" and {len(options) - 8} more" if len(options) > 8 else "")
