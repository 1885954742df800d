"""Two sides to one delta: agents are paired by name, and each pair is compared both ways."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

import msgspec

from agentc_runtime import bundle as ir
from agentc_runtime.canonical import canonical
from agentc_runtime.environments import Environment
from agentc_runtime.expressions import Const
from agentc_runtime.workflow import EndState

from .behaviour import edits, reworded
from .differences import Difference, differences
from .gained import Found, gained
from .pairing import paired
from .parts import kind_of
from .values import MIRRORED, SEVERITIES, Bump, Change, Delta, Edit, How, Place, Side, Version
from .versions import bump
from .witness import witness
from .wording import differing_lines

#: Between an agent and one that it hands off to.
HANDED: Final = " > "
_ORDER: Final = {name: rank for rank, name in enumerate(SEVERITIES)}


def compare(old: Side, new: Side) -> Delta:
    """All that changed between two sides."""
    old, new, left = paired(old, new)
    changes: list[Change] = [*_unknown(old, new), *_safeguards(old, new)]
    edited: list[Edit] = []
    bumps: list[Bump] = []
    for name in sorted({*old.agents, *new.agents} - {*old.unknown, *new.unknown}):
        before, now = old.agents.get(name), new.agents.get(name)
        for part in _agents(name, before, now):
            changes += part[0]
            edited += part[1]
        if before is not None and now is not None and before.program != now.program:
            mine = [one for one in changes if one.agent.partition(HANDED)[0] == name]
            bumps.append(bump(name, before, now, mine))
    changes.sort(key=lambda one: (_ORDER[one.severity], one.code, one.agent, one.subject, one.what))
    return Delta(
        old=old,
        new=new,
        changes=tuple(changes),
        edits=tuple(edited),
        bumps=tuple(bumps),
        digest=digest(old, new),
        left_out=left,
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


def _safeguards(old: Side, new: Side) -> Iterator[Change]:
    """What projects hold their changes to, and no longer do. A bundle holds nothing of it."""
    if "bundle" in (old.kind, new.kind):
        return
    for key in sorted({*old.safeguards} ^ {*new.safeguards}):
        before, now = old.safeguards.get(key), new.safeguards.get(key)
        one = now or before
        assert one is not None  # the key is of one side
        how: How = "widened" if one.loosens == (now is not None) else "narrowed"
        was, at = (None if each is None else each.at for each in (before, now))
        project = key.partition(" ")[0] or "the project"
        yield Change(how, "AC904", one.severity, project, one.subject, one.what, was, at)


def _agents(name: str, old: Version | None, new: Version | None) -> Iterator[tuple[list[Change], list[Edit]]]:
    """One agent, and those that it hands off to."""
    if old is not None and new is not None and old.program == new.program:
        return
    before = {} if old is None else handed(name, old)
    now = {} if new is None else handed(name, new)
    for one in sorted({*before, *now}):
        was, is_ = before.get(one), now.get(one)
        if was is not None and is_ is not None:
            found = list(differences(was.program, is_.program))
            changes = [*privileges(one, was, is_), *_unjudged(one, was, is_, found)]
            yield changes, [*edits(one, was, is_, found), *reworded(one, was, is_, found, changes)]
        elif is_ is not None:
            yield [_whole(one, is_), *privileges(one, _nothing(is_), is_)], []
        elif was is not None:
            yield [mirrored(_whole(one, was)), *privileges(one, was, _nothing(was))], []


def handed(name: str, version: Version) -> dict[str, Version]:
    """The agent, and those that it hands off to, each as if it stood alone."""
    found = {name: version}
    for sub, program in version.program.agents.items():
        inner = Version(program, ir.map_of(version.source_map, sub), version.sources, version.base)
        found |= handed(f"{name}{HANDED}{sub}", inner)
    return found


def _unjudged(agent: str, old: Version, new: Version, found: Iterable[Difference]) -> Iterator[Change]:
    """Parts of a program that nobody has said what they mean: wider, both ways."""
    for difference in found:
        if kind_of(difference.path, difference.value) == "unknown":
            name = ".".join(difference.path)
            what, unclear = "differs", "this version of agentc knows no order of it"
            yield Change(
                "widened", "AC919", "high", agent, name, what, old.place("agent"), new.place("agent"),
                unclear=unclear,
            )  # fmt: skip


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
    rows: list[object] = []
    for name in sorted({*old.agents, *new.agents}):
        before, now = old.agents.get(name), new.agents.get(name)
        if before is not None and now is not None:
            rows += [[name, *one.row] for one in differences(before.program, now.program)]
        else:
            both = ([] if one is None else [msgspec.to_builtins(one.program)] for one in (before, now))
            rows.append([name, [], *both])
    for name in sorted({*old.unknown, *new.unknown}):
        files = [
            one.files if one is not None else "" for one in (old.unknown.get(name), new.unknown.get(name))
        ]
        rows += [[name, *files]] if files[0] != files[1] else []
    if "bundle" not in (old.kind, new.kind):
        for key in sorted({*old.safeguards} ^ {*new.safeguards}):
            rows.append([key, key in old.safeguards, key in new.safeguards])
    return hashlib.sha256(canonical(rows)).hexdigest()
