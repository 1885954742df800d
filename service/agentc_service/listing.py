"""Lists of runs, of one tenant and no other."""

from __future__ import annotations

from typing import Final

from agentc_runtime.durable.views import RUN_ROWS, RunView, run_of
from agentc_runtime.ledger import Ledger

#: Runs that are looked at in one transaction: some milliseconds.
LOOK: Final = 5000


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

    `before` is the id of a run: ids order by the second in which runs were begun. Where many runs have to be
    looked at, others go on between two looks.
    """
    found: list[RunView] = []
    while True:
        whose, of = ["tenant = ?"], [tenant]
        for condition, value in (("subject = ?", subject), ("run_id < ?", before)):
            if value is not None:
                whose.append(condition)
                of.append(value)
        like, parameters = ["s.run_id = r.run_id"], list[str]()
        for condition, value in (("r.status = ?", status), ("r.agent = ?", agent)):
            if value is not None:
                like.append(condition)
                parameters.append(value)
        # the conditions are those above, with parameters
        look = f"SELECT run_id FROM served_runs WHERE {' AND '.join(whose)} ORDER BY run_id DESC LIMIT {LOOK}"  # noqa: S608
        sql = f"{RUN_ROWS} JOIN ({look}) s ON {' AND '.join(like)} ORDER BY s.run_id DESC LIMIT ?"
        with ledger.transaction() as within:
            edge = within.execute(f"SELECT count(*), min(run_id) FROM ({look}) s", of).fetchone()  # noqa: S608
            rows = within.execute(sql, (*of, *parameters, limit - len(found))).fetchall()
        found += [run_of(row, ledger.name) for row in rows]
        if len(found) == limit or edge is None or edge[0] != LOOK:
            return tuple(found)
        before = str(edge[1])
