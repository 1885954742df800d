"""Runs that are stopped from outside: Ctrl-C, readers that go away, people who are not there."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import time

import pytest

from agentc_runtime.audit import read_audit, verify_audit


def wait_for(process, text):
    """Read standard error until `text` is there."""
    said = b""
    while text.encode() not in said:
        ready, _, _ = select.select([process.stderr], [], [], 20)
        data = os.read(process.stderr.fileno(), 65536) if ready else b""
        assert data, said
        said += data


@pytest.fixture
def silent():
    """The port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def records(store, kind):
    """What the audit log, which must be whole, holds of a kind."""
    assert verify_audit(store).ok
    return [record.payload for record in read_audit(store) if record.kind == kind]


def test_ctrl_c_while_a_person_is_asked(agentc, replay, helpdesk, tmp_path):
    store = tmp_path / "runs.db"
    process = agentc.start(*replay("triage", "T-1001"), "--store", store, stdin=subprocess.PIPE)
    with process:
        wait_for(process, "Send it? [y/N]")
        process.send_signal(signal.SIGINT)
        # standard input stays open: nothing may wait for it
        assert process.wait(10) == 130
        said = process.stderr.read()
    assert "cancelled" in said
    assert said.endswith("interrupted\n")
    assert "Traceback" not in said
    assert helpdesk.effects == []
    assert [record["status"] for record in records(store, "run_ended")] == ["cancelled"]


def test_ctrl_c_while_a_model_is_silent(agentc, live, silent, ticket, tmp_path):
    store, cassette = tmp_path / "runs.db", tmp_path / "cassette.json"
    process = agentc.start(
        *("run", live(silent), *ticket("T-1001"), "--store", store, "--record", cassette),
        stdin=subprocess.DEVNULL,
        environment={"OPENAI_API_KEY": "key-of-the-model"},
    )
    with process:
        wait_for(process, "● resolve")
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert process.stderr.read().endswith("interrupted\n")
    assert [record["status"] for record in records(store, "run_ended")] == ["cancelled"]
    # what was recorded so far is kept, and can be read
    assert json.loads(cassette.read_text())["entries"] == []


@pytest.mark.parametrize("command", ["run", "inspect", "validate"])
def test_a_reader_that_goes_away(agentc, support, triage, replay, command):
    arguments = {
        "run": (*replay("triage-injected", "T-1002"), "--no-store", "--format", "json"),
        "inspect": ("inspect", triage),
        "validate": ("validate", support, "--format", "sarif"),
    }[command]
    process = agentc.start(*arguments, stdin=subprocess.DEVNULL)
    with process:
        process.stdout.close()
        said = process.stderr.read()
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert process.returncode == 141


def test_a_transcript_whose_reader_goes_away(agentc, replay):
    arguments = replay("triage-injected", "T-1002")
    process = agentc.start(*arguments, "--no-store", stdin=subprocess.DEVNULL)
    with process:
        process.stderr.close()
        process.stdout.read()
    assert process.returncode == 141


@pytest.mark.parametrize("answer", ["", "n\n", "yes please\n"])
def test_only_a_yes_is_a_yes(agentc, replay, helpdesk, tmp_path, answer):
    store = tmp_path / "runs.db"
    # after a rejection the recording does not go on: it was made with a person who agreed
    agentc(*replay("triage", "T-1001"), "--store", store, stdin=answer, code=2)
    assert helpdesk.effects == []
    assert [record["approved"] for record in records(store, "approval_decided")] == [False]
