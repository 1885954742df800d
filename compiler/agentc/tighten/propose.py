"""The narrowest grants that would have let every recorded call through, as changes of those there are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from agentc_runtime.bundle import Origin
from agentc_runtime.consent import open_destinations
from agentc_runtime.origins import ORIGINS
from agentc_runtime.quoting import shown
from agentc_runtime.workflow import ToolState

from ..access import Moment, ToolAccess, allowed
from ..lowered import Lowered
from ..permission_tests import trials
from ..predicates import FROM, close_where
from ..program import Grant, Program
from ..subsumption import Escapes, Intersection, Region, includes
from .changes import Change, Kept, limit_in_words
from .evidence import Evidence, Seen
from .infer import inferred

#: A value, and the moment at which it was given, if that is known.
_Placed: TypeAlias = tuple[object, Moment | None]
#: How many of the values that were seen an explanation shows.
SHOWN = 5
#: The longest text that it shows whole.
LONGEST = 40


@dataclass(frozen=True)
class Needed:
    """A call that a permission test of the agent wants to go through, and the calls before it."""

    tool: str
    arguments: Mapping[str, object]
    at: Moment
    per_run: int
    per_day: int


def needed(program: Program, lowered: Lowered) -> list[Needed]:
    """What the project's permission tests want the agent to be able to do."""
    found: list[Needed] = []
    for test in program.permission_tests.values():
        if test.spec.agent != lowered.name:
            continue
        for trial in trials(lowered, test):
            case = trial.case
            if case.expect.outcome != "refused":
                used = max(case.used.per_day, case.used.per_run)
                given = json.loads(trial.arguments)
                found.append(Needed(case.tool, given, trial.moment, case.used.per_run, used))
    return found


def propose(
    program: Program, lowered: Lowered, evidence: Evidence, *, at_least: int, tools: Collection[str] = ()
) -> tuple[list[Change], list[Kept]]:
    """What to take away from the grants of the agent, or of `tools` alone, and what stays and why.

    A limit on an argument needs `at_least` calls, the end of a grant or a quota of a run so many runs, and a
    quota of a day so many days.
    """
    changes: list[Change] = []
    kept: list[Kept] = []
    wanted = needed(program, lowered)
    for name, grant in sorted(lowered.agent.grants.items(), key=lambda one: one[1].span()):
        if tools and name not in tools:
            continue
        others = _sharing(program, lowered, grant)
        if others:
            who = ", ".join(f"`{one}`" for one in others)
            kept.append(
                Kept(name, "the grant", f"`{grant.permission_set.name}` is also a permission set of {who}")
            )
            continue
        tests = [one for one in wanted if one.tool == name]
        one = _Tool(lowered, grant, lowered.accesses[name], evidence, tests, at_least)
        for found in one.found():
            if isinstance(found, Change):
                changes.append(found)
            else:
                kept.append(found)
    return changes, kept


def _sharing(program: Program, lowered: Lowered, grant: Grant) -> list[str]:
    return sorted(
        name
        for name, agent in program.agents.items()
        if name != lowered.name and grant.permission_set in agent.permission_sets
    )


