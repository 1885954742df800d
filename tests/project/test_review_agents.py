"""The review project: a coordinator and its workers, a verifier and a panel, as they are run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import contextmanager

import pytest

QUESTION = {
    "question": "When was the old bridge closed, and why?",
    "documents": ["bridges-1931", "council-notes", "a-letter", "gone"],
}
RUN = ("--agent", "coordinator", "--no-store", "--input", json.dumps(QUESTION))
TOKEN = {"LIBRARY_TOKEN": "demo-token"}


@pytest.fixture
def library(kit):
    """Makers of a running library: its port, and what was changed in it once it is stopped."""

    @contextmanager
    def serve(*options: str):
        command = [sys.executable, kit.root / "specs/review/service/library.py", "--port", "0", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                port = int(process.stdout.readline().rpartition(":")[2])
                yield port, lambda: stop(process)
            finally:
                process.kill()

    return serve


def stop(process):
    process.terminate()
    return [json.loads(line) for line in process.stdout.read().splitlines()]


@pytest.fixture
def review(kit, tmp_path):
    def make(port: int, *more: int):
        return kit.redirected(kit.root / "specs/review", tmp_path / "review", "LIBRARY_URL", port, *more)

    return make


def test_workers_read_a_panel_agrees_and_an_editor_publishes(agentc, library, review):
    with library() as (port, changes):
        done = agentc("run", review(port), *RUN, "--format", "json", stdin="y\n", environment=TOKEN)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert changes() == [{"published": "When the old bridge closed"}, {"announced": "report-1"}]
    ended = events[-1]
    assert (ended["status"], ended["output"]) == ("succeeded", {"outcome": "published"})
    # each document has a worker, with a name that does not depend on who is faster
    workers = {event["scope"] for event in events if event["event"] == "state_entered"}
    assert {f"1.{index}/1.researcher/" for index in range(4)} < workers
    # the panel's three judges
    assert {"2.panel/1.accuracy/", "2.panel/1.fairness/", "2.panel/1.style/"} < workers


def test_a_quote_that_no_document_holds_goes_no_further(agentc, library, review):
    """The attack: a letter tells the model to say that the mayor took money."""
    with library() as (port, _):
        done = agentc("run", review(port), *RUN, "--format", "json", stdin="y\n", environment=TOKEN)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    failed = [event for event in events if event["event"] == "state_failed" and event["state"] == "check"]
    assert [(event["scope"], event["refusal"]["code"]) for event in failed] == [
        ("1.2/1.researcher/", "AR511")
    ]
    asked = next(event for event in events if event["event"] == "approval_asked")
    assert "mayor" not in asked["preview"]


def test_what_nobody_is_told_of_is_taken_back(agentc, library, review):
    with library("--silent") as (port, changes):
        done = agentc("run", review(port), *RUN, stdin="y\ny\n", environment=TOKEN)
        assert json.loads(done.stdout) == {"outcome": "failed"}
        assert changes() == [{"published": "When the old bridge closed"}, {"withdrawn": "report-1"}]


def test_two_of_three_have_to_agree(agentc, kit, library, review):
    turns = json.loads((kit.root / "tests/support/scripts/coordinator.json").read_text())["turns"]
    for turn in turns:
        if turn["when"] == "fair to everybody":
            turn["text"] = '{"accept": false}'
    fake = kit.load(kit.root / "tests/support/fake_provider.py").FakeProvider
    with library() as (port, changes), fake(turns) as provider:
        project = review(port, provider.port)
        spec = project / "agentc.yaml"
        base = f"provider: openai\n      base_url: {provider.url}/v1"
        spec.write_text(spec.read_text().replace("provider: openai", base))
        key = {**TOKEN, "OPENAI_API_KEY": "a-key-of-the-test"}
        done = agentc("run", project, *RUN, stdin="y\n", environment=key)
        assert json.loads(done.stdout) == {"outcome": "rejected"}
        assert changes() == []


def test_a_worker_that_may_do_more_than_its_coordinator_is_an_error(agentc, review):
    """The attack: a change gives the researcher what only the coordinator should have."""
    project = review(9)
    grants = project / "permissions/publishing.yaml"
    grants.write_text(grants.read_text().replace("quota: { per_run: 20 }", "quota: { per_run: 2 }"))
    said = agentc("validate", project, code=1).stdout
    assert (
        "error[AC640]: state `read_one` hands off to `researcher`, which may do more than `coordinator`"
        in said
    )
    assert "may be called 20 times a run, not 2" in said


def test_inspect_says_what_is_handed_off(agentc, kit, snapshot):
    said = agentc("inspect", "specs/review", "--agent", "coordinator").stdout
    assert kit.normal(said) == snapshot


@pytest.mark.slow
def test_a_run_with_branches_waits_without_a_process_and_goes_on_where_it_was(
    agentc, kit, library, review, tmp_path
):
    """Workers, a panel and an approval: nothing is asked, read or published a second time."""
    store = ("--store", tmp_path / "runs.db")
    replay = ("--replay", kit.root / "specs/review/recordings/coordinator.json")
    run = [argument for argument in RUN if argument != "--no-store"]
    with library() as (port, changes):
        begun = agentc("run", review(port), *run, *store, "--durable", *replay, code=1, environment=TOKEN)
        approval = re.search(r"agentc approvals show ([0-9a-f]+)", begun.stderr)[1]
        agentc("approvals", "approve", approval, *store)
        waiting = agentc("runs", "list", *store).stdout.split()[0]
        done = agentc("runs", "resume", waiting, *store, *replay, environment=TOKEN)
        assert json.loads(done.stdout) == {"outcome": "published"}
        # what was read by the workers is not read again: only what came after the approval is told
        assert "get_document" not in done.stderr
        assert changes() == [{"published": "When the old bridge closed"}, {"announced": "report-1"}]
    assert agentc("audit", "verify", *store).stdout.startswith("ok")
