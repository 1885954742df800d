"""Calls that show where a grant begins and ends, each with the broker's verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from agentc_runtime import labels

from ..access import (
    Judge,
    Told,
    ToolAccess,
    Verdict,
    as_json,
    favourable,
    moment,
    sent,
    sent_unasked,
    some_value,
)
from ..schematypes import type_at
from ..subsumption import Complement, Intersection, Region
from .edges import edges

#: How many examples of one outcome are shown for one argument.
MOST = 2


@dataclass(frozen=True)
class Example:
    """A call of a model with these arguments, and what becomes of it. `about` is the argument it turns on."""

    arguments: Mapping[str, object]
    verdict: Verdict
    about: str = ""


def examples(judge: Judge, access: ToolAccess, state: str, read: labels.Label) -> list[Example]:
    """An allowed call, then for each argument that the grant limits the calls just inside and just outside.

    They are made in `state` after `read`, with everything else as favourable as it can be.
    """
    asked = _Asked(judge, access, state, read)
    base = asked.base()
    if base is None:
        return []
    found = [Example(base, asked.verdict(base))]
    for name in _limited(access):
        found += asked.around(base, name)
    for name in sorted(access.grant.bind):
        given = {**base, name: asked.bound(name)}
        found.append(Example(given, asked.verdict(given), name))
    return list(_chosen(found))


class _Asked:
    def __init__(self, judge: Judge, access: ToolAccess, state: str, read: labels.Label) -> None:
        self._judge, self._access, self._state, self._read = judge, access, state, read
        self._whole: dict[str, object] = {}

    def base(self) -> dict[str, object] | None:
        """The arguments of a call that goes through, with nobody asked if there is one."""
        program, tool = self._judge.program, self._access.tool.name
        before = moment(program, self._state, tool, Told(read=self._read)).context
        for region in (sent_unasked(program, self._access, before), sent(program, self._access)):
            whole = some_value(region)
            if isinstance(whole, dict):
                self._whole = whole
                bind = self._access.grant.bind
                return {name: value for name, value in sorted(whole.items()) if name not in bind}
        return None

    def bound(self, name: str) -> object:
        """A value for an argument that is bound: what it is bound to."""
        return self._whole.get(name)

    def verdict(self, given: Mapping[str, object]) -> Verdict:
        """What becomes of a call with these arguments."""
        whole = {**self._whole, **given}
        at = favourable(self._judge.program, self._access, self._state, whole, self._read)
        if at is None:
            at = moment(self._judge.program, self._state, self._access.tool.name, Told(read=self._read))
        return self._judge.verdict(self._state, self._access.tool.name, as_json(given), at)

    def around(self, base: Mapping[str, object], name: str) -> Iterator[Example]:
        """The calls at the edges of one argument, where the outcome changes from one value to the next."""
        tried = [
            Example(given, self.verdict(given), name)
            for value in self._values(base, name)
            for given in ({**base, name: value},)
        ]
        numbers = [one for one in tried if _is_number(one.arguments[name])]
        numbers.sort(key=lambda one: float(str(one.arguments[name])))
        others = [one for one in tried if one not in numbers]
        for first, second in pairwise(numbers):
            if _outcome(first) != _outcome(second):
                yield from (first, second)
        seen = {_outcome(one) for one in numbers}
        for one in others:
            if _outcome(one) not in seen:
                seen.add(_outcome(one))
                yield one
        if name not in base:
            return
        without = {key: value for key, value in base.items() if key != name}
        missing = Example(without, self.verdict(without), name)
        if missing.verdict.outcome == "refused" and not any(
            one.verdict.outcome == "refused" for one in tried
        ):
            yield missing

    def _values(self, base: Mapping[str, object], name: str) -> Iterator[object]:
        grant, own = self._access.grant, self._access.tool.arguments
        near = base.get(name)
        for schema in (grant.where, grant.approval and grant.approval.when, own):
            limit = type_at(schema, (name,)) if schema else None
            if limit is not None:
                yield from edges(limit, limit, near)
        inside: Region = type_at(own, (name,)) or {}
        limits = [type_at(grant.where, (name,))] if grant.where else []
        limits += [type_at(grant.approval.when, (name,))] if grant.approval and grant.approval.when else []
        for limit in limits:
            if limit is not None:
                for region in (limit, Complement(limit)):
                    value = some_value(Intersection((inside, region)))
                    if value is not None:
                        yield value


def _limited(access: ToolAccess) -> list[str]:
    grant = access.grant
    said = [grant.where, grant.approval.when if grant.approval else None]
    named = [schema.get("properties") for schema in said if schema is not None]
    names = {name for one in named if isinstance(one, Mapping) for name in one}
    return sorted(names - grant.bind.keys())


def _outcome(example: Example) -> tuple[str, str]:
    return example.verdict.outcome, example.verdict.code


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _chosen(found: list[Example]) -> Iterator[Example]:
    """Each call once, and of one outcome and argument no more than two."""
    order = {"allowed": 0, "asks": 1, "refused": 2}
    seen: set[str] = set()
    counts: dict[object, int] = {}
    for one in sorted(found, key=lambda one: order[one.verdict.outcome]):
        text = as_json(one.arguments)
        key = (_outcome(one), one.about)
        if text in seen or counts.get(key, 0) >= MOST:
            continue
        seen.add(text)
        counts[key] = counts.get(key, 0) + 1
        yield one
