"""How many durable runs a second one PostgreSQL database takes, by how many processes write at once.

    python benchmarks/writing.py [--seconds S] [--writers N ...]

A writer keeps whole runs of four model turns and three calls, one after the other, through the journal that
runs use. Models, services and the engine take no time, so what is measured is the database: above all the
head of the audit log, which everybody who records holds until the write is synced.

`ratio` is the time of one synced write of a run, of which it has five, against a transaction that inserts one
row, with one writer each. Then runs a second for each number of writers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from support.figures import ROOT, CannotMeasureError, child_environment, finish, main

sys.path.insert(0, str(ROOT / "tests" / "support"))

import postgres as postgres_server

import durable
from agentc_runtime.calls import Claim, Returned
from agentc_runtime.labels import Label
from agentc_runtime.ledger import Ledger
from agentc_runtime.verify import Bundle, read_bundle

#: Synced writes of a run: it is kept, each of three intents takes along what came before it, it ends.
WRITES = 5
ANSWER = Returned(status=200, value={"id": "T-1"}, label=Label(), seconds=0.01)
TURN = json.dumps({"type": "completed", "text": "x" * 400})


async def whole_run(ledger: Ledger, bundle: Bundle) -> None:
    """Keep all that a run keeps."""
    from agentc_runtime.durable.journal import DurableJournal
    from agentc_runtime.durable.runs import create_run
    from agentc_runtime.run import new_run_id

    run_id = new_run_id()
    create_run(ledger, bundle, run_id, environment="local", input={"ticket": "T-1"}, session={}, handed=True)
    journal = DurableJournal(ledger, run_id, 1)
    for number in range(3):
        journal.keep_turn(f"model-{number}", TURN)
        claim = Claim(
            run_id=run_id, call_id=f"call-{number}", agent="triage", tool="desk.get_ticket", effect="read",
            arguments={"ticket_id": "T-1"}, request_digest="cd" * 32, idempotency_key=None, per_run=None,
            per_day=None,
        )  # fmt: skip
        await journal.claim(claim)
        journal.settle(run_id, claim.call_id, ANSWER)
    journal.keep_turn("model-3", TURN)
    journal.record_step(run_id, 1, "work", "done")
    await journal.end_run(run_id, "succeeded", output="done", refusal=None)
    await journal.close()


async def kept(url: str, folder: Path, seconds: float) -> int:
    """How many runs are kept in that time."""
    from agentc_runtime.durable.ledgers import open_ledger

    bundle = read_bundle(folder)
    ledger = open_ledger(url)
    await whole_run(ledger, bundle)
    number, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        await whole_run(ledger, bundle)
        number += 1
    ledger.close()
    return number


def inserted(url: str, seconds: float) -> int:
    """How many transactions insert one row in that time."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS floor (id bigserial PRIMARY KEY, text text)")
        number, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            with connection.transaction():
                connection.execute("INSERT INTO floor (text) VALUES (%s)", (TURN,))
            number += 1
        connection.execute("DROP TABLE floor")
    return number


def together(url: str, folder: Path, seconds: float, writers: int) -> float:
    """Runs a second of so many processes.

    Raises:
        CannotMeasureError: one of them failed.
    """
    command = [sys.executable, str(Path(__file__).resolve()), "--seconds", str(seconds), "--writer", url]
    running = [
        subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE, text=True, env=child_environment())
        for _ in range(writers)
    ]
    said = [process.communicate(timeout=seconds + 60)[0] for process in running]
    if any(process.returncode for process in running):
        raise CannotMeasureError("a writer failed")
    return sum(map(int, said)) / seconds


def measure(arguments: argparse.Namespace) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-", dir=ROOT)))
        bundle = durable.made(folder)
        for path, content in bundle.files.items():
            (folder / "bundle" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "bundle" / path).write_bytes(content)
        server = stack.enter_context(postgres_server.server())
        url = postgres_server.emptied(server)
        floor = inserted(url, arguments.seconds) / arguments.seconds
        figures: dict[str, float | int | str] = {"inserts_per_second": floor}
        for writers in arguments.writers:
            figures[f"runs_per_second_{writers}"] = together(
                url, folder / "bundle", arguments.seconds, writers
            )
            print(f"{writers} writers: {figures[f'runs_per_second_{writers}']:.0f} runs/s")
    one = float(figures[f"runs_per_second_{arguments.writers[0]}"])
    ratio = floor / (one * WRITES) if one else float("inf")
    finish("writing", "a transaction that inserts one row", ratio, "6x", figures)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each number of writers writes")
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 2, 4, 8], help="processes at once")
    parser.add_argument("--writer", nargs=2, metavar=("URL", "BUNDLE"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    asked = parsed()
    if asked.writer:
        print(asyncio.run(kept(asked.writer[0], Path(asked.writer[1]), asked.seconds)))
    else:
        sys.exit(main(lambda: measure(asked)))
