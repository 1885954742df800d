"""Which widenings of a delta were accepted, by somebody who may, and which were not.

Owners are read from the old version and acceptances from the new one: nobody becomes an owner by the change
that they accept. An acceptance is for one digest, so that any other change is another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .values import Acceptance, Change, Delta, Owner, Place

if TYPE_CHECKING:
    from ..program import Program


@dataclass(frozen=True)
class Accepted:
    """What of a delta is accepted: a pair for each widening, `None` where nobody has accepted it.

    `problems` say why acceptances for this delta do not count, each with its place.
    """

    widenings: tuple[tuple[Change, Acceptance | None], ...]
    problems: tuple[tuple[str, Place], ...]

    def of(self, change: Change) -> Acceptance | None:
        """Who has accepted a widening."""
        return next((one for widening, one in self.widenings if widening == change), None)

    @property
    def open(self) -> tuple[Change, ...]:
        """The widenings that nobody has accepted."""
        return tuple(change for change, acceptance in self.widenings if acceptance is None)


def judge(delta: Delta, today: str | None) -> Accepted:
    """What was accepted as of `today` (`YYYY-MM-DD`); with `None` no day is looked at."""
    mine = [one for one in delta.new.accepted if one.delta == f"sha256:{delta.digest}"]
    counting = [one for one in mine if today is None or one.expires >= today]
    pairs = []
    for change in delta.widenings:
        people = owners_for(delta.old.owners, change)
        pairs.append((change, next((one for one in counting if one.by in people), None)))
    used = {one for _, one in pairs if one is not None}
    return Accepted(tuple(pairs), tuple(_problems(delta, mine, counting, used)))


def owners_for(owners: Sequence[Owner], change: Change) -> frozenset[str]:
    """The persons who may accept a widening: those of the last entry that matches it."""
    for owner in reversed(owners):
        agent = change.agent.partition(" > ")[0].rpartition("/")[2]
        if (
            _says(owner.rules, change.code)
            and _says(owner.severities, change.severity)
            and _says(owner.agents, agent)
            and _says(owner.subjects, change.subject)
        ):
            return owner.people
    return frozenset()


def _says(names: Sequence[str], name: str) -> bool:
    return not names or name in names


def _problems(
    delta: Delta, mine: Sequence[Acceptance], counting: Sequence[Acceptance], used: set[Acceptance]
) -> Iterator[tuple[str, Place]]:
    for one in mine:
        if one not in counting:
            yield f"the acceptance of `{one.by}` counted up to {one.expires}", one.at
        elif one not in used and delta.widenings:
            why = f"`{one.by}` owns none of what is widened"
            if delta.old.kind == "bundle":
                why = "a bundle does not say who may accept: compare with a revision"
            elif not delta.old.owners:
                why = "the old version has no AcceptanceSet with `owners`, so nobody may accept anything yet"
            yield f"the acceptance of `{one.by}` does not count: {why}", one.at


def owners_of(program: Program) -> list[Owner]:
    """The owners of a project, with the persons of their groups."""
    groups = {} if program.project is None else program.project.spec.approvers
    return [
        Owner(
            people=frozenset(person for group in one.by for person in groups.get(group, ())),
            rules=one.rules,
            severities=one.severity,
            agents=one.agents,
            subjects=one.subjects,
        )
        for _, accepted in sorted(program.acceptance_sets.items())
        for one in accepted.spec.owners
    ]


def accepted_of(program: Program, base: str) -> list[Acceptance]:
    """The acceptances of a project."""
    found = []
    for _, accepted in sorted(program.acceptance_sets.items()):
        for index, one in enumerate(accepted.spec.accepted):
            span = accepted.span("accepted", index)
            place = Place(span.file, span.line, base)
            found.append(Acceptance(one.delta, one.by, one.reason, one.expires, place))
    return found
