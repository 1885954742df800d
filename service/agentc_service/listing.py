"""Lists of runs, of one tenant and no other."""

from __future__ import annotations

from agentc_runtime.durable.views import RUN_ROWS, RunView, run_of
from agentc_runtime.ledger import Ledger


def list_runs(
    ledger: Ledger,
    *,
    tenant: str,
    subject: str | None,
    status: str | None,
    agent: str | None,
    before: str | None,
    limit: int,
) -> tuple[RunView, ...]:
    """The newest runs first. `subject` is whose runs, `None` for everybody's in the tenant.

    `before` is the id of a run: ids order by the second in which runs were begun.
    """
    conditions, parameters = ["s.tenant = ?"], [tenant]
    for column, value in (
        ("s.subject = ?", subject),
        ("r.status = ?", status),
        ("r.agent = ?", agent),
        ("r.run_id < ?", before),
    ):
        if value is not None:
            conditions.append(column)
            parameters.append(value)
    # the conditions are those above, with parameters
    sql = (
        f"{RUN_ROWS} JOIN served_runs s ON s.run_id = r.run_id WHERE {' AND '.join(conditions)}"
        " ORDER BY r.run_id DESC LIMIT ?"
    )
    with ledger.transaction() as within:
        rows = within.execute(sql, (*parameters, limit)).fetchall()
    return tuple(run_of(row, ledger.name) for row in rows)
