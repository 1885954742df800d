"""The switches of a control: read at each call, changed by `agentc disable` and `agentc enable`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from ..canonical import canonical
from ..expressions import Record
from ..switches import ControlError, Kind, Switch
from ..times import parse_time, time_text
from .control import Control, Seen

FORMAT: Final = "agentc.switches/1"
NAME: Final = "switches"


class _Switches(Record, frozen=True, kw_only=True):
    format: str
    switches: tuple[Switch, ...]


class ControlledSwitches:
    """The switches of a control. A document that was there and is not any more is no leave to go on."""

    def __init__(self, control: Control, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._control = control
        self._clock = clock
        self._seen: Seen | None = None
        self._known: dict[tuple[str, str], tuple[Switch, ...]] = {}

    def find(self, kind: Kind, name: str, agent: str) -> Switch | None:
        """As `Switches.find`."""
        seen = self._control.read(NAME, self._seen)
        if seen is not self._seen:
            if seen.data is None and self._seen is not None and self._seen.data is not None:
                raise ControlError("the switches are gone: put them back, or enable what was disabled")
            known: dict[tuple[str, str], tuple[Switch, ...]] = {}
            for switch in read_switches(seen.data):
                key = (switch.kind, switch.name)
                known[key] = (*known.get(key, ()), switch)
            self._seen, self._known = seen, known
        if not self._known:
            return None
        now = self._clock()
        for switch in self._known.get((kind, name), ()):
            if switch.agent in (None, agent) and _holds(switch, now):
                return switch
        return None


def kind_of(text: str) -> Kind:
    """The kind of a switch.

    Raises:
        ValueError: there is no such kind.
    """
    kind: Kind = msgspec.convert(text, Kind)
    return kind


def read_switches(data: bytes | None) -> tuple[Switch, ...]:
    """The switches in a document, those whose time is up included.

    Raises:
        ControlError: it is none.
    """
    if data is None:
        return ()
    try:
        said = msgspec.json.decode(data, type=_Switches)
        for switch in said.switches:
            if switch.expires is not None:
                parse_time(switch.expires)
    except ValueError as error:
        raise ControlError(f"the switches can't be read: {ascii(str(error))[1:-1]}") from error
    if said.format != FORMAT:
        raise ControlError(f"the switches are in the format {said.format[:80]!a}, not `{FORMAT}`")
    return said.switches


def disable(control: Control, switch: Switch) -> None:
    """Disable something, in the place of what was said of it before.

    Raises:
        ControlError: it can't be done.
    """
    said = {name: value for name, value in msgspec.to_builtins(switch).items() if value is not None}
    control.change(NAME, lambda data: _written((*_others(data, switch), switch)), "disabled", said)


def enable(control: Control, kind: Kind, name: str, agent: str | None, by: str, reason: str) -> bool:
    """Enable it again; false if it was not disabled, and then nothing is changed.

    Raises:
        ControlError: it can't be done.
    """
    gone = Switch(kind=kind, name=name, agent=agent, reason=reason, by=by, since=time_text(datetime.now(UTC)))
    known = read_switches(control.read(NAME).data)
    if not any(_same(switch, gone) for switch in known):
        return False
    said = {"kind": kind, "name": name, "by": by, "reason": reason, **({"agent": agent} if agent else {})}
    control.change(NAME, lambda data: _written(_others(data, gone)), "enabled", said)
    return True


def _holds(switch: Switch, now: datetime) -> bool:
    return switch.expires is None or now < parse_time(switch.expires)


def _same(one: Switch, other: Switch) -> bool:
    return (one.kind, one.name, one.agent) == (other.kind, other.name, other.agent)


def _others(data: bytes | None, switch: Switch) -> tuple[Switch, ...]:
    now = datetime.now(UTC)
    return tuple(one for one in read_switches(data) if not _same(one, switch) and _holds(one, now))


def _written(switches: tuple[Switch, ...]) -> bytes:
    return canonical(msgspec.to_builtins(_Switches(format=FORMAT, switches=switches)))
