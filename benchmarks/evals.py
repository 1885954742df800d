"""A thousand recorded cases with five scorers each, against three other ways to evaluate.

    python benchmarks/evals.py [--cases N] [--repeats N] [--promptfoo FILE] [--skip NAME]

`agentc eval` replays a run of the whole agent for each case (broker, wire format, workflow) and scores it.
`promptfoo`, `inspect_ai` and `pydantic-evals` answer each case from a table in memory and score it likewise:
equality, a text, a pattern, a JSON Schema, likeness. Whole processes, in turn, nothing over a network.
`ratio` is agentc against the fastest of the three. Then how time grows with cases and with concurrency, the
peak memory, and that an eval which is killed half way goes on without repeating a finished case.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from support.evals_project import Provider, files, peers_data
from support.figures import (
    CannotMeasureError,
    child_environment,
    finish,
    interleaved,
    main,
    medians,
    process,
    script,
)
from support.peers import promptfoo_config

PEERS = Path(__file__).parent / "support" / "peers"
PEERS_OF_PYTHON = ("inspect_ai", "pydantic_evals")


def write(folder: Path, cases: int, agentc: Path) -> Path:
    """A project with a recording of all its cases."""
    folder.mkdir(parents=True)
    with Provider() as provider:
        for name, text in files(cases, provider.url).items():
            (folder / name).write_text(text, encoding="utf-8")
        environment = child_environment(AGENTC_CACHE_DIR="")
        command = (agentc, "eval", folder, "--record", "all", "--no-store", "--concurrency", "16")
        process(command, environment=environment)()
    return folder


def peak_mb(command: Sequence[str | Path], environment: dict[str, str]) -> float:
    """The peak memory of a process, in MB."""
    with subprocess.Popen(
        [str(word) for word in command], env=environment, stdout=subprocess.DEVNULL
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise CannotMeasureError(f"`{command[0]}` exited with {child.returncode}")
    return usage.ru_maxrss / 1024


def killed_and_resumed(project: Path, agentc: Path, environment: dict[str, str]) -> tuple[int, int]:
    """How many cases were finished when an eval was killed, and how many of them were run again."""
    kept = project / ".agentc" / "evals" / "sorting" / "trials.jsonl"
    command = [str(agentc), "eval", str(project), "--format", "json", "--concurrency", "1"]
    kept.unlink(missing_ok=True)
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as child:
        end = time.monotonic() + 60
        while (
            child.poll() is None
            and time.monotonic() < end
            and not (kept.exists() and kept.stat().st_size > 30_000)
        ):
            time.sleep(0.005)
        child.kill()
    before = set(kept.read_bytes().split(b"\n")[:-1])
    done = subprocess.run([*command, "--resume"], env=environment, capture_output=True, check=False)
    if done.returncode != 0:
        raise CannotMeasureError(f"`agentc eval --resume` exited with {done.returncode}")
    after = set(kept.read_bytes().split(b"\n")[:-1])
    return len(before), len(before - after)


def measure() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3, help="rounds, besides one that is not counted")
    parser.add_argument("--promptfoo", type=Path, help="its program; left out, the one on the PATH")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="the one with the peers")
    parser.add_argument("--skip", action="append", default=[], choices=["promptfoo", *PEERS_OF_PYTHON])
    options = parser.parse_args()
    agentc = script("agentc", "[evals]")
    for name in PEERS_OF_PYTHON:
        asked = subprocess.run([options.python, "-c", f"import {name}"], capture_output=True, check=False)
        if name not in options.skip and asked.returncode != 0:
            raise CannotMeasureError(f"no `{name}`: pip install 'agentc[bench-evals]', or --skip {name}")
    found = options.promptfoo or shutil.which("promptfoo")
    if found is None and "promptfoo" not in options.skip:
        raise CannotMeasureError("no `promptfoo`: npm install promptfoo, or --skip promptfoo")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        project = write(folder / "project", options.cases, agentc)
        peers = folder / "peers"
        peers.mkdir()
        data = peers_data(peers, options.cases)
        environment = child_environment(
            AGENTC_CACHE_DIR=str(folder / "cache"),
            PROMPTFOO_DISABLE_TELEMETRY="1",
            PROMPTFOO_DISABLE_UPDATE="1",
            PROMPTFOO_DISABLE_REMOTE_GENERATION="1",
            PROMPTFOO_CONFIG_DIR=str(folder / "promptfoo"),
            INSPECT_TRACE_FILE=str(folder / "trace.log"),
        )
        python = options.python
        commands: dict[str, Sequence[str | Path]] = {"agentc": (agentc, "eval", project, "--format", "json")}
        if "inspect_ai" not in options.skip:
            commands["inspect_ai"] = (python, PEERS / "inspect_peer.py", data, folder / "logs", "8")
        if "pydantic_evals" not in options.skip:
            commands["pydantic_evals"] = (python, PEERS / "pydantic_peer.py", data, folder / "none", "8")
        if "promptfoo" not in options.skip:
            config = promptfoo_config.write(peers, data)
            commands["promptfoo"] = (
                *(str(found), "eval", "-c", config, "-j", "8"),
                *("--no-cache", "--no-progress-bar", "--no-table", "--no-write"),
            )
        took = medians(
            interleaved(
                {name: process(command, environment=environment) for name, command in commands.items()},
                max(1, options.repeats),
            )
        )
        figures: dict[str, float | int] = {f"{name}_ms": value for name, value in took.items()}
        figures |= {f"{name}_mb": peak_mb(command, environment) for name, command in commands.items()}
        half = write(folder / "half", max(1, options.cases // 2), agentc)
        quick = {
            "half": (agentc, "eval", half, "--format", "json"),
            "one_at_a_time": (agentc, "eval", project, "--format", "json", "--concurrency", "1"),
            "many_at_a_time": (agentc, "eval", project, "--format", "json", "--concurrency", "32"),
        }
        grown = medians(
            interleaved({name: process(one, environment=environment) for name, one in quick.items()}, 1)
        )
        figures |= {f"{name}_ms": value for name, value in grown.items()}
        finished, repeated = killed_and_resumed(project, agentc, environment)
        figures |= {"finished_when_killed": finished, "repeated_after_that": repeated}
    others = {name: value for name, value in took.items() if name != "agentc"}
    print(json.dumps({name: round(value) for name, value in figures.items()}, indent=2))
    if not others:
        raise CannotMeasureError("every peer is skipped: there is nothing to compare with")
    nearest = min(others, key=lambda name: others[name])
    figures |= {f"{name}_ratio": took["agentc"] / value for name, value in others.items()}
    finish("evals", nearest, took["agentc"] / others[nearest], "ahead of all", figures)


if __name__ == "__main__":
    sys.exit(main(measure))
