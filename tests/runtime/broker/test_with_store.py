"""The broker on the real store: what is recorded is on disk, and quotas hold across brokers."""

from __future__ import annotations

import sqlite3

from agentc_runtime.bundle import Quota
from agentc_runtime.calls import Returned
from agentc_runtime.store import Store


async def test_calls_refusals_and_quotas_are_on_disk(world, kit, tmp_path):
    path = tmp_path / "state.db"
    with Store(path) as store:
        world.records = store
        about = {"agent": "triage", "version": "1.0.0", "bundle": "0" * 64, "environment": "local"}
        store.start_run("run1", **about, input={}, session={})
        world.build(grant={"quota": Quota(per_run=1)})
        assert isinstance(await world.refund(30), Returned)
        assert (await world.refund(4000, call_id="call-2")).code == "AR201"
        world.build(grant={"quota": Quota(per_run=1)})
        assert (await world.refund(1, call_id="call-3")).code == "AR203"
        world.server.answer = kit.status(422, b'{"why": "\xc3\xa9"}')
        assert (await world.call("helpdesk_get_ticket", {"ticket_id": "x"}, call_id="call-4")).code == "AR404"
    rows = sqlite3.connect(path)
    try:
        kept = "\n".join(rows.iterdump())
        calls = rows.execute("SELECT call_id, settled IS NOT NULL FROM calls ORDER BY call_id").fetchall()
    finally:
        rows.close()
    assert calls == [("call-1", 1), ("call-4", 1)]
    assert kit.secret not in kept
    assert "specs/triage.yaml" in kept