@dataclass(frozen=True)
class _Given:
    """A call whose arguments are known."""

    call: Seen
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class _Tool:
    """One granted tool, what was recorded of it, and what tests want of it."""

    lowered: Lowered
    grant: Grant
    access: ToolAccess
    evidence: Evidence
    tests: Sequence[Needed]
    at_least: int

    @property
    def name(self) -> str:
        return self.access.tool.name

    def found(self) -> Iterator[Change | Kept]:
        calls, runs = self.evidence.of(self.name), self.evidence.runs
        if not calls:
            yield from self._unused()
            return
        known = [_Given(call, call.arguments) for call in calls if call.arguments is not None]
        if len(known) < len(calls):
            cut = _count(len(calls) - len(known), "call")
            yield Kept(self.name, "its arguments", f"those of {cut} were cut and are not known")
        elif len(calls) < self.at_least:
            yield Kept(self.name, "its arguments", f"only {_count(len(calls), 'call')}")
        else:
            for argument in self._arguments():
                yield from self._argument(argument, known)
        yield from self._quotas(calls, runs)

    def _unused(self) -> Iterator[Change | Kept]:
        runs = len(self.evidence.runs)
        states = self.lowered.program.states
        fixed = [name for name in self.access.states if isinstance(states[name], ToolState)]
        if self.tests:
            yield Kept(
                self.name, "the grant", "it was never called, and permission tests want it to be possible"
            )
        elif fixed:
            yield Kept(
                self.name, "the grant", f"it was never called, and the state `{fixed[0]}` is there to call it"
            )
        elif any(tool == self.name for tool, _ in self.evidence.outside):
            yield Kept(
                self.name, "the grant", "it was called, and the specs as they are refuse what was recorded"
            )
        elif runs < self.at_least:
            yield Kept(self.name, "the grant", f"never called, in only {_count(runs, 'run')}")
        else:
            yield Change(
                self.name, "grant", self.grant.span("tool"), f"never called in {_count(runs, 'run')}"
            )

    def _arguments(self) -> list[str]:
        named = self.access.tool.arguments.get("properties")
        known = named if isinstance(named, Mapping) else {}
        return sorted(name for name in known if name not in self.grant.spec.bind)

    def _argument(self, name: str, calls: Sequence[_Given]) -> Iterator[Change | Kept]:
        giving = [one for one in calls if name in one.arguments]
        if not giving:
            return
        said = self.grant.spec.where.get(name, {})
        if any(name in one.call.hidden for one in giving):
            yield Kept(
                self.name, f"`{name}`", "a secret stood in it, and what was recorded is not what was sent"
            )
            return
        wanting = [one.arguments for one in self.tests]
        if not said and not (len(giving) == len(calls) and all(name in one for one in wanting)):
            if len(giving) >= self.at_least:
                without = len(calls) - len(giving) + sum(name not in one for one in wanting)
                often = "once" if without == 1 else f"{without} times"
                yield Kept(self.name, f"`{name}`", f"it was left out {often}, and a limit would require it")
            return
        seen = [one.arguments[name] for one in giving]
        wanted = [one[name] for one in wanting if name in one]
        limit, witness = self._narrower(name, inferred(seen, wanted, said, listed=self._may_settle(name)))
        traced = self._traced(name, [(one.arguments[name], one.call.at) for one in giving])
        if traced is not None:
            limit[FROM] = list(traced)
        if not limit:
            return
        span = self.grant.span("where", name, key=True) if said else self.grant.span("tool")
        values = _values(seen)
        also = f"; permission tests want {_values(wanted)}" if wanted else ""
        runs = _count(len({one.call.run for one in giving}), "run")
        because = f"{_count(len(giving), 'call')} in {runs} gave {values}{also}"
        was = limit_in_words(said)
        yield Change(self.name, "argument", span, because, name=name, limit=limit, was=was, witness=witness)

    def _may_settle(self, name: str) -> bool:
        """Whether listing the argument's values takes something away only.

        A destination whose values are listed counts as settled by the spec, and an argument whose values are
        listed may be given in an exception to the flow rule: then fewer calls ask.
        """
        grant = self.access.grant
        if grant.untrusted_to_effect == "allow":
            return True
        return name not in open_destinations(self.access.tool, grant) and self._may_trace(name)

    def _narrower(self, name: str, keywords: Mapping[str, object]) -> tuple[dict[str, object], object]:
        """Those of the keywords that take something away from what the grant allows, and a call that would
        be refused then.

        That the argument has to be given is not what is looked for: each limit asks for that.
        """
        found: dict[str, object] = {}
        witness: object = None
        region: Region = Intersection((allowed(self.access), {"required": [name]}))
        for part in _parts(keywords):
            more = close_where({name: part})
            answer = includes(more, region)
            if isinstance(answer, Escapes):
                found |= part
                witness = answer.witness
                region = Intersection((region, more))
        return found, witness

    def _traced(self, name: str, values: Sequence[_Placed]) -> tuple[Origin, ...] | None:
        """The origins that are enough for each value at its moment, of those that are admitted now.

        `None` when no fewer are, or when where a value stood is not known.
        """
        said = self.access.grant.origins.get(name)
        free = said is None and name in open_destinations(self.access.tool, self.access.grant)
        if not (free or said):
            return None
        if not said and not self._may_trace(name):
            return None
        wanted = [(one.arguments[name], one.at) for one in self.tests if name in one.arguments]
        values = [*values, *wanted]
        left = list(said or ORIGINS)
        if not _stand(values, left):
            return None
        for origin in reversed(left[:]):  # those that others can write into go first
            fewer = [one for one in left if one != origin]
            if fewer and _stand(values, fewer):
                left = fewer
        return None if tuple(left) == said else tuple(left)

    def _may_trace(self, name: str) -> bool:
        """Whether `from` takes something away only: what is traced may be given in an exception as well."""
        unless = self.access.grant.unless
        named = unless.schema.get("properties") if unless is not None else None
        return not isinstance(named, Mapping) or name in named

    def _quotas(self, calls: Sequence[Seen], runs: Sequence[str]) -> Iterator[Change]:
        quota = self.access.grant.quota
        in_run = Counter(call.run for call in calls)
        most = max([*in_run.values(), *(one.per_run + 1 for one in self.tests)])
        now = None if quota is None else quota.per_run
        if len(runs) >= self.at_least and (now is None or most < now):
            because = f"at most {max(in_run.values())} in each of {_count(len(runs), 'run')}"
            yield self._quota("per_run", most, now, because)
        now = None if quota is None else quota.per_day
        daily = self.evidence.daily.get(self.name, Counter())
        if now is None or len(self.evidence.days) < self.at_least:
            return
        most = max([*daily.values(), *(one.per_day + 1 for one in self.tests)])
        if most < now:
            because = f"at most {max(daily.values())} on each of {_count(len(self.evidence.days), 'day')}"
            yield self._quota("per_day", most, now, because)

    def _quota(self, name: str, count: int, now: int | None, because: str) -> Change:
        span = (
            self.grant.span("quota", key=True)
            if self.grant.spec.quota is not None
            else self.grant.span("tool")
        )
        was = "" if now is None else f"{now}"
        if self.tests and any(getattr(one, name) + 1 == count for one in self.tests):
            because += f"; permission tests want {count}"
        return Change(self.name, "quota", span, because, name=name, count=count, was=was)


def _parts(keywords: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Each keyword alone; which keys an object may have, together with those that it must have."""
    for key, value in keywords.items():
        if key == "properties" and "required" in keywords:
            yield {key: value, "required": keywords["required"]}
        elif key != "required":
            yield {key: value}


def _stand(values: Sequence[_Placed], origins: Collection[Origin]) -> bool:
    return all(at is not None and at.origins.stands_in(value, origins) for value, at in values)


def _values(values: Sequence[object]) -> str:
    """The values that occurred, in words: the extremes of numbers, else the most frequent ones."""
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    if len(numbers) == len(values):
        least, most = min(numbers), max(numbers)
        return shown(least) if least == most else f"{shown(least)} to {shown(most)}"
    counts = Counter(map(_short, values))
    first = [text for text, _ in counts.most_common(SHOWN)]
    more = len(counts) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")


def _short(value: object) -> str:
    """A value, or of a long text its beginning and its length."""
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{shown(value[:LONGEST])}… ({len(value)} characters)"
    return shown(value)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
