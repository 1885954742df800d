"""What many waiting runs cost in PostgreSQL: sizes of tables, and whether queries still go by indexes.

    python benchmarks/waiting.py [--runs N] [--small N]

Real runs are made up to their approval, and their rows are then copied in the database until there are so
many. The queries are those that workers and operators make all the time. `ratio` is the time of the slowest
of them with all runs against the same one with few, each the median of repeats. For each query the plan is
printed: it has to name an index, and no sequential scan of a table that grows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from support.figures import ROOT, CannotMeasureError, finish, main

sys.path.insert(0, str(ROOT / "tests" / "support"))

import postgres as postgres_server
import psycopg

import durable

#: Tables with rows for each waiting run, and what makes a copied row another one.
COPIED = {
    "agentc.runs": {
        "run_id": "run_id || '-' || n",
        "started": "to_char(now() - n * interval '1 second', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
    },
    "agentc.durable_runs": {"run_id": "run_id || '-' || n"},
    "agentc.turns": {"run_id": "run_id || '-' || n"},
    "agentc.calls": {"run_id": "run_id || '-' || n", "id": None},
    "agentc.approvals": {
        "approval_id": "md5(approval_id || n)",
        "run_id": "run_id || '-' || n",
        "expires": "to_char(now() + n * interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
    },
    "agentc.audit": {
        "run_id": "run_id || '-' || n",
        "seq": "seq + n * (SELECT max(seq) FROM agentc.audit)",
    },
    "dbos.workflow_status": {"workflow_uuid": "workflow_uuid || '-' || n"},
}
QUERIES = {
    "runs to hand over": (
        "SELECT d.run_id FROM agentc.durable_runs d JOIN agentc.runs r ON r.run_id = d.run_id"
        " WHERE d.handed = 0 AND r.status = 'queued' ORDER BY d.run_id LIMIT 200 FOR UPDATE OF d SKIP LOCKED"
    ),
    "runs that should be under way": (
        "SELECT r.run_id FROM agentc.runs r JOIN agentc.durable_runs d ON r.run_id = d.run_id"
        " WHERE r.status IN ('queued', 'running') AND d.handed = 1 AND r.run_id > ''"
        " ORDER BY r.run_id LIMIT 200"
    ),
    "approvals that expire": (
        "SELECT approval_id, run_id FROM agentc.approvals WHERE status = 'pending'"
        " AND expires <= to_char(now() - interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
        " ORDER BY expires LIMIT 500"
    ),
    "approvals that wait": (
        "SELECT approval_id FROM agentc.approvals WHERE status = 'pending' ORDER BY expires LIMIT 50"
    ),
    "waiting runs": (
        "SELECT run_id FROM agentc.runs WHERE status = 'waiting' ORDER BY started DESC, run_id DESC LIMIT 50"
    ),
    "one run taken up": (
        "SELECT r.bundle, d.attempts FROM agentc.runs r JOIN agentc.durable_runs d ON d.run_id = r.run_id"
        " WHERE r.run_id = (SELECT run_id FROM agentc.approvals ORDER BY approval_id LIMIT 1)"
    ),
    "turns of one run": (
        "SELECT step FROM agentc.turns WHERE run_id = (SELECT run_id FROM agentc.approvals"
        " ORDER BY approval_id LIMIT 1)"
    ),
    "the engine's queue": (
        "SELECT workflow_uuid FROM dbos.workflow_status WHERE queue_name = 'agentc' AND status = 'ENQUEUED'"
        " ORDER BY priority, created_at LIMIT 20"
    ),
}


def real_runs(url: str, folder: Path, number: int) -> None:
    """Runs that wait for their approval, made by a worker."""
    from agentc_runtime.durable.ledgers import open_ledger
    from agentc_runtime.durable.starting import keep_run

    bundle = durable.made(folder, approval={"by": ["leads"], "expires": "7d"})
    ledger = open_ledger(url)
    for _ in range(number):
        keep_run(
            ledger, bundle, durable.ENVIRON, environment="local", input={"ticket": "T-1"}, session={},
            handed=False,
        )  # fmt: skip
    with durable.workers(url, 1):
        deadline = time.monotonic() + 120
        while True:
            with ledger.transaction() as within:
                row = within.execute("SELECT count(*) FROM runs WHERE status = 'waiting'").fetchone()
            if row == (number,):
                break
            if time.monotonic() > deadline:
                raise CannotMeasureError("the runs did not come to their approval")
            time.sleep(0.1)
    ledger.close()


def copy(connection: psycopg.Connection, first: int, last: int) -> None:
    """Make copies number `first` to `last` of each row of the real runs."""
    for table, changes in COPIED.items():
        schema, name = table.split(".")
        columns = [
            str(row[0])
            for row in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = %s"
                " AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
                (schema, name),
            )
            if changes.get(str(row[0]), "") is not None
        ]
        values = ", ".join(changes.get(column) or column for column in columns)
        key = "workflow_uuid" if schema == "dbos" else "run_id"
        connection.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table},"
            f" generate_series({first}, {last}) n WHERE {key} !~ '-[0-9]+$'".encode()
        )
        connection.execute(f"ANALYZE {table}".encode())


def timed(connection: psycopg.Connection, repeats: int) -> dict[str, float]:
    """Milliseconds of each query."""
    found: dict[str, float] = {}
    for name, query in QUERIES.items():
        taken = []
        for _ in range(repeats):
            begun = time.perf_counter()
            connection.execute(query.encode()).fetchall()
            taken.append((time.perf_counter() - begun) * 1000)
        found[name] = statistics.median(taken)
    return found


def scans(connection: psycopg.Connection) -> dict[str, list[str]]:
    """How each query finds its rows."""
    found: dict[str, list[str]] = {}

    def walk(plan: dict[str, Any]) -> list[str]:
        own = [f"{plan['Node Type']} {plan.get('Index Name') or plan.get('Relation Name', '')}".strip()]
        inner = [line for part in plan.get("Plans", []) for line in walk(part)]
        return (own if "Scan" in plan["Node Type"] else []) + inner

    for name, query in QUERIES.items():
        row = connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode()).fetchone()
        assert row is not None
        said = row[0] if isinstance(row[0], list) else json.loads(str(row[0]))
        found[name] = walk(said[0]["Plan"])
    return found


def measure(arguments: argparse.Namespace) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=ROOT)))
        server = stack.enter_context(postgres_server.server())
        url = postgres_server.emptied(server)
        real_runs(url, folder, 20)
        connection = stack.enter_context(psycopg.connect(url, autocommit=True))
        copy(connection, 1, arguments.small // 20 - 1)
        few = timed(connection, 20)
        copy(connection, arguments.small // 20, arguments.runs // 20 - 1)
        many = timed(connection, 20)
        row = connection.execute("SELECT count(*) FROM agentc.runs WHERE status = 'waiting'").fetchone()
        total = int(str(row[0])) if row else 0
        sizes = {
            table: connection.execute("SELECT pg_total_relation_size(%s)", (table,)).fetchone()
            for table in COPIED
        }
        for table, size in sizes.items():
            print(f"{table:22} {int(str(size[0])) / total if size else 0:8.0f} bytes a run")
        plans = scans(connection)
        sequential = 0
        for name, lines in plans.items():
            sequential += sum(line.startswith("Seq Scan") for line in lines)
            print(f"{name:30} {few[name]:7.2f} ms, then {many[name]:7.2f} ms: {', '.join(lines)}")
    worst = max(QUERIES, key=lambda name: many[name] / few[name])
    figures: dict[str, float | int | str] = {
        "waiting_runs": total,
        "bytes_per_run": round(sum(int(str(size[0])) for size in sizes.values() if size) / total, 1),
        "sequential_scans": sequential,
        "slowest_query": worst,
        "slowest_ms": many[worst],
    }
    against = f"the same query with {arguments.small} runs"
    finish("waiting", against, many[worst] / few[worst], "2x", figures)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=100_000, help="waiting runs in the end")
    parser.add_argument("--small", type=int, default=10_000, help="waiting runs at first")
    return parser.parse_args()


if __name__ == "__main__":
    asked = parsed()
    sys.exit(main(lambda: measure(asked)))
