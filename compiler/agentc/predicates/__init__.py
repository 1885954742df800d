"""The one predicate language: a closed subset of JSON Schema, checked, lowered and compared here."""

from .check import FROM, ORIGINS, SchemaProblem, check_schema
from .limits import contradiction, merge_limits
from .lowering import close_schema, close_unless, close_where, match_when, open_when, origins_of, typed_schema

__all__ = [
    "FROM",
    "ORIGINS",
    "SchemaProblem",
    "check_schema",
    "close_schema",
    "close_unless",
    "close_where",
    "contradiction",
    "match_when",
    "merge_limits",
    "open_when",
    "origins_of",
    "typed_schema",
]
