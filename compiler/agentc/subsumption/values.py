"""JSON values as the runtime's validator compares them: by type, and by the decimals of a number.

jsonschema-rs takes 1 and 1.0 for one number, 0.3 for a multiple of 0.1, and `true` for no number. It reads a
float as its shortest decimal: `tests/compiler/subsumption/test_oracle.py` holds it to that.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from typing import Final, TypeAlias

#: The six kinds of JSON values, as bits of a mask.
NULL: Final = 1
BOOLEAN: Final = 2
NUMBER: Final = 4
STRING: Final = 8
ARRAY: Final = 16
OBJECT: Final = 32
EVERY_KIND: Final = 63

#: In the order in which a witness is looked for: what a reader takes in at a glance comes first.
KINDS: Final = (STRING, NUMBER, OBJECT, ARRAY, BOOLEAN, NULL)

#: A value that equal JSON values share and others don't.
Key: TypeAlias = Hashable
Number: TypeAlias = int | Fraction


def kind_of(value: object) -> int:
    """The kind of a JSON value."""
    match value:
        case None:
            return NULL
        case bool():
            return BOOLEAN
        case int() | float():
            return NUMBER
        case str():
            return STRING
        case list():
            return ARRAY
        case _:
            return OBJECT


def exact(number: float) -> Number:
    """The number that is written: 0.1 is a tenth. Numbers with no fraction are integers."""
    if isinstance(number, int):
        return number
    found = Fraction(repr(number))
    return found.numerator if found.denominator == 1 else found


def written(number: Number) -> float | None:
    """The JSON number, an `int` where it is one of 64 bits; `None` when no double is written like it."""
    if number.denominator == 1 and -(2**63) < number < 2**63:
        return int(number)
    try:
        found = float(number)
    except OverflowError:
        return None
    return found if exact(found) == number else None


def key_of(value: object) -> Key:
    """Equal for values that are equal as JSON, and only for those."""
    match value:
        case bool() | None:
            return (value,)
        case int() | float():
            number: Number = exact(value)
            return number
        case str():
            return value
        case list():
            return ("[]", *(key_of(item) for item in value))
        case dict():
            return ("{}", frozenset((name, key_of(item)) for name, item in value.items()))
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON")
