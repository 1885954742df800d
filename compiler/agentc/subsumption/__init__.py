"""Whether one set of JSON values is inside another, over the schemas that bundles hold.

`includes` and `compare` answer with a witness where the answer is no. A region is a JSON Schema as it stands
in a bundle, or an intersection, union or complement of regions.
"""

from .answers import (
    Answer,
    Comparison,
    Complement,
    Escapes,
    Included,
    Intersection,
    Limits,
    Region,
    Relation,
    Undecided,
    Union,
)
from .decide import compare, includes

__all__ = [
    "Answer",
    "Comparison",
    "Complement",
    "Escapes",
    "Included",
    "Intersection",
    "Limits",
    "Region",
    "Relation",
    "Undecided",
    "Union",
    "compare",
    "includes",
]
