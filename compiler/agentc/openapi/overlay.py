"""Overlays: corrections to a published document (OpenAPI Overlay 1.0), applied before it is compiled.

The document is never changed: the collections on the way to what an action touches are copied, nothing else.
Arrays inside an `update` are appended to those that are there, as version 1.1 says where 1.0 is silent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from ..diagnostics import did_you_mean
from ..source import SourceFile
from .decoding import decode
from .problem import Pointer, Problem, ProblemError
from .targets import Location, TargetError, locations

MAX_ACTIONS: Final = 1_000

_VERSION: Final = re.compile(r"1\.0\.\d+")
_KEYS: Final = {"overlay": str, "info": dict, "extends": str, "actions": list}
_INFO: Final = {"title": str, "version": str}
_ACTION: Final = {"target": str, "description": str, "update": object, "remove": bool}
_WORDS: Final = {str: "a text", dict: "an object", list: "a list", bool: "`true` or `false`"}
_Object: TypeAlias = dict[str, object]
_Container: TypeAlias = dict[str, object] | list[object]


class _Change(NamedTuple):
    """Something that an action did: put a value at `pointer`, from `origin` in `file`; without a file, took
    the item of a list away that stood there."""

    pointer: Pointer
    file: str | None = None
    origin: Pointer = ()


class Applied(NamedTuple):
    """A document with its overlays, and as it was `published`. `changes` are in the order they were made."""

    root: _Object
    published: _Object
    problems: tuple[Problem, ...]
    changes: tuple[_Change, ...]

    def placed(self, problem: Problem) -> Problem:
        """A problem of the changed document, at the place where somebody wrote the cause."""
        if problem.place is not None or problem.file is not None:
            return problem
        pointer = problem.pointer
        for change in reversed(self.changes):
            depth = len(change.pointer)
            if change.file is not None:
                if pointer[:depth] == change.pointer:
                    return problem._replace(file=change.file, pointer=(*change.origin, *pointer[depth:]))
            elif pointer[: depth - 1] == change.pointer[:-1] and len(pointer) >= depth:
                index, removed = pointer[depth - 1], int(change.pointer[-1])
                if index.isdigit() and int(index) >= removed:
                    pointer = (*pointer[: depth - 1], str(int(index) + 1), *pointer[depth:])
        return problem._replace(pointer=pointer)


def apply_overlays(root: _Object, overlays: Sequence[SourceFile]) -> Applied:
    """The document after every action of every overlay, in order.

    Problems (AC715, and AC716 for an action that matches nothing) name the overlay's file. An overlay with an
    AC715 leaves the document as it was before it.
    """
    published = root
    problems: list[Problem] = []
    changes: list[_Change] = []
    for file in overlays:
        editor = _Editor(root, file.path)
        try:
            for index, action in enumerate(_actions(file)):
                editor.apply(action, ("actions", str(index)))
        except ProblemError as error:
            problems.append(error.problem._replace(code="AC715", file=file.path))
            continue
        root = editor.root
        problems += editor.unmatched
        changes += editor.changes
    return Applied(root, published, tuple(problems), tuple(changes))


class _Editor:
    """One overlay at work. What it `owned` was copied by itself, and may be changed."""

    def __init__(self, root: _Object, file: str) -> None:
        self.root = dict(root)
        self.unmatched: list[Problem] = []
        self.changes: list[_Change] = []
        self._file = file
        self._owned: dict[int, _Container] = {id(self.root): self.root}

    def apply(self, action: _Object, at: Pointer) -> None:
        """Carry out one action.

        Raises:
            ProblemError: the target can't be read, or selects what the action can't change.
        """
        target = str(action["target"])
        try:
            found = locations(target, self.root)
        except TargetError as error:
            raise _wrong(str(error), (*at, "target")) from None
        if not found:
            message = f"the target `{_short(target)}` matches nothing"
            help_ = "the document may have changed: correct the target, or remove the action"
            self.unmatched.append(Problem("AC716", message, (*at, "target"), help_, file=self._file))
        if any(not isinstance(self._find(location), dict | list) for location in found):
            raise _wrong(
                "the target selects a value that is neither an object nor a list",
                (*at, "target"),
                "select the object that holds it, and name it in `update`",
            )
        if action.get("remove") is not True:
            for location in found:
                self._update(location, action["update"], (*at, "update"))
            return
        for location in sorted(found, reverse=True):  # of a list the last item first, and parts before wholes
            if not location:
                raise _wrong("the document as a whole can't be removed", (*at, "target"))
            self._remove(location)

    def _find(self, location: Location) -> object:
        node: object = self.root
        for step in location:
            node = _item(node, step)
        return node

    def _remove(self, location: Location) -> None:
        parent = self._own(location[:-1])
        if isinstance(parent, list):
            del parent[int(location[-1])]
            self.changes.append(_Change(_pointer(location)))
        else:
            del parent[str(location[-1])]

    def _update(self, location: Location, update: object, origin: Pointer) -> None:
        node, pointer = self._own(location), _pointer(location)
        if isinstance(node, list):
            self.changes.append(_Change((*pointer, str(len(node))), self._file, origin))
            node.append(update)
        elif isinstance(update, dict):
            self._merge(node, update, pointer, origin)
        else:
            raise _wrong("the target is an object, so `update` has to be one", origin)

    def _merge(self, node: _Object, update: _Object, pointer: Pointer, origin: Pointer) -> None:
        for key, value in update.items():
            there, place, source = node.get(key), (*pointer, key), (*origin, key)
            if isinstance(there, dict) and isinstance(value, dict):
                inner = self._copied(there)
                node[key] = inner
                assert isinstance(inner, dict)
                self._merge(inner, value, place, source)
            elif isinstance(there, list) and isinstance(value, list):
                node[key] = [*there, *value]
                for index in range(len(value)):
                    new = (*place, str(len(there) + index))
                    self.changes.append(_Change(new, self._file, (*source, str(index))))
            else:
                node[key] = value
                self.changes.append(_Change(place, self._file, source))

    def _own(self, location: Location) -> _Container:
        """The collection at `location`, copied with all that lead to it unless that was done before."""
        node: _Container = self.root
        for step in location:
            inner = _item(node, step)
            assert isinstance(inner, dict | list)
            copy = self._copied(inner)
            if isinstance(node, list):
                node[int(step)] = copy
            else:
                node[str(step)] = copy
            node = copy
        return node

    def _copied(self, node: _Container) -> _Container:
        if id(node) in self._owned:
            return node
        copy = dict(node) if isinstance(node, dict) else list(node)
        self._owned[id(copy)] = copy
        return copy


# --- what an overlay says ------------------------------------------------------------------------------


def _actions(file: SourceFile) -> list[_Object]:
    """The actions of an overlay.

    Raises:
        ProblemError: it is no overlay of version 1.0.
    """
    root, duplicates = decode(file.path, file.data)
    if duplicates:
        raise ProblemError(duplicates[0].problem())
    if not isinstance(root, dict) or "overlay" not in root:
        raise _wrong("the file is not an overlay: it has no `overlay` version", ())
    if not isinstance(root["overlay"], str) or not _VERSION.fullmatch(root["overlay"]):
        raise _wrong(
            f"overlay version `{_short(str(root['overlay']))}` is not supported", ("overlay",), "1.0.0 is"
        )
    _check(root, _KEYS, ("info", "actions"), ())
    info, actions = root["info"], root["actions"]
    assert isinstance(info, dict)
    assert isinstance(actions, list)
    _check(info, _INFO, ("title", "version"), ("info",))
    if not actions:
        raise _wrong("an overlay has at least one action", ("actions",))
    if len(actions) > MAX_ACTIONS:
        raise _wrong(f"an overlay has at most {MAX_ACTIONS:,} actions", ("actions",))
    for index, action in enumerate(actions):
        at = ("actions", str(index))
        if not isinstance(action, dict):
            raise _wrong("an action is an object", at)
        _check(action, _ACTION, ("target",), at)
        if action.get("remove") is not True and "update" not in action:
            raise _wrong("the action says neither `update` nor `remove: true`", at)
    return actions


def _check(node: _Object, keys: Mapping[str, type], required: tuple[str, ...], at: Pointer) -> None:
    for key, value in node.items():
        if key not in keys and not key.startswith("x-"):
            raise _wrong(f"unknown key `{_short(key)}`", (*at, key), did_you_mean(key, keys))
        if not isinstance(value, keys.get(key, object)):
            raise _wrong(f"`{key}` has to be {_WORDS[keys[key]]}", (*at, key))
    for key in required:
        if key not in node:
            raise _wrong(f"`{key}` is missing", at)


def _item(node: object, step: str | int) -> object:
    if isinstance(node, list):
        return node[int(step)]
    assert isinstance(node, dict)
    return node[step]


def _pointer(location: Location) -> Pointer:
    return tuple(str(step) for step in location)


def _wrong(message: str, pointer: Pointer, help_: str | None = None) -> ProblemError:
    return ProblemError(Problem("AC715", message, pointer, help_))


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
