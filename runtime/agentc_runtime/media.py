"""What a media type holds: the compiler and the runtime read each the same way."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, TypeAlias

#: JSON; JSON values a line each; text; or bytes.
Content: TypeAlias = Literal["json", "lines", "text", "binary"]

_LINES: Final = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "application/x-json-stream",
        "application/stream+json",
    }
)
_TEXT: Final = frozenset(
    {
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/toml",
        "application/javascript",
        "application/ecmascript",
        "application/graphql",
        "application/sql",
        "application/sdp",
        "application/rtf",
        "application/x-www-form-urlencoded",
        "application/x-pem-file",
        "application/pgp-signature",
        "application/jose",
        "application/jwt",
    }
)
_TEXT_SUFFIXES: Final = ("+xml", "+yaml", "+text")


@lru_cache(maxsize=1024)
def content_of(content_type: str) -> Content:
    """What the media type holds; its parameters say nothing, but for `charset`, which only text has."""
    media, _, parameters = content_type.partition(";")
    media = media.strip().lower()
    if media in _LINES:
        return "lines"
    if media == "application/json" or (media.endswith("+json") and "/" in media):
        return "json"
    if media.startswith("text/") or media in _TEXT or media.endswith(_TEXT_SUFFIXES):
        return "text"
    return "text" if "charset=" in parameters.lower() else "binary"
