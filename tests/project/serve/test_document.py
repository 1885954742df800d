"""The service does what its OpenAPI document says, whatever it is sent: schemathesis, all of its checks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

INJECTED = {"agent": "triage", "input": {"ticket_id": "T-1002"}, "session": {"customer_id": "C-17"}}
PLAIN = {**INJECTED, "input": {"ticket_id": "T-1003"}}
HOOKS = Path(__file__).resolve().parents[2] / "support" / "fitting.py"
#: More requests than are made, and no waiting for a run that never ends.
MORE = "  limits: { requests_per_minute: 1000000, runs: 20 }\n"


def explored(service, folder, *, examples, seed, phases="examples,coverage,fuzzing,stateful"):
    """What schemathesis finds, asking as `zoe`, who has every role. Half of the ids that it uses are there.

    The run is one that is over, because to follow one that waits takes as long as it waits.
    """
    with service.client("zoe") as zoe:
        run = zoe.post("/v1/runs", json=PLAIN, params={"wait": 20}).json()
        assert run["ended"], run
        zoe.post("/v1/runs", json=INJECTED, params={"wait": 20})
        (asked,) = zoe.get("/v1/approvals").json()["approvals"]
        session = zoe.post("/v1/sessions", json={"agent": "triage", "data": INJECTED["session"]}).json()["id"]
    there = {"run_id": run["run_id"], "approval_id": asked["approval_id"], "session_id": session}
    lines = [f"hooks = {json.dumps(str(HOOKS))}"]
    for name, value in there.items():
        lines.append(f"[dictionaries.{name}]\nvalues = [{json.dumps(value)}]")
    lines.append("[parameters]")
    lines += [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.5 }}' for name in there]
    # a text with numbers that others round is not read, whatever the document says of values
    accepted = ["2xx", "3xx", "400", "401", "403", "404", "409", "429"]
    lines.append(f"[checks]\npositive_data_acceptance.expected-statuses = {json.dumps(accepted)}")
    for operation in ("startRun", "createSession", "createChatCompletion", "giveFeedback"):
        # what an agent takes and gives is in its own schemas, and the document is for all agents
        lines.append(f'[[operations]]\ninclude-operation-id = "{operation}"')
        lines.append(f"checks.positive_data_acceptance.expected-statuses = {json.dumps([*accepted, '422'])}")
    (folder / "schemathesis.toml").write_text("\n".join(lines) + "\n")
    key = service.keys["zoe"]
    command = (
        Path(sys.executable).with_name("schemathesis"), "--config-file", folder / "schemathesis.toml", "run",
        f"{service.url}/openapi.json", "-H", f"Authorization: Bearer {key}",
        "--checks", "all", "--phases", phases, "-n", examples, "--seed", seed,
        "--generation-database", "none", "--no-color", "--request-timeout", 10,
        "--suppress-health-check", "all",
    )  # fmt: skip
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "unresolvable" not in done.stdout, done.stdout
    print(done.stdout)
    return done.stdout


def test_what_it_answers_is_what_the_document_says(serve, tmp_path):
    said = explored(serve(more=MORE), tmp_path, examples=3, seed=8, phases="fuzzing")
    assert "25 selected" in said, said


@pytest.mark.slow
def test_that_holds_for_boundaries_sequences_and_many_requests(serve, tmp_path):
    explored(serve(more=MORE), tmp_path, examples=20, seed=8)


@pytest.mark.slow
def test_that_holds_with_postgresql(serve, tmp_path):
    """Which takes other texts and numbers than SQLite."""
    sys.path.insert(0, str(HOOKS.parent))
    try:
        import postgres
    finally:
        sys.path.remove(str(HOOKS.parent))
    with postgres.server() as database:
        service = serve(more=f"{MORE}  store: {json.dumps(database.get_uri())}\n")
        explored(service, tmp_path, examples=10, seed=8, phases="coverage,fuzzing")
        assert service.stop() == 0
