"""The audit log for one tenant's auditors: the records of its runs, and whether the whole chain holds."""

from __future__ import annotations

from agentc_runtime.audit import AuditRecord, AuditReport, record_of, verify_audit
from agentc_runtime.chain import Row
from agentc_runtime.durable.audits import verify_ledger
from agentc_runtime.durable.ledgers import store_path
from agentc_runtime.ledger import Ledger


def list_records(
    ledger: Ledger, *, tenant: str, run_id: str | None, kind: str | None, after: int, limit: int
) -> tuple[AuditRecord, ...]:
    """The records of the tenant's runs that follow number `after`, oldest first. It does not verify them."""
    conditions, parameters = ["s.tenant = ?", "a.seq > ?"], [tenant, after]
    for column, value in (("a.run_id = ?", run_id), ("a.kind = ?", kind)):
        if value is not None:
            conditions.append(column)
            parameters.append(value)
    # the conditions are those above, with parameters
    sql = (
        "SELECT a.seq, a.time, a.run_id, a.kind, a.payload, a.hash FROM audit a"  # noqa: S608
        f" JOIN served_runs s ON s.run_id = a.run_id WHERE {' AND '.join(conditions)}"
        " ORDER BY a.seq LIMIT ?"
    )
    with ledger.transaction() as within:
        rows = within.execute(sql, (*parameters, limit)).fetchall()
    return tuple(record_of(Row._make(row), ledger.name) for row in rows)


def verify(store: str, ledger: Ledger, expect_head: str | None) -> AuditReport:
    """Check the whole chain, which all tenants share: one that holds holds for each of them."""
    path = store_path(store)
    return verify_ledger(ledger, expect_head) if path is None else verify_audit(path, expect_head)
