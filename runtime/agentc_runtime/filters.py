"""The filters of templates: Jinja's names and meanings and `json`, a closed list, total over JSON values.

Where Jinja raises (the length of a number, JSON of nothing) these answer with the nearest plain value,
because data can't be allowed to stop a run. Where Jinja writes Python's `repr`, these write JSON. The
compiler reads the signatures: a parameter's annotation says which literals an author may give it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from .values import ABSENT

#: `json.dumps` with options makes an encoder for each call.
_JSON: Final = json.JSONEncoder(ensure_ascii=False).encode
_WORDS: Final = re.compile(r"([-\s({\[<]+)")


def text(value: object) -> str:
    """A value as text: a string as it is, nothing for an absent one, JSON for all others.

    So numbers read as usual, and true, false and null are written in JSON's words. Raises `TypeError`,
    `ValueError` or `RecursionError` for what is not JSON.
    """
    if isinstance(value, str):
        return value
    if value is ABSENT:
        return ""
    return _JSON(value)


def capitalize(value: object) -> object:
    """The first character upper case, the others lower."""
    return text(value).capitalize()


def default(value: object, default_value: str | int | bool = "", boolean: bool = False) -> object:
    """`default_value` for an absent value; with `boolean` also for a false or empty one."""
    return default_value if value is ABSENT or (boolean and not value) else value


def first(value: object) -> object:
    """The first item, character or key; absent if there is none."""
    return next(iter(value), ABSENT) if isinstance(value, str | list | dict) else ABSENT


def indent(value: object, width: int | str = 4, first: bool = False, blank: bool = False) -> object:
    """Each line but the first moved right by `width` spaces, or by the text `width`."""
    prefix = width if isinstance(width, str) else " " * width
    lines = (text(value) + "\n").splitlines()
    rest = [prefix + line if line or blank else line for line in lines[1:]]
    return (prefix if first else "") + "\n".join([lines[0], *rest])


def join(value: object, d: str = "") -> object:
    """The items (characters, keys) as text with `d` between them; any other value as its text."""
    return d.join(map(text, value)) if isinstance(value, str | list | dict) else text(value)


def json_(value: object, indent: int | None = None) -> object:
    """JSON as a model reads it best: nothing escaped, keys in their order. Null for an absent value."""
    given = None if value is ABSENT else value
    return _JSON(given) if indent is None else json.dumps(given, ensure_ascii=False, indent=indent)


def last(value: object) -> object:
    """The last item, character or key; absent if there is none."""
    return next(reversed(value), ABSENT) if isinstance(value, str | list | dict) else ABSENT


def length(value: object) -> object:
    """How many items, characters or keys; 0 for a value that has none of them."""
    return len(value) if isinstance(value, str | list | dict) else 0


def lower(value: object) -> object:
    """Lower case."""
    return text(value).lower()


def replace(value: object, old: str, new: str, count: int = -1) -> object:
    """`new` for each `old`, or for the first `count`."""
    return text(value).replace(old, new, count)


def title(value: object) -> object:
    """Each word with a capital letter first and small ones after it."""
    return "".join(part[0].upper() + part[1:].lower() for part in _WORDS.split(text(value)) if part)


def tojson(value: object, indent: int | None = None) -> object:
    """JSON as Jinja writes it: keys sorted, safe inside HTML. Null for an absent value."""
    plain = json.dumps(None if value is ABSENT else value, sort_keys=True, indent=indent)
    for sign in "<>&'":
        plain = plain.replace(sign, f"\\u{ord(sign):04x}")
    return plain


def trim(value: object, chars: str | None = None) -> object:
    """Without white space, or without the characters `chars`, at both ends."""
    return text(value).strip(chars)


def truncate(
    value: object, length: int = 255, killwords: bool = False, end: str = "...", leeway: int = 5
) -> object:
    """At most about `length` characters, cut between words (`killwords`: anywhere), with `end` at the cut.

    Text that is at most `leeway` longer stays whole, as in Jinja. An absent value stays absent.
    """
    if value is ABSENT:
        return ABSENT
    whole = text(value)
    if len(whole) <= length + leeway:
        return whole
    cut = whole[: max(0, length - len(end))]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + end


def upper(value: object) -> object:
    """Upper case."""
    return text(value).upper()


#: Every filter there is: name → function of the value and the literal arguments.
FILTERS: Final[dict[str, Callable[..., object]]] = {
    "capitalize": capitalize,
    "default": default,
    "first": first,
    "indent": indent,
    "join": join,
    "json": json_,
    "last": last,
    "length": length,
    "lower": lower,
    "replace": replace,
    "title": title,
    "tojson": tojson,
    "trim": trim,
    "truncate": truncate,
    "upper": upper,
}
