"""Two sides to one delta: agents are paired by name, and each pair is compared both ways."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from agentc_runtime.canonical import canonical
from agentc_runtime.environments import Environment
from agentc_runtime.expressions import Const
from agentc_runtime.workflow import EndState

from .gained import Found, gained
from .pairing import paired
from .values import MIRRORED, SEVERITIES, Change, Delta, How, Place, Side, Version
from .witness import witness
from .wording import differing_lines

_ORDER: Final = {name: rank for rank, name in enumerate(SEVERITIES)}


def compare(old: Side, new: Side) -> Delta:
    """All that changed between two sides."""
    old, new, left = paired(old, new)
    changes: list[Change] = list(_unknown(old, new))
    for name in sorted({*old.agents, *new.agents}):
        before, now = old.agents.get(name), new.agents.get(name)
        if name in old.unknown or name in new.unknown:
            continue
        if before is None and now is not None:
            changes.append(_whole(name, now))
            before = _nothing(now)
        elif now is None and before is not None:
            changes.append(mirrored(_whole(name, before)))
            now = _nothing(before)
        assert before is not None  # the name is of one side at least
        assert now is not None
        changes += privileges(name, before, now)
    changes.sort(key=lambda one: (_ORDER[one.severity], one.code, one.agent, one.subject, one.what))
    return Delta(
        old=old, new=new, changes=tuple(changes), edits=(), bumps=(), digest=digest(old, new), left_out=left
    )


def _unknown(old: Side, new: Side) -> Iterator[Change]:
    """Agents of which a version is not known: not compared, so counted as wider if a file has changed."""
    for name in sorted({*old.unknown, *new.unknown}):
        before, now = old.unknown.get(name), new.unknown.get(name)
        if before is not None and now is not None and before.files == now.files:
            continue
        why = now or before
        assert why is not None  # the name is of one side at least
        how: How = "removed" if now is None and name not in new.agents else "widened"
        was, at = (None if one is None else one.at for one in (before, now))
        what = "is an agent of which it is not known what it may do"
        yield Change(how, "AC919", "high", name, name, what, was, at, unclear=why.why)


def privileges(agent: str, old: Version, new: Version) -> Iterator[Change]:
    """What one version of an agent may do and the other may not, both ways."""
    if old.program == new.program:
        return
    files = _changed_files(old, new)
    for found in gained(old, new):
        yield replace(_change(agent, old, new, found, files), witness=witness(old, new, found))
    for found in gained(new, old):
        yield mirrored(_change(agent, new, old, found, files))


def mirrored(change: Change) -> Change:
    """The change as it looks from the other side."""
    swapped = {"-": "+", "+": "-"}
    return replace(
        change,
        how=MIRRORED[change.how],
        before=change.now,
        now=change.before,
        lines=tuple(
            sorted((swapped[line[0]] + line[1:] for line in change.lines), key=lambda line: line[0] == "+")
        ),
    )


def _change(agent: str, less: Version, more: Version, found: Found, files: tuple[str, ...]) -> Change:
    before, now = less.place(found.key), more.place(found.key)
    return Change(
        how=found.how,
        code=found.code,
        severity=found.severity,
        agent=agent,
        subject=found.subject,
        what=found.what,
        before=before,
        now=now,
        lines=differing_lines(found, less, more),
        unclear=found.unclear,
        cause=files if _is_untouched(less, more, now) else (),
    )


def _whole(name: str, version: Version) -> Change:
    tools = len(version.accesses)
    what = f"is an agent that may call {tools} tool{'' if tools == 1 else 's'}"
    return Change("added", "AC901", "high", name, name, what, None, version.place("agent"))


def _nothing(version: Version) -> Version:
    """The same agent without anything that it may do."""
    program = msgspec.structs.replace(
        version.program,
        tools={},
        grants={},
        models={},
        states={version.program.start: EndState(output=Const(value=None))},
        environments={name: Environment() for name in version.program.environments},
    )
    return Version(program, {}, {}, version.base)


def _is_untouched(less: Version, more: Version, place: Place | None) -> bool:
    """Whether the file of a place is the same in both versions."""
    sha = None if place is None else more.sha256(place)
    return sha is not None and place is not None and sha == less.sha256(place)


def _changed_files(old: Version, new: Version) -> tuple[str, ...]:
    paths = {*old.sources, *new.sources}
    return tuple(sorted(new.base + path for path in paths if old.sources.get(path) != new.sources.get(path)))


def digest(old: Side, new: Side) -> str:
    """The sha256 of every difference between the programs of two sides, by its path in them.

    It knows no words, positions or versions of the compiler: the same change has the same digest.
    """
    rows: list[object] = [
        [name, *row]
        for name in sorted({*old.agents, *new.agents})
        for row in differences((), _plain(old.agents.get(name)), _plain(new.agents.get(name)))
    ]
    for name in sorted({*old.unknown, *new.unknown}):
        files = [
            one.files if one is not None else "" for one in (old.unknown.get(name), new.unknown.get(name))
        ]
        rows += [[name, *files]] if files[0] != files[1] else []
    return hashlib.sha256(canonical(rows)).hexdigest()


def differences(path: tuple[str, ...], old: object, new: object) -> Iterator[list[object]]:
    """Path, and the values that are there in either, for everything that differs."""
    if old == new and type(old) is type(new):
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            one, other = old.get(key, _ABSENT), new.get(key, _ABSENT)
            yield from differences((*path, key), one, other)
        return
    if canonical([_shown(old)]) != canonical([_shown(new)]):
        yield [list(path), _shown(old), _shown(new)]


_ABSENT: Final = object()


def _shown(value: object) -> list[object]:
    return [] if value is _ABSENT else [value]


def _plain(version: Version | None) -> object:
    return _ABSENT if version is None else msgspec.to_builtins(version.program)
