"""Where a value comes from: whether what a call sends stands word for word in something that was trusted.

A model that has read hostile text can be told to call anything. What it can't do is put an address of the
attacker's into the user's request. So an argument may be limited to values that stand in one of these:

- `input`, `session`: the data of the run, where the agent's spec says that it is trusted;
- `spec`: the texts of the agent's prompts, and what its `tool` states send word for word;
- `trusted`: what tools have answered in this run whose answers are labelled trusted;
- `approved`: the arguments of calls that a person has approved in this run.

A value stands in a text when it is a whole piece of it: `x.org` does not stand in `x.org.evil.example`,
nor in `alice@x.org`. Letters are compared exactly. The idea is that of capabilities on values, as in CaMeL
(arXiv:2503.18813), reduced to what can be decided without a second model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, get_args

from .bundle import Origin, Program
from .expressions import Const
from .once import Once
from .template import literals
from .workflow import AgentState, ModelState, ToolState

ORIGINS: Final[tuple[Origin, ...]] = get_args(Origin)
#: Characters of one origin that are kept. What comes later does not count, so that more is asked, not less.
MAX_KEPT: Final = 16 * 1024 * 1024

_SPACE: Final = re.compile(r"\s+")
#: What belongs to a word: letters, digits, combining marks, and characters that are not seen.
_WORD: Final = (
    "[\\w\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
#: What goes on with a word when there is more of one behind it.
_JOINER: Final = "[.@+%:/&=?#~'-]"
_WHOLE: Final = f"(?<!{_WORD})(?<!{_WORD}{_JOINER}){{}}(?!{_WORD})(?!{_JOINER}{_WORD})"
#: A number that is no part of a word, a date, a time or an address.
_NUMBER: Final = re.compile(r"(?<![\w.,:/#@-])[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w:/@-]|[.,]\d)")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::00(?:\.0+)?)?(?:Z|[+-]00:00)?")


class Origins:
    """What stands in each origin of one run. It grows while the run reads.

    One with an `outer` begins with what stands there, and keeps to itself what is added until that absorbs
    it: branches that run at once learn nothing from each other, whatever their order.
    """

    def __init__(self, outer: Origins | None = None) -> None:
        self._outer = outer
        self._texts: dict[Origin, list[str]] = {}
        self._numbers: dict[Origin, set[Decimal]] = {}
        if outer is not None:
            outer._read()
        self._left: dict[Origin, int] = {} if outer is None else dict(outer._left)

        #: Added, and not read yet: most runs ask for no value's origin.
        self._unread: list[tuple[Origin, object, object]] = []

    def absorb(self, inner: Origins) -> None:
        """Add what was added to `inner`, as far as there is room."""
        self._read()
        inner._read()
        for origin, texts in inner._texts.items():
            left = self._left.get(origin, MAX_KEPT)
            for text in texts:
                left -= len(text)
                if left < 0:
                    break
                self._texts.setdefault(origin, []).append(text)
            self._left[origin] = left
        for origin, numbers in inner._numbers.items():
            self._numbers.setdefault(origin, set()).update(numbers)

    def add(self, origin: Origin, value: object, *, without: object = ()) -> None:
        """Count all that is said in a JSON value, keys included, as standing in `origin`.

        Texts and numbers that hold one of those in the JSON value `without` are left out. None of the values
        changes later.
        """
        self._unread.append((origin, value, without))

    def _read(self) -> None:
        for unread in self._unread:
            self._take(*unread)
        self._unread.clear()

    def _take(self, origin: Origin, value: object, without: object) -> None:
        texts = self._texts.setdefault(origin, [])
        numbers = self._numbers.setdefault(origin, set())
        left = self._left.get(origin, MAX_KEPT)
        unwanted = [str(leaf) for leaf in _leaves(without)]
        for leaf in _leaves(value):
            if any(one in str(leaf) for one in unwanted):
                continue
            if not isinstance(leaf, str):
                numbers.add(Decimal(str(leaf)))
                texts.append(str(leaf))
                continue
            left -= len(leaf)
            if left < 0:
                break
            texts.append(_SPACE.sub(" ", leaf))
            numbers.update(_numbers(leaf))
        self._left[origin] = left

    def stands_in(self, value: object, among: Iterable[Origin]) -> bool:
        """Whether every text and number in the JSON value `value` stands in one of the origins `among`.

        True, false and null say nothing that could be an address. Nor does a text without a character
        that is no space.
        """
        self._read()
        origins = tuple(among)
        return all(self._stands(leaf, origins) for leaf in _leaves(value))

    def _stands(self, leaf: str | float, origins: tuple[Origin, ...]) -> bool:
        if not isinstance(leaf, str):
            number = Decimal(str(leaf))
            return any(self._counted(number, origin) for origin in origins)
        text = _SPACE.sub(" ", leaf).strip()
        if not text:
            return True
        return any(self._written(text, origin) for origin in origins) or self._moment(text, origins)

    def _counted(self, number: Decimal, origin: Origin) -> bool:
        here = number in self._numbers.get(origin, ())
        return here or (self._outer is not None and self._outer._counted(number, origin))

    def _written(self, text: str, origin: Origin) -> bool:
        whole = re.compile(_WHOLE.format(re.escape(text)))
        return self._searched(whole, origin)

    def _searched(self, whole: re.Pattern[str], origin: Origin) -> bool:
        here = any(whole.search(within) is not None for within in self._texts.get(origin, ()))
        return here or (self._outer is not None and self._outer._searched(whole, origin))

    def _moment(self, text: str, origins: tuple[Origin, ...]) -> bool:
        """A date with a time, where both stand in the same origin: `on 2024-05-19 at 10:00`."""
        moment = _MOMENT.fullmatch(text)
        return moment is not None and any(
            all(self._written(part, origin) for part in moment.groups()) for origin in origins
        )


def in_words(origins: Iterable[Origin]) -> str:
    """`the input or the session`."""
    return " or ".join(_WORDS[origin] for origin in origins)


_WORDS: Final[Mapping[Origin, str]] = {
    "input": "the input",
    "session": "the session",
    "spec": "the prompts of the spec",
    "trusted": "a trusted answer of this run",
    "approved": "a call that was approved in this run",
}


def origins_of(program: Program, given: object, session: object) -> Origins:
    """What values may be traced to when a run of `program` begins with this input and session."""
    origins = Origins(_spec_of(program))
    if program.input.label.trust == "trusted":
        origins.add("input", given)
    if program.session.label.trust == "trusted":
        origins.add("session", session)
    return origins


def _spec(program: Program) -> Origins:
    """What stands in the program itself."""
    origins = Origins()
    for state in program.states.values():
        if isinstance(state, AgentState | ModelState):
            origins.add("spec", [*literals(state.instructions), *literals(state.prompt)])
        elif isinstance(state, ToolState):
            origins.add("spec", [one.value for one in state.arguments.values() if isinstance(one, Const)])
    return origins


_spec_of: Final = Once(_spec)


def _leaves(value: object) -> Iterator[str | float]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str | int | float) and not isinstance(one, bool):
            yield one
        elif isinstance(one, Mapping):
            waiting += one.keys()
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one


def _numbers(text: str) -> Iterator[Decimal]:
    for found in _NUMBER.findall(text):
        try:
            yield Decimal(found.replace(",", ""))
        except InvalidOperation:  # more digits than a decimal has
            continue
