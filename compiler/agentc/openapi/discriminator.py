"""Alternatives that a discriminator tells apart (OpenAPI 3.1.1, section 4.8.25), as JSON Schema says it.

JSON Schema does not know `discriminator`. A model would not learn which value stands for which alternative,
and of alternatives that overlap, `oneOf` would take none. So each alternative says the values that mean it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .problem import ProblemError, follow, parse_reference

_COMPONENTS = "#/components/schemas/"
#: Schemas that are looked at for the discriminating property of one alternative.
_LOOKS = 200


def tagged(
    root: object,
    node: Mapping[str, object],
    parts: Sequence[object],
    converted: Sequence[dict[str, object] | bool],
) -> list[dict[str, object] | bool]:
    """The converted alternatives of `node`, each with the values of the discriminating property that mean it.

    An alternative stays as it is when it says those itself, is written out in place (nothing maps to it), or
    when the mapping leads where it can't be told.
    """
    said = node.get("discriminator")
    name = said.get("propertyName") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(name, str):
        return list(converted)
    references = [one.get("$ref") if isinstance(one, dict) else None for one in parts]
    values = _values(said.get("mapping"), references)
    if values is None:
        return list(converted)
    found: list[dict[str, object] | bool] = []
    for reference, part, schema in zip(references, parts, converted, strict=True):
        keys = values.get(reference) if isinstance(reference, str) else None
        if not keys or not isinstance(schema, dict) or not _is_open(root, part, name):
            found.append(schema)
            continue
        value: dict[str, object] = {"const": keys[0]} if len(keys) == 1 else {"enum": keys}
        found.append(_with(schema, name, value))
    return found


def _with(schema: dict[str, object], name: str, value: dict[str, object]) -> dict[str, object]:
    """The schema of objects whose property `name` is one of the values."""
    tag: dict[str, object] = {"properties": {name: value}, "required": [name]}
    if not schema.keys() & tag.keys():
        return {**schema, **tag}
    return {"allOf": [schema, tag]}


def _values(mapping: object, references: Sequence[object]) -> dict[str, list[str]] | None:
    """The values that mean each alternative, by its reference: those of the mapping, else its own name.

    `None`: the mapping names something that is not among the alternatives, or one value for two of them.
    """
    known = [one for one in references if isinstance(one, str)]
    found: dict[str, list[str]] = {}
    for key, target in mapping.items() if isinstance(mapping, dict) else ():
        meant = [one for one in known if target in (one, one.removeprefix(_COMPONENTS))]
        if len(set(meant)) != 1:
            if isinstance(target, str) and target.startswith("#"):
                continue  # an alternative that is not offered here
            return None
        found.setdefault(meant[0], []).append(key)
    for one in known:
        if one not in found and one.startswith(_COMPONENTS):
            found[one] = [parse_reference(one, ())[-1]]
    every = [key for keys in found.values() for key in keys]
    return found if len(every) == len(set(every)) else None


def _is_open(root: object, part: object, name: str) -> bool:
    """Whether an alternative leaves open which strings the property may be."""
    waiting, seen = [part], 0
    while waiting and seen < _LOOKS:
        seen += 1
        try:
            node, _ = follow(root, waiting.pop(), ())
        except ProblemError:
            return False
        if not isinstance(node, dict):
            continue
        properties = node.get("properties")
        if isinstance(properties, dict) and name in properties and not _takes_strings(root, properties[name]):
            return False
        every = node.get("allOf")
        waiting += every if isinstance(every, list) else []
        if "oneOf" in node or "anyOf" in node:
            return False
    return not waiting


def _takes_strings(root: object, schema: object) -> bool:
    try:
        schema, _ = follow(root, schema, ())
    except ProblemError:
        return False
    if not isinstance(schema, dict) or schema.keys() & {"enum", "const", "allOf", "oneOf", "anyOf", "not"}:
        return False
    named = schema.get("type", "string")
    return named == "string" or (isinstance(named, list) and "string" in named)
