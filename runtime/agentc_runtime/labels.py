"""What is known of data, and how that combines: what comes from several places is as suspect as the worst."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from .expressions import Record

#: `typed`: from untrusted content, reduced to values that hold no sentence, such as numbers and identifiers.
Trust: TypeAlias = Literal["trusted", "typed", "untrusted"]
Sensitivity: TypeAlias = Literal["public", "internal", "confidential", "restricted"]


class Label(Record, frozen=True, kw_only=True):
    """What is known of a piece of data: who may have written it, and who may see it."""

    trust: Trust = "untrusted"
    sensitivity: Sensitivity = "internal"


#: Sensitivities, the most public first.
ORDER: Final[tuple[Sensitivity, ...]] = ("public", "internal", "confidential", "restricted")
#: How much doubt there is about who wrote data.
_DOUBT: Final[dict[Trust, int]] = {"trusted": 0, "typed": 1, "untrusted": 2}
_RANK: Final[dict[str, int]] = {name: rank for rank, name in enumerate(ORDER)}

#: What nothing was read into yet: the neutral element of `join`.
NOTHING_READ: Final = Label(trust="trusted", sensitivity="public")


def join(first: Label, *others: Label) -> Label:
    """The label of data that came from all of them: the least trusted and the most sensitive."""
    trust, sensitivity = first.trust, first.sensitivity
    for label in others:
        if _DOUBT[label.trust] > _DOUBT[trust]:
            trust = label.trust
        if _RANK[label.sensitivity] > _RANK[sensitivity]:
            sensitivity = label.sensitivity
    if trust == first.trust and sensitivity == first.sensitivity:
        return first
    return Label(trust=trust, sensitivity=sensitivity)


def allows(max_sensitivity: Sensitivity, label: Label) -> bool:
    """Whether a reader approved up to `max_sensitivity` may see data with this label."""
    return _RANK[label.sensitivity] <= _RANK[max_sensitivity]
