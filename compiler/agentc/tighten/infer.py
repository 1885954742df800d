"""From the values that an argument had to the narrowest limit that says something clear about them.

Pure. What is inferred is a guess about the values to come, so each guess has to be earned:

- one value that never changed, or texts each of which came again, are listed. A value that was seen once
  says that there are more of its kind: by Good and Turing's estimate the chance that the next value is a new
  one is the share of those that were seen once;
- texts of one shape (the same separators, and between them characters of the same class) have a pattern;
- numbers have their bounds, texts their greatest length, lists theirs and what their items are, objects
  their keys and what stands under them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from agentc_runtime.canonical import canonical

from ..regex import check_pattern

#: The most values that are listed, and the longest text among them.
MAX_LISTED: Final = 10
MAX_LISTED_TEXT: Final = 200
#: The most keys of an object that are written out.
MAX_KEYS: Final = 30
#: Beside these it can't be said in one place which keys an object may have.
_UNCLEAR: Final = frozenset({"allOf", "anyOf", "oneOf", "additionalProperties", "not"})
#: How many different texts make a shape.
MIN_SHAPED: Final = 3

_RUNS: Final = re.compile(r"[0-9]+|[A-Z]+|[a-z]+|[!-~]")
_WORDS: Final = re.compile(r"[0-9A-Za-z]+|[!-~]")
_WORD: Final = re.compile(r"[0-9A-Za-z]+")
#: From the narrowest to the widest.
_CLASSES: Final = ("0-9", "a-z", "A-Z", "0-9a-f", "0-9A-F", "0-9a-z", "0-9A-Z", "A-Za-z", "0-9A-Za-z")
_SYNTAX: Final = re.compile(r"[\^$\\.*+?()\[\]{}|]")


def inferred(
    seen: Sequence[object],
    needed: Sequence[object] = (),
    limit: Mapping[str, object] | None = None,
    *,
    listed: bool = True,
) -> dict[str, object]:
    """Keywords of JSON Schema that all values of `seen` and `needed` satisfy, for a limit that says `limit`.

    `needed` are values that must stay possible and were not seen. Without `listed` no values are listed. What
    comes back may be less strict than `limit`: both have to hold.
    """
    said = limit or {}
    values = [*seen, *needed]
    if not seen or "const" in said:
        return {}
    known = said.get("enum")
    if isinstance(known, list):
        keys = set(map(_key, values))
        return {"enum": [value for value in known if _key(value) in keys]}
    if listed and (few := _few(seen, needed)):
        return {"const": few[0]} if len(few) == 1 else {"enum": few}
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        return {"minimum": min(numbers), "maximum": max(numbers)}
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        pattern = None if "pattern" in said else shape(texts)
        return {"maxLength": max(map(len, texts))} if pattern is None else {"pattern": pattern}
    lists = [value for value in values if isinstance(value, list)]
    if len(lists) == len(values):
        return _of_lists(seen, needed, said)
    objects = [value for value in values if isinstance(value, dict)]
    if len(objects) == len(values):
        return _of_objects(seen, needed, said)
    return {}


def shape(texts: Iterable[str]) -> str | None:
    """The pattern of all texts, or `None` when they have no shape in common."""
    different = sorted(set(texts))
    if len(different) < MIN_SHAPED:
        return None
    for tokens in (_RUNS, _WORDS):
        pattern = _shape(different, tokens)
        if pattern is not None:
            return pattern
    return None


def _few(seen: Sequence[object], needed: Sequence[object]) -> list[object] | None:
    """The values, if nothing hints at others: in a fixed order, and each once."""
    counts = Counter(map(_key, seen))
    by_key = {_key(value): value for value in seen}
    again = len(counts) <= MAX_LISTED and min(counts.values()) > 1
    closed = len(counts) == 1 or (again and all(isinstance(value, str) for value in by_key.values()))
    if not closed or not set(map(_key, needed)) <= counts.keys():
        return None
    if not all(_is_short(value) for value in by_key.values()):
        return None
    return [by_key[key] for key in sorted(counts)]


def _is_short(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_LISTED_TEXT
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_lists(
    seen: Sequence[object], needed: Sequence[object], said: Mapping[str, object]
) -> dict[str, object]:
    lists = [value for value in (*seen, *needed) if isinstance(value, list)]
    found: dict[str, object] = {"maxItems": max(map(len, lists))}
    below = said.get("items", {})
    if "prefixItems" not in said and isinstance(below, dict):
        items = inferred(_items(seen), _items(needed), below)
        if items:
            found["items"] = items
    return found


def _of_objects(
    seen: Sequence[object], needed: Sequence[object], said: Mapping[str, object]
) -> dict[str, object]:
    """The keys that occurred and no others. Those that the limit names already are gone into."""
    if said.keys() & _UNCLEAR:
        return {}
    known = named if isinstance(named := said.get("properties"), dict) else None
    objects = [value for value in (*seen, *needed) if isinstance(value, dict)]
    names = sorted({name for one in objects for name in one}) if known is None else sorted(known)
    if len(names) > MAX_KEYS:
        return {}
    properties: dict[str, object] = {}
    for name in names:
        below = {} if known is None else known[name]
        if isinstance(below, dict):
            found = inferred(_under(name, seen), _under(name, needed), below)
            properties[name] = found
    if known is not None:
        # the keys are closed by those that are named: what nothing new is said about keeps its place
        found_some = any(properties.values())
        return (
            {"properties": {name: properties.get(name) or known[name] for name in names}}
            if found_some
            else {}
        )
    always = [name for name in names if all(name in one for one in objects)]
    return {"properties": properties, "required": always}


def _under(name: str, objects: Iterable[object]) -> list[object]:
    return [one[name] for one in objects if isinstance(one, dict) and name in one]


def _items(lists: Iterable[object]) -> list[object]:
    return [item for one in lists if isinstance(one, list) for item in one]


def _shape(texts: Sequence[str], tokens: re.Pattern[str]) -> str | None:
    split = [tokens.findall(text) for text in texts]
    if any("".join(parts) != text for parts, text in zip(split, texts, strict=True)):
        return None  # white space, or characters beyond ASCII
    if len({len(parts) for parts in split}) != 1 or not split[0]:
        return None
    pieces = [_piece(set(column), narrow=tokens is _RUNS) for column in zip(*split, strict=True)]
    if None in pieces:
        return None
    pattern = "".join(piece for piece in pieces if piece is not None)
    return pattern if check_pattern(pattern) is None else None


def _piece(column: set[str], *, narrow: bool) -> str | None:
    """What the texts have at one place: always the same, or characters of one class."""
    if len(column) == 1:
        return _SYNTAX.sub(r"\\\g<0>", next(iter(column)))
    if not all(_WORD.fullmatch(part) for part in column):
        return None
    classes = _CLASSES[:3] if narrow else _CLASSES
    found = next((one for one in classes if all(re.fullmatch(f"[{one}]+", part) for part in column)), None)
    if found is None:
        return None
    least, most = min(map(len, column)), max(map(len, column))
    count = "" if least == most == 1 else f"{{{least}}}" if least == most else f"{{{least},{most}}}"
    return f"[{found}]{count}"


def _key(value: object) -> bytes:
    return canonical(value)
