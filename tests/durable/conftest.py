"""A world of runs, workers that can be killed, and both databases.

The sizes are those of a quick proof. `AGENTC_DURABLE_SIZE=full` makes them those of the claim: 200 runs and
30 kills, 1,000 runs that wait, a model that is down for a minute.
"""

from __future__ import annotations

import importlib.util
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agentc.driver import check_project
from agentc.pipeline import bundle_files
from agentc_runtime.audit import AuditReport, verify_audit
from agentc_runtime.durable.audits import verify_ledger
from agentc_runtime.durable.ledgers import open_ledger
from agentc_runtime.durable.starting import keep_run
from agentc_runtime.durable.views import RunView, list_runs
from agentc_runtime.ledger import Ledger
from agentc_runtime.verify import Bundle, load_bundle

ROOT = Path(__file__).resolve().parents[2]
OVER = {"succeeded", "failed", "cancelled", "needs_attention"}
ENVIRON = {"MODEL_KEY": "key-of-the-model"}


def load(name: str) -> ModuleType:
    path = ROOT / "tests/support" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


class Proof:
    """Runs of one project over one store, and what has to be true of them in the end."""

    def __init__(
        self, folder: Path, url: str, *, approval: dict[str, Any] | None = None, delay: float = 0.05
    ) -> None:
        self.folder, self.url = folder, url
        self.fleet = load("durable_fleet")
        service = load("live_service")
        self.world = self.fleet.World(service, delay=delay)
        self.world.__enter__()
        self.random = random.Random(7)
        project = self.fleet.write_project(
            service, folder / "project", self.world.model_url, self.world.service_url, approval=approval
        )
        self.project = project
        self.bundle = self.rebuild("1.0.0")
        self.ledger: Ledger = open_ledger(url)
        self.workers = self.fleet.Workers(url, folder / "workers.log")

    def rebuild(self, version: str) -> Bundle:
        """Build the agent as this version; runs that are kept from now on begin with it."""
        spec = self.project / "agent.yaml"
        said = json.loads(spec.read_text())
        said["metadata"]["version"] = version
        spec.write_text(json.dumps(said))
        result = check_project(self.project)
        assert result.ok, result.diagnostics
        self.bundle = load_bundle(bundle_files(result, result.program.agents["triage"]))
        return self.bundle

    def close(self) -> None:
        self.workers.stop()
        self.ledger.close()
        self.world.__exit__()

    def keep(self, number: int) -> list[str]:
        """Keep so many new runs, which are left to workers."""
        return [
            keep_run(
                self.ledger,
                self.bundle,
                ENVIRON,
                environment="local",
                input={"ticket": f"T-{index}"},
                session={},
                handed=False,
            )
            for index in range(number)
        ]

    def reopen(self) -> None:
        """Open the store again, as another process would."""
        self.ledger.close()
        self.ledger = open_ledger(self.url)

    def restart_database(self, server: Any) -> None:
        load("postgres").restart(server)

    def ledger_runs(self) -> tuple[RunView, ...]:
        return list_runs(self.ledger, limit=10_000)

    def statuses(self) -> Counter[str]:
        with self.ledger.transaction() as within:
            rows = within.execute("SELECT status, count(*) FROM runs GROUP BY status").fetchall()
        return Counter({str(status): int(str(count)) for status, count in rows})

    def wait(self, until: Callable[[Counter[str]], bool], seconds: float) -> Counter[str]:
        """Wait until the statuses of the runs are so."""
        deadline = time.monotonic() + seconds
        while not until(found := self.statuses()):
            if time.monotonic() > deadline:
                log = self.workers.log.read_text(errors="replace")[-3000:]
                raise AssertionError(f"{found} after {seconds} s\n{log}")
            time.sleep(0.2)
        return found

    def all_over(self, seconds: float = 90) -> Counter[str]:
        return self.wait(lambda found: set(found) <= OVER, seconds)

    def audit(self) -> AuditReport:
        return verify_ledger(self.ledger) if "://" in self.url else verify_audit(Path(self.url))

    def proven(self, number: int) -> None:
        """Every run has ended, or says what is in doubt; no effect was made twice; the log is whole."""
        found = list_runs(self.ledger, limit=10_000)
        assert len(found) == number
        doubts = [run for run in found if run.status == "needs_attention"]
        assert all("`desk.note` (call-3) may have been sent" in run.why for run in doubts), doubts
        assert {run.status for run in found} <= {"succeeded", "needs_attention"}
        # a key is one refund, however often it arrived; a note has none, and arrived once at most
        assert len(self.world.refunds) == number
        assert set(self.world.notes.values()) <= {1}
        for index in range(number):
            ticket = f"T-{index}"
            noted = self.world.notes[ticket]
            assert noted == 1 or doubts, ticket
        assert len(self.world.notes) >= number - len(doubts)
        report = self.audit()
        assert report.ok, report


@pytest.fixture(scope="session")
def _server() -> Iterator[Any]:
    with load("postgres").server() as started:
        yield started


@pytest.fixture
def postgres(_server: Any) -> Any:
    """A PostgreSQL server with nothing of ours in it."""
    load("postgres").emptied(_server)
    return _server


@pytest.fixture
def prove(tmp_path: Path) -> Iterator[Callable[..., Proof]]:
    """A maker of proofs over a store."""
    made: list[Proof] = []

    def make(url: str, **how: Any) -> Proof:
        made.append(Proof(tmp_path, url, **how))
        return made[-1]

    yield make
    for proof in made:
        proof.close()
