"""What is known of the formats that the validator asserts: texts that have them, and what all of them match.

A format is never decided by what stands here: each text is judged by the validator, and the patterns only
say what is certainly no text of the format. The tests hold both to the validator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: Ordinary texts of a format, for witnesses.
SAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("2024-01-31",),
    "date-time": ("2024-01-31T12:00:00Z",),
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
#: Every text of the format is found by its pattern; other texts may be.
SUPERSETS: Final[Mapping[str, str]] = {
    "date": "^\\d{4}-\\d{2}-\\d{2}$",
    "uuid": "^[0-9a-fA-F-]{36}$",
    "ipv4": "^\\d{1,3}(\\.\\d{1,3}){3}$",
    "ipv6": "^[0-9a-fA-F:.]{2,45}$",
    "email": "^[^@](.|\\n)*@(.|\\n)+$",
    "hostname": "^[0-9A-Za-z.-]{1,254}$",
    "uri": "^[A-Za-z][A-Za-z0-9+.-]*:",
    "date-time": "^\\d{4}-\\d{2}-\\d{2}[Tt ]\\d{2}:\\d{2}:",
    "time": "^\\d{2}:\\d{2}:\\d{2}",
}
