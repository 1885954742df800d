"""Where the model's answers come from: a provider, or a recording, which never holds a secret."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


def test_with_a_key_the_provider_is_asked(agentc, live, provider, ticket, tmp_path):
    key, cassette = "key-that-nobody-may-see", tmp_path / "new.json"
    with provider("triage") as model:
        project = live(model.port)
        command = ("run", project, *ticket("T-1001"), "--no-store", "--record", cassette)
        done = agentc(*command, stdin="y\ny\n", environment={"OPENAI_API_KEY": key})
        assert len(model.requests) == 4
        assert {seen.headers["authorization"] for seen in model.requests} == {f"Bearer {key}"}
        assert "a recorded model answers" not in done.stderr
        for text in (cassette.read_text(), done.stderr, done.stdout):
            assert key not in text
            assert "demo-token" not in text

        # without a key the same command replays; the host is not part of a recording
        again = agentc("run", project, *ticket("T-1001"), "--no-store", stdin="y\ny\n")
        assert len(model.requests) == 4
        assert "a recorded model answers" in again.stderr
        assert again.stdout == done.stdout


def test_the_key_of_the_first_model_is_enough(agentc, live, provider, ticket):
    with provider("triage") as model:
        agentc(
            "run", live(model.port), *ticket("T-1001"), "--no-store", stdin="y\ny\n",
            environment={"OPENAI_API_KEY": "key-of-the-first-model", "ANTHROPIC_API_KEY": ""},
        )  # fmt: skip
        assert len(model.requests) == 4


def test_without_key_and_recording_it_says_which_key(agentc, live, ticket):
    project = live(9)
    for recording in (project / "recordings").glob("*.json"):
        recording.unlink()
    done = agentc("run", project, *ticket("T-1001"), "--no-store")
    assert re.search(r"refused AR506: .*OPENAI_API_KEY", done.stderr)


def test_a_stale_recording_says_what_changed(agentc, live, ticket):
    project = live(9)
    prompt = project / "prompts/triage.md"
    prompt.write_text(prompt.read_text().replace("at most 50 EUR", "at most 60 EUR"))
    done = agentc("run", project, *ticket("T-1001"), "--no-store", code=2)
    assert "`body.messages[0].content` was" in done.stderr
    assert "50 EUR" in done.stderr
    assert "60 EUR" in done.stderr
    assert "`--record`" in done.stderr


@pytest.mark.slow
def test_recordings_are_those_of_the_projects_as_they_are(kit, agentc):
    document = kit.root.parent / "shared/corpus/github/api.github.com.json"
    done = subprocess.run(
        [sys.executable, kit.root / "tests/support/record.py", "--check"]
        + (["--openapi", document] if document.is_file() else []),
        capture_output=True,
        text=True,
        env=agentc.environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
