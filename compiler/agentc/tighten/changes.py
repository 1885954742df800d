"""What is proposed, and what is not and why: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agentc_runtime.origins import in_words as origins_in_words

from ..diagnostics import Span
from ..predicates import FROM
from ..words import phrase

Kind = Literal["grant", "argument", "quota"]


@dataclass(frozen=True)
class Change:
    """One thing that a grant would no longer allow.

    `grant`: the grant goes. `argument`: `limit` is put into `where` for the argument `name`, and stands for
    what it says already under the same keywords. `quota`: `count` calls a run or a day, by `name`. `was` is
    what the grant says now, in words, empty for nothing. `because` is the evidence. `witness` are arguments
    that it allows now and not then, if it is a limit. `span` is the place.
    """

    tool: str
    kind: Kind
    span: Span
    because: str
    name: str = ""
    limit: Mapping[str, object] = field(default_factory=dict)
    count: int = 0
    was: str = ""
    witness: object = None


@dataclass(frozen=True)
class Kept:
    """Something that stays as it is although it is wider than what was seen, and why."""

    tool: str
    what: str
    why: str


def limit_in_words(limit: Mapping[str, object]) -> str:
    """What an author's limit asks of its argument, after `is`; empty for nothing."""
    rest = {key: value for key, value in limit.items() if key != FROM}
    said = [phrase(rest)] if rest else []
    origins = limit.get(FROM)
    said += [f"in {origins_in_words(origins)}"] if isinstance(origins, list) else []
    return " and ".join(said)
