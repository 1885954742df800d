"""What is known of the formats that the validator asserts: texts that have them, and what all of them match.

A format is never decided by what stands here: each text is judged by the validator, and the patterns only
say what is certainly no text of the format. The tests hold both to the validator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Ordinary texts of a format, for witnesses.
SAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("2024-01-15",),
    "date-time": ("2024-01-15T12:00:00Z",),
    "time": ("12:00:00Z",),
    "duration": ("P1D",),
    "email": ("user@example.com", "user@example.org", "a@b.example"),
    "idn-email": ("user@example.com", "user@example.org"),
    "hostname": ("example.com", "example.org", "host"),
    "idn-hostname": ("example.com", "example.org"),
    "ipv4": ("192.0.2.1", "198.51.100.7"),
    "ipv6": ("2001:db8::1",),
    "uri": ("https://example.com/", "https://example.org/", "urn:a"),
    "uri-reference": ("https://example.com/", "/a"),
    "iri": ("https://example.com/", "https://example.org/", "urn:a"),
    "iri-reference": ("https://example.com/", "/a"),
    "uri-template": ("/a",),
    "uuid": ("00000000-0000-4000-8000-000000000001",),
    "json-pointer": ("/a",),
    "relative-json-pointer": ("0",),
    "regex": ("a",),
}
_LABEL: Final = "[A-Za-z0-9]+(-[A-Za-z0-9]+)*"
#: How most texts of the format look: a witness is looked for among these first.
ORDINARY: Final[Mapping[str, str]] = {
    "date": r"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$",
    "date-time": r"^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T(0\d|1\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z$",
    "time": r"^(0\d|1\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?Z$",
    "email": r"^[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*@" + _LABEL + r"(\." + _LABEL + r")*\.[A-Za-z]{2,20}$",
    "hostname": "^" + _LABEL + r"(\." + _LABEL + ")*$",
    "ipv4": r"^(\d|[1-9]\d|1\d\d)(\.(\d|[1-9]\d|1\d\d)){3}$",
    "uri": r"^https?:\/\/" + _LABEL + r"(\." + _LABEL + r")*(:[1-9]\d{1,3})?\/[A-Za-z0-9._~\/?=&-]*$",
    "uuid": r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$",
}
#: Every text of the format is found by its pattern; other texts may be.
SUPERSETS: Final[Mapping[str, str]] = {
    "date": r"^[ -~]{4}-[ -~]{2}-[ -~]{2}$",
    "date-time": r"^[ -~]{4}-[ -~]{2}-[ -~]{2}[Tt][ -~]{2}:[ -~]{2}:[ -~]{2}",
    "time": r"^[ -~]{2}:[ -~]{2}:[ -~]{2}",
    "email": r"^[^@](.|\n)*@(.|\n)+$",
    "hostname": r"^[0-9A-Za-z.-]{1,254}$",
    "ipv4": r"^\d{1,3}(\.\d{1,3}){3}$",
    "ipv6": r"^[0-9a-fA-F:.]{2,45}$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.-]*:",
    "uuid": r"^[0-9a-fA-F-]{36}$",
}
