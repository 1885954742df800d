"""What a validator says of a value, in words that an author understands."""

from __future__ import annotations

import re
import unicodedata

from .source import Scalar


def short(node: Scalar) -> str:
    """The text of a value, on one line and cut where nobody reads on."""
    text = node.text if len(node.text) <= 60 else node.text[:57] + "…"
    return text.replace("\n", "\\n")


def look_alike(text: str) -> str | None:
    """What to say of a name that looks right and is not: its first letter from outside ASCII."""
    character = next((character for character in text if not character.isascii()), None)
    if character is None:
        return None
    name = unicodedata.name(character, "a character without a name").lower()
    return f"names are ASCII: `{character}` is `U+{ord(character):04X}`, {name}"


_PATTERN_HELP = {
    r"^[a-z][a-z0-9_-]{0,62}$": (
        "not a name",
        "names are lower-case letters, digits, `-` and `_`, and begin with a letter",
    ),
    r"^[1-9][0-9]{0,8}(ms|s|m|h|d)$": (
        "not a duration",
        "write a whole number with its unit, such as `500ms`, `30s`, `5m`, `24h`",
    ),
    r"^[0-9a-f]{64}$": ("not a sha256 digest", "write 64 lower-case hex digits"),
    r"^AC[0-9]{3}$": ("not a rule code", "write a code such as `AC401`"),
    r"^AR[0-9]{3}$": ("not a rule of the runtime", "write a code such as `AR201`"),
    r"^[A-Z][A-Z0-9_]*$": ("not a variable name", "write upper-case letters, digits and `_`"),
    r"^[A-Za-z_][A-Za-z0-9_]*$": ("not a variable name", "write letters, digits and `_`"),
    r"^[0-9]{1,12}(\.[0-9]{1,12})?$": ("not an amount of money", "write US dollars, such as `0.50`"),
    r"^[A-Za-z0-9.\[\]:-]+:[0-9]{1,5}$": (
        "not a host with its port",
        "write `host:port`, such as `127.0.0.1:8080`",
    ),
    r"^[A-Za-z0-9-]{1,64}$": ("not the name of a header", "write letters, digits and `-`"),
}


#: Models that are mostly written as one word.
_SHORTHANDS = {
    "PromptFile": "should be text, or a map with `file`",
    "ExpectSpec": "should be `allowed`, `asks`, `refused`, or a map with `outcome`",
    "FlowSpec": "should be `deny`, `approve`, or a map with `policy` and `reason`",
}


def rephrase(kind: str, context: dict[str, object], message: str) -> tuple[str, str | None]:
    """The validator's message in our words, and the help that belongs to it."""
    pattern = str(context.get("pattern", ""))
    if kind == "string_pattern_mismatch":
        if pattern in _PATTERN_HELP:
            return _PATTERN_HELP[pattern]
        if pattern.startswith(r"^[a-z][a-z0-9_-]{0,62}\."):
            return "not a tool name", "write `toolset.tool`"
        if pattern.startswith("^https?://"):
            return "not a host that can be compared", (
                "write a scheme, a lower-case host or `*.` and what it ends in, and a port if it is not the "
                "scheme's own: `https://*.example.com`"
            )
        if pattern.startswith(r"^(0|[1-9]\d*)\."):
            return "not a semantic version", "write three numbers, such as `1.0.0`"
        return "does not have the form that is expected here", f"expected: `{pattern}`"
    if kind == "literal_error":
        expected = str(context.get("expected", "")).replace("'", "`").replace(" or ", ", ")
        return "not a value that is known here", f"known: {expected}"
    words = {
        "string_type": "should be text",
        "int_type": "should be a whole number",
        "int_from_float": "should be a whole number",
        "bool_type": "should be `true` or `false`",
        "dict_type": "should be a map",
        "model_type": "should be a map",
        "model_attributes_type": "should be a map",
        "tuple_type": "should be a list",
        "list_type": "should be a list",
        "float_type": "should be a number",
        "string_too_short": "should not be empty",
        "too_short": "should not be empty",
    }
    if kind in {"model_type", "model_attributes_type"} and context.get("class_name") in _SHORTHANDS:
        return _SHORTHANDS[str(context["class_name"])], None
    bounds = {
        "greater_than_equal": ("ge", "at least"),
        "less_than_equal": ("le", "at most"),
    }
    if kind in bounds:
        key, text = bounds[kind]
        return f"should be {text} {context.get(key)}", None
    fallback = re.sub(r"^Input should", "should", message)
    return words.get(kind, fallback[:1].lower() + fallback[1:]), None
