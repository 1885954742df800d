"""What an agent does otherwise, with the same permissions: texts, models, workflow, what tools say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff
from typing import Final

from agentc_runtime import bundle as ir
from agentc_runtime.workflow import AgentState, ApprovalState, ModelState, State

from .differences import ABSENT, Difference
from .parts import kind_of
from .texts import template_in_words
from .values import Change, Edit, Place, Version

#: Lines around a change of a text that are shown.
_CONTEXT: Final = 2
_TEXTS: Final = ("instructions", "prompt", "message")
#: How a part of a program is said, by its kind.
_THINGS: Final[Mapping[str, str]] = {"states": "state", "tools": "tool", "models": "model"}


def edits(agent: str, old: Version, new: Version, found: Sequence[Difference]) -> Iterator[Edit]:
    """The changes of behaviour among what was found to differ."""
    for difference in found:
        path = difference.path
        if path[:2] == ("agent", "version") or kind_of(path, difference.value) != "behaviour":
            continue
        yield _edit(agent, old, new, difference)


def reworded(
    agent: str, old: Version, new: Version, found: Iterable[Difference], changes: Iterable[Change]
) -> Iterator[Edit]:
    """Tools whose permissions are written otherwise and are the same."""
    changed = {change.subject for change in changes if change.agent == agent}
    names = {
        one.path[1]
        for one in found
        if one.path[0] in ("grants", "tools") and len(one.path) > 2 and kind_of(one.path) == "permission"
    }
    for name in sorted(names - changed):
        place = new.place(f"grant:{name}") or old.place(f"grant:{name}")
        yield Edit(
            agent, f"tool {name}", "has permissions that are written otherwise, and allow the same", place
        )


def _edit(agent: str, old: Version, new: Version, difference: Difference) -> Edit:
    path, before, now = difference.path, difference.old, difference.new
    at = _place(old, new, path)
    if path[0] == "states" and path[2:] and path[2] in _TEXTS:
        lines = _text(old.program, new.program, path[1], path[2])
        return Edit(agent, f"state {path[1]}", f"has other {_plural(path[2])}", at, lines)
    if path[-1] == "description" and isinstance(before, str) and isinstance(now, str):
        lines = _lines(before, now)
        return Edit(agent, _subject(path), "is described otherwise", at, lines)
    name = ".".join(path[2:]) if path[0] in _THINGS else ".".join(path)
    if before is ABSENT or now is ABSENT:
        what = f"{name or 'it'} is new" if before is ABSENT else f"{name or 'it'} is gone"
        value = now if before is ABSENT else before
        if not name and isinstance(value, dict):
            what = f"is {'new' if before is ABSENT else 'gone'}: {value.get('type', '')}{_onwards(value)}"
        else:
            what += f": {_shown(value)}"
        return Edit(agent, _subject(path), what, at)
    return Edit(agent, _subject(path), f"{name} is {_shown(now)}, not {_shown(before)}", at)


def _plural(text: str) -> str:
    return {"instructions": "instructions", "prompt": "words in its prompt"}.get(text, "words in its message")


def _onwards(state: Mapping[str, object]) -> str:
    following = state.get("next") or state.get("default")
    return f", and then {following}" if isinstance(following, str) else ""


def _subject(path: Sequence[str]) -> str:
    return f"{_THINGS[path[0]]} {path[1]}" if path[0] in _THINGS else "the agent"


def _place(old: Version, new: Version, path: Sequence[str]) -> Place | None:
    thing = _THINGS.get(path[0])
    key = "agent" if thing is None else f"{thing}:{path[1]}"
    if path[0] == "output":
        key = "output"
    return new.place(key) or old.place(key)


def _text(old: ir.Program, new: ir.Program, state: str, part: str) -> tuple[str, ...]:
    return _lines(*(_words(program.states.get(state), part) for program in (old, new)))


def _words(state: State | None, part: str) -> str:
    match state:
        case AgentState() | ModelState():
            return template_in_words(state.instructions if part == "instructions" else state.prompt)
        case ApprovalState():
            return template_in_words(state.message)
        case _:
            return ""


def _lines(before: str, now: str) -> tuple[str, ...]:
    old, new = before.splitlines(), now.splitlines()
    found = list(unified_diff(old, new, lineterm="", n=_CONTEXT))[2:]  # without the names of files
    return tuple(line if line[:1] != " " else f" {_harmless(line[1:])}" for line in found)


def _harmless(line: str) -> str:
    """A line around a change. One that begins with `::`, also after spaces, commands GitHub's runner."""
    return f"\\{line}" if line.lstrip().startswith("::") else line


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
