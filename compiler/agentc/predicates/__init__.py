"""The one predicate language: a closed subset of JSON Schema, checked, lowered and compared here."""

from .check import SchemaProblem, check_schema
from .limits import contradiction, merge_limits
from .lowering import close_schema, close_where, match_when, open_when

__all__ = [
    "SchemaProblem",
    "check_schema",
    "close_schema",
    "close_where",
    "contradiction",
    "match_when",
    "merge_limits",
    "open_when",
]
