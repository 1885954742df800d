"""How labels combine: data that comes from several places is as suspect as the most suspect of them."""

from __future__ import annotations

from typing import Final

from .bundle import Label, Sensitivity, Trust

#: Sensitivities, the most public first.
ORDER: Final[tuple[Sensitivity, ...]] = ("public", "internal", "confidential", "restricted")
#: How much doubt there is about who wrote data.
_DOUBT: Final[dict[Trust, int]] = {"trusted": 0, "typed": 1, "untrusted": 2}
_RANK: Final[dict[str, int]] = {name: rank for rank, name in enumerate(ORDER)}

#: What nothing was read into yet: the neutral element of `join`.
NOTHING_READ: Final = Label(trust="trusted", sensitivity="public")


def join(first: Label, *others: Label) -> Label:
    """The label of data that came from all of them: the least trusted and the most sensitive."""
    labels = (first, *others)
    return Label(
        trust=max((label.trust for label in labels), key=_DOUBT.__getitem__),
        sensitivity=max((label.sensitivity for label in labels), key=_RANK.__getitem__),
    )


def allows(max_sensitivity: Sensitivity, label: Label) -> bool:
    """Whether a reader approved up to `max_sensitivity` may see data with this label."""
    return _RANK[label.sensitivity] <= _RANK[max_sensitivity]
