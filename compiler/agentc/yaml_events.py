"""The events of PyYAML, from its C parser where it is there: all that the compiler knows of PyYAML."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

_SURROGATE = re.compile("[\ud800-\udfff]")


class Mark(Protocol):
    """A place in the text. All three count from 0, in characters."""

    index: int
    line: int
    column: int


class Event(Protocol):
    """An event of any class; each class has those attributes that it needs."""

    start_mark: Mark
    end_mark: Mark
    value: str
    style: str | None
    anchor: str | None
    tag: str | None
    version: tuple[int, int] | None
    tags: dict[str, str] | None


#: Gives the next event of a text with each call, `None` at the end; raises `yaml.MarkedYAMLError`.
NextEvent: TypeAlias = Callable[[], Event | None]
EventReader: TypeAlias = Callable[[str], NextEvent]


def c_events(text: str) -> NextEvent:
    """The events of libyaml, or of PyYAML's slower parser in Python where the extension is missing."""
    import yaml

    if not yaml.__with_libyaml__:
        return python_events(text)
    return cast("NextEvent", yaml.CSafeLoader(text).get_event)


def python_events(text: str) -> NextEvent:
    """The events of PyYAML's parser in Python, which lets escapes of impossible characters through."""
    import yaml
    from yaml.scanner import ScannerError

    reader = yaml.SafeLoader(text)
    read = cast("NextEvent", reader.get_event)

    def refused() -> ScannerError:
        return ScannerError(None, None, "found invalid Unicode character escape code", reader.get_mark())

    def next_event() -> Event | None:
        try:
            event = read()
        except (ValueError, OverflowError) as error:
            raise refused() from error
        if isinstance(event, yaml.ScalarEvent) and _SURROGATE.search(event.value):
            raise refused()
        return event

    return next_event
