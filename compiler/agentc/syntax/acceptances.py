"""Kind `AcceptanceSet`: who may accept that a change lets agents do more, and what was accepted."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from .common import Closed, Name, NonEmpty, RuleCode

Date: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
DeltaDigest: TypeAlias = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]


class OwnerSpec(Closed):
    """Who may accept which widenings. What is said together has to hold together; `by` alone is for all."""

    by: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Approver groups of the project, any person of which may accept."""
    rules: tuple[RuleCode, ...] = ()
    """Widenings of these rules."""
    severity: tuple[Literal["high", "medium", "low"], ...] = ()
    """Widenings of these severities."""
    agents: tuple[Name, ...] = ()
    """Widenings of these agents."""
    subjects: tuple[NonEmpty, ...] = ()
    """Widenings about these: a tool, a server, a secret, as the comparison names it."""


class AcceptanceSpec(Closed):
    """One change that somebody accepts."""

    delta: DeltaDigest
    """The digest of the change, as `agentc diff` shows it. Any other change has another digest."""
    by: NonEmpty
    """The person, as an approver group of the project names them."""
    reason: NonEmpty
    """Why it may be so: shown to reviewers, and kept in the bundle."""
    expires: Date
    """The last day on which it counts, in UTC."""


class AcceptanceSetSpec(Closed):
    """Widenings of what agents may do that were accepted, and who may accept.

    `owners` count as they stand in the old version of a change, `accepted` as it stands in the new one:
    nobody makes themselves an owner by the change that they accept.
    """

    owners: tuple[OwnerSpec, ...] = ()
    """Who may accept. Of several entries that match a widening the last one counts, as in CODEOWNERS; one
    that no entry matches can't be accepted."""
    accepted: tuple[AcceptanceSpec, ...] = ()
    """What was accepted."""
