"""Whether a call asks for no more than another one: what an approver may make of it without asking the model.

Numbers may come nearer to zero, lists lose items, and nothing else may change: of a text or a flag nobody can
say which is less.
"""

from __future__ import annotations

from collections.abc import Mapping

from .canonical import canonical


def is_narrower(value: object, than: object) -> bool:
    """Whether the JSON value is the same, or less by what can be counted."""
    if isinstance(value, bool) or isinstance(than, bool):
        return value is than
    if isinstance(value, int | float) and isinstance(than, int | float):
        return 0 <= value <= than or than <= value <= 0
    if isinstance(value, Mapping) and isinstance(than, Mapping):
        return value.keys() == than.keys() and all(is_narrower(value[key], than[key]) for key in value)
    if isinstance(value, list | tuple) and isinstance(than, list | tuple):
        rest = iter(than)
        return all(any(is_narrower(item, other) for other in rest) for item in value)
    return type(value) is type(than) and canonical(value) == canonical(than)


def wider_argument(arguments: Mapping[str, object], than: Mapping[str, object]) -> str | None:
    """The first argument that is there in only one of them or not narrower; nothing when all are."""
    for name in sorted(arguments.keys() | than.keys()):
        if name not in arguments or name not in than or not is_narrower(arguments[name], than[name]):
            return name
    return None
