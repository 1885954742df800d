"""What every command has in common: help, exit codes, and mistakes on the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import click
import pytest

from agentc.cli import COMMANDS, cli, common
from agentc_runtime import __version__
from agentc_runtime.store import Store


def commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, below) for below in command.commands]
    return found


@pytest.mark.parametrize("command", [(), *commands()], ids=" ".join)
def test_help_shows_an_example_of_the_command(agentc, command):
    done = agentc(*command, "--help")
    assert (done.code, done.err) == (0, "")
    example = done.out.partition("Example:\n")[2].splitlines()[0].strip()
    assert example.startswith(" ".join(["agentc", *command]))
    assert max(map(len, done.out.splitlines())) <= 100


def test_help_lists_every_command_in_order(agentc):
    out = agentc("--help").out
    assert re.findall(r"^  ([a-z]+)  ", out.partition("Commands:")[2], re.MULTILINE) == list(COMMANDS)
    assert agentc("-h").out == out


def test_version(agentc):
    assert agentc("--version") == (0, f"agentc {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["valdate"], "no command `valdate`; did you mean `validate`?"),
        (["frobnicate"], "no command `frobnicate`; known: `approvals`, `audit`"),
        (["validate", "--formt", "json"], "Did you mean '--format'?"),
        (["validate", "--format", "xml"], "'xml' is not one of 'text', 'json', 'sarif', 'github', 'junit'"),
        (["validate", "nowhere"], "Path 'nowhere' does not exist"),
        (["validate"], "no project in `.`: a project is a folder with an `agentc.yaml`; `agentc init .`"),
        (["build", "."], "no project in `.`"),
        (["inspect", "nowhere"], "Path 'nowhere' does not exist"),
        (["inspect"], "Missing argument 'PATH'"),
        (["explain", "AC41"], "no rule `AC41`; did you mean `AC"),
        (["explain", "AR999"], "no rule `AR999`; did you mean `AR"),
        (["audit", "verify"], "no run database at `.agentc/runs.db`"),
        (["audit", "show", "--store", "x.db"], "no run database at `x.db`"),
        (["audit", "verfy"], "verfy"),
        (["import", "openapi"], "give SOURCE, or --toolset to import its document again"),
        (["import", "openapi", "x.json"], "`.` is not a project: it has no `agentc.yaml`"),
        (["run", "."], "no project in `.`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_a_mistake_on_the_command_line_is_exit_code_2_and_says_what_to_do(agentc, arguments, told):
    done = agentc(*arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err.replace("\n", " ")


def test_an_internal_error_is_exit_code_3_and_no_traceback(agentc, project, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(common, "find_projects", fail)
    done = agentc("validate", project)
    assert (done.code, done.out) == (3, "")
    assert done.err == (
        "internal error: RuntimeError: boom\n"
        "this is a bug in agentc: run again with AGENTC_DEBUG=1 and report the traceback\n"
    )
    monkeypatch.setenv("AGENTC_DEBUG", "1")
    with pytest.raises(RuntimeError, match="boom"):
        agentc("validate", project)


def test_control_c_is_exit_code_130(agentc, project, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(common, "find_projects", interrupt)
    assert agentc("validate", project) == (130, "", "\ninterrupted\n")


def test_a_reader_that_goes_away_is_no_error(folder):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "agentc", "explain"],
        stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_an_error_shows_of_what_was_given_no_more_than_helps_and_nothing_that_a_terminal_obeys(
    agentc, tmp_path
):
    Store(tmp_path / "runs.db").close()
    done = agentc("runs", "show", "\x1b[2J\u202e" + "a" * 100_000, "--store", tmp_path / "runs.db")
    assert done.code == 2
    assert done.err.startswith("error: no run `\\u001b[2J\\u202eaaa")
    assert len(done.err) < 2100
