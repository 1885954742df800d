"""Regions as formulas, and whether a value is in one as the runtime's validator judges it."""

from __future__ import annotations

from collections.abc import Mapping

from agentc_runtime.canonical import canonical
from agentc_runtime.violations import compile_shape

from .answers import Complement, Intersection, Region, Union
from .arena import Arena
from .budget import GaveUpError
from .formulas import FALSE, TRUE, Node
from .keywords import KEYWORDS
from .reading import Reader


def formula(region: Region, arena: Arena, read: dict[bytes, Node]) -> Node:
    """The formula of a region. `read` keeps those of schemas that were read before.

    Raises:
        GaveUpError: a schema can't be read.
    """
    match region:
        case bool():
            return TRUE if region else FALSE
        case Intersection(regions):
            return arena.all_of([formula(part, arena, read) for part in regions])
        case Union(regions):
            return arena.any_of([formula(part, arena, read) for part in regions])
        case Complement(inner):
            return arena.negation(formula(inner, arena, read))
        case _:
            text = schema_text(region)
            if text not in read:
                read[text] = Reader(arena, region, KEYWORDS).read(region)
            return read[text]


def schema_text(schema: Mapping[str, object]) -> bytes:
    """The text that equal schemas share.

    Raises:
        GaveUpError: it is no JSON.
    """
    try:
        return canonical(schema)
    except ValueError as error:
        raise GaveUpError(f"a schema is no JSON: {error}") from error


def identical(first: Region, second: Region) -> bool:
    """Whether two regions are written alike; then they are equal.

    Raises:
        GaveUpError: a schema is no JSON.
    """
    match first, second:
        case bool(), bool():
            return first is second
        case Complement(one), Complement(other):
            return identical(one, other)
        case (Intersection(ones), Intersection(others)) | (Union(ones), Union(others)):
            return len(ones) == len(others) and all(map(identical, ones, others))
        case Mapping(), Mapping():
            return first is second or schema_text(first) == schema_text(second)
        case _:
            return False


def contains(region: Region, value: object) -> bool:
    """Whether `value` is in the region, by jsonschema-rs.

    Raises:
        ValueError: the validator does not take a schema, or the value.
    """
    match region:
        case bool():
            return region
        case Intersection(regions):
            return all(contains(part, value) for part in regions)
        case Union(regions):
            return any(contains(part, value) for part in regions)
        case Complement(inner):
            return not contains(inner, value)
        case _:
            return compile_shape(dict(region)).is_valid(value)
