"""The patterns of the language: ECMA regular expressions without what costs more than linear time.

The runtime's engine is Rust's, which reads a few constructs differently (`[a&&b]`, `\\A`, `(?i)`, `a++`), so
what is accepted is only what both read alike. `anchored` gives the text that the runtime gets.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from .regex_tree import Alternatives, Characters, Dot, End, Repeat, Sequence, Start, Tree

MAX_LENGTH: Final = 2_000
MAX_DEPTH: Final = 40
MAX_REPEAT: Final = 1_000
#: How many copies nested counts may make of their innermost part.
MAX_COPIES: Final = 10_000
#: The size of a compiled pattern; the runtime sets the same bound.
MAX_BYTES: Final = 1 << 20

_CLASSES: Final = frozenset("dDwWsS")
_CONTROL: Final = frozenset("tnrfv")
_SYNTAX: Final = frozenset("^$\\.*+?()[]{}|/-")
_CATEGORIES: Final = frozenset(
    "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z".split(" ")  # noqa: SIM905  short
)
#: ECMA's `.` stops at four line ends, Rust's at one.
_ANY: Final = r"[^\n\r\u2028\u2029]"


class PatternProblem(NamedTuple):
    """Why a pattern is outside the language. `offset` counts characters of the pattern from 0."""

    message: str
    offset: int
    help: str | None = None


class _OutsideError(Exception):
    def __init__(self, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.problem = PatternProblem(message, offset, hint)


def check_pattern(pattern: str) -> PatternProblem | None:
    """What is wrong with `pattern`, or `None` when the runtime will match it, in linear time."""
    if len(pattern) > MAX_LENGTH:
        return PatternProblem(f"the pattern is longer than {MAX_LENGTH:,} characters", 0)
    try:
        _Parser(pattern).parse()
    except _OutsideError as outside:
        return outside.problem
    return (
        None
        if _compiles(pattern)
        else PatternProblem(
            "the pattern is too large for the matcher", 0, "use smaller counts, or `maxLength` beside it"
        )
    )


def syntax_tree(pattern: str) -> Tree | None:
    """What `pattern` says, unanchored as it stands, or `None` when it is outside the language."""
    if len(pattern) > MAX_LENGTH:
        return None
    try:
        return _Parser(pattern).parse()
    except _OutsideError:
        return None


def anchored(pattern: str) -> str:
    """The same pattern for the runtime: it matches a whole text and never a part, and `.` as ECMA has it.

    A pattern that `check_pattern` refuses is only wrapped.
    """
    parser = _Parser(pattern)
    try:
        parser.parse()
    except _OutsideError:
        return f"^(?:{pattern})$"
    pieces, last = list[str](), 0
    for dot in parser.dots:
        pieces += [pattern[last:dot], _ANY]
        last = dot + 1
    whole = "".join(pieces) + pattern[last:]
    return whole if parser.whole else f"^(?:{whole})$"


def _compiles(pattern: str) -> bool:
    from jsonschema_rs import Draft202012Validator, RegexOptions, ValidationError

    try:
        Draft202012Validator(
            {"pattern": anchored(pattern)}, pattern_options=RegexOptions(size_limit=MAX_BYTES)
        )
    except (ValidationError, ValueError):
        return False
    return True


class _Parser:
    """Recursive descent over ECMA's grammar. `dots` are the offsets of `.`; `whole` means `^…$` as it is."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.dots: list[int] = []
        self.whole = False

    def parse(self) -> Tree:
        tree, _ = self.alternatives(0)
        if self.at < len(self.text):
            raise _OutsideError("`)` closes nothing", self.at, "write `\\)` for the character")
        parts = tree.parts if isinstance(tree, Sequence) else ()
        self.whole = len(parts) > 1 and parts[0] == Start() and parts[-1] == End()
        return tree

    def peek(self, ahead: int = 0) -> str:
        return self.text[self.at + ahead : self.at + ahead + 1]

    def alternatives(self, depth: int) -> tuple[Tree, int]:
        """What stands up to the closing bracket or the end, and the most copies of any part."""
        if depth > MAX_DEPTH:
            raise _OutsideError(f"groups nest deeper than {MAX_DEPTH}", self.at)
        branches: list[list[Tree]] = [[]]
        most = 1
        while (sign := self.peek()) and sign != ")":
            if sign == "|":
                branches.append([])
                self.at += 1
            elif sign in "^$":
                branches[-1].append(Start() if sign == "^" else End())
                self.at += 1
                self.no_repeat()
            else:
                term, copies = self.term(sign, depth)
                branches[-1].append(term)
                most = max(most, copies)
        parts = tuple(Sequence(tuple(branch)) for branch in branches)
        return parts[0] if len(parts) == 1 else Alternatives(parts), most

    def no_repeat(self) -> None:
        if self.peek() and self.peek() in "*+?{":
            raise _OutsideError("nothing to repeat", self.at)

    def term(self, sign: str, depth: int) -> tuple[Tree, int]:
        start = self.at
        atom, copies = self.atom(sign, depth)
        counts = self.repeat()
        if counts is None:
            return atom, copies
        least, most = counts
        copies *= max(1, least, most or 1)
        if copies > MAX_COPIES:
            raise _OutsideError("nested counts multiply to too much", start, "use smaller counts")
        return Repeat(atom, least, most), copies

    def atom(self, sign: str, depth: int) -> tuple[Tree, int]:
        if sign == "(":
            return self.group(depth)
        if sign == "[":
            return self.characters(), 1
        if sign == "\\":
            found = self.escape(inside=False)
            return Characters(((found, found),)) if isinstance(found, int) else Characters((), (found,)), 1
        if sign in "*+?":
            raise _OutsideError("nothing to repeat", self.at, f"write `\\{sign}` for the character")
        if sign in "{}]":
            raise _OutsideError(
                f"`{sign}` has no counterpart", self.at, f"write `\\{sign}` for the character"
            )
        if sign == ".":
            self.dots.append(self.at)
        self.at += 1
        return Dot() if sign == "." else Characters(((ord(sign), ord(sign)),)), 1

    def group(self, depth: int) -> tuple[Tree, int]:
        start = self.at
        self.at += 1
        if self.peek() == "?":
            opening = self.text[self.at : self.at + 3]
            if opening.startswith("?:"):
                self.at += 2
            elif opening.startswith(("?=", "?!")) or opening in ("?<=", "?<!"):
                raise _OutsideError(
                    "look-around is not supported", start, "state what the text is, not what surrounds it"
                )
            elif opening.startswith(("?<", "?P")):
                raise _OutsideError("named groups are not supported", start, "write `(?:…)`")
            else:
                raise _OutsideError(
                    "inline flags are not supported", start, "write both cases, such as `[aA]`"
                )
        tree, copies = self.alternatives(depth + 1)
        if self.peek() != ")":
            raise _OutsideError("`(` is not closed", start)
        self.at += 1
        return tree, copies

    def repeat(self) -> tuple[int, int | None] | None:
        """Reads a quantifier: how often at least and at most; `None` without one."""
        start, sign = self.at, self.peek()
        if not sign or sign not in "*+?{":
            return None
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1), "{": (0, 0)}[sign]
        self.at += 1
        if sign == "{":
            close = self.text.find("}", self.at)
            low, comma, high = self.text[self.at : close].partition(",")
            digits = [part for part in (low, high) if part]
            if close < 0 or not low or not all(part.isascii() and part.isdigit() for part in digits):
                raise _OutsideError("`{` is not a count", start, "write `{2}`, `{2,}` or `{2,5}`, or `\\{`")
            bounds = [int(part) if len(part) < 9 else MAX_REPEAT + 1 for part in digits]
            if max(bounds) > MAX_REPEAT:
                raise _OutsideError(
                    f"a count is over {MAX_REPEAT:,}", start, "use `maxLength` for long texts"
                )
            least, most = bounds[0], None if comma and not high else bounds[-1]
            if most is not None and least > most:
                raise _OutsideError("the count's bounds are the wrong way round", start)
            self.at = close + 1
        if self.peek() == "?":
            self.at += 1
        self.no_repeat()
        return least, most

    def characters(self) -> Characters:
        start = self.at
        negated = self.peek(1) == "^"
        self.at += 2 if negated else 1
        if self.peek() == "]":
            raise _OutsideError("a set of characters is empty", start)
        ranges: list[tuple[int, int]] = []
        classes: list[str] = []
        while self.peek() != "]":
            if not self.peek():
                raise _OutsideError("`[` is not closed", start)
            low, first = self.at, self.member()
            last = first
            if self.peek() == "-" and self.peek(1) not in ("]", ""):
                self.at += 1
                last = self.member()
                if isinstance(first, str) or isinstance(last, str) or first > last:
                    raise _OutsideError("a range is not one character to a later one", low)
            if isinstance(first, str) or isinstance(last, str):
                classes.append(str(first))
            else:
                ranges.append((first, last))
        self.at += 1
        return Characters(tuple(ranges), tuple(classes), negated)

    def member(self) -> int | str:
        """One member of a set: its code point, or the text of a class such as `\\d`."""
        sign = self.peek()
        if sign == "\\":
            return self.escape(inside=True)
        if sign in ("&", "-", "~") and self.peek(1) == sign:
            raise _OutsideError(
                f"`{sign}{sign}` in a set is read differently by matchers",
                self.at,
                f"write `\\-` or one `{sign}`",
            )
        if sign == "[" or not sign:
            raise _OutsideError("`[` in a set is read differently by matchers", self.at, "write `\\[`")
        self.at += 1
        return ord(sign)

    def escape(self, *, inside: bool) -> int | str:
        """The code point that an escape stands for, or the text of a class."""
        start = self.at
        sign = self.peek(1)
        self.at += 2
        if sign in _CLASSES and sign:
            return f"\\{sign}"
        if sign in _CONTROL and sign:
            return ord({"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}[sign])
        if sign in _SYNTAX and sign:
            return ord(sign)
        if sign in ("x", "u"):
            return self.code_point(start, 2 if sign == "x" else 4)
        if sign in ("p", "P"):
            self.category(start)
            return self.text[start : self.at]
        if sign.isdigit():
            raise _OutsideError("back-references are not supported", start)
        if sign in ("b", "B") and not inside:
            raise _OutsideError("word boundaries are not supported", start, "write the characters around it")
        raise _OutsideError(
            f"`\\{sign}` is not an escape", start, f"write `{sign}`" if sign else "write `\\\\`"
        )

    def code_point(self, start: int, digits: int) -> int:
        text = self.text[self.at : self.at + digits]
        if len(text) != digits or not all(sign in "0123456789abcdefABCDEF" for sign in text):
            raise _OutsideError(f"the escape needs {digits} hex digits", start)
        if 0xD800 <= int(text, 16) <= 0xDFFF:
            raise _OutsideError("half of a surrogate pair is not a character", start, "write the character")
        self.at += digits
        return int(text, 16)

    def category(self, start: int) -> None:
        close = self.text.find("}", self.at)
        name = self.text[self.at + 1 : close]
        if self.peek() != "{" or close < 0 or name not in _CATEGORIES:
            raise _OutsideError(
                "the escape needs a general category",
                start,
                "write one such as `\\p{L}`, `\\p{Lu}` or `\\p{Nd}`",
            )
        self.at = close + 1
