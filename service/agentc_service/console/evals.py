"""Evals: what is attested, in the bundles that run, about how well their agents do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from starlette.responses import Response

from agentc.evals.outcome import Outcome
from agentc_runtime.trust.dsse import EnvelopeError, read_envelope
from agentc_runtime.trust.statement import read_statement
from agentc_runtime.verify import Bundle

from ..settings import Served
from .visits import Visit, signed_in


@dataclass(frozen=True)
class Attested:
    """A report that a bundle carries, and when it was signed. Without an `outcome` it can't be read here."""

    path: str
    signed_on: datetime | None
    outcome: Outcome | None

    @property
    def failing(self) -> tuple[str, ...]:
        """The cases that count and did not pass in each of their runs."""
        if self.outcome is None:
            return ()
        return tuple(case.id for case in self.outcome.cases if case.counts and case.passed < 1)


@signed_in("approver", "operator", "auditor")
async def index(visit: Visit) -> Response:
    """The reports of all agents."""
    agents = visit.parts.settings.agents
    return visit.page("evals.html", rows=[_row(agents[name]) for name in sorted(agents)])


def _row(served: Served) -> tuple[Served, Bundle, list[Attested]]:
    bundle = served.bundle
    return served, bundle, reports_of(bundle)


def reports_of(bundle: Bundle) -> list[Attested]:
    """The reports of evals about this very bundle. Who signed them, a trust policy judges."""
    found = []
    for path, data in bundle.attestations.items():
        try:
            statement = read_statement(read_envelope(data))
        except EnvelopeError:
            continue
        if statement.kind != "eval" or statement.digest != bundle.digest:
            continue
        try:
            outcome = msgspec.convert(statement.predicate["report"], Outcome)
        except msgspec.ValidationError:
            outcome = None
        found.append(Attested(path, statement.signed_on, outcome))
    return found
