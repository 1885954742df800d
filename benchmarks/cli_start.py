"""How long commands take to start, against an empty Python program.

    python benchmarks/cli_start.py [--repeats N]

Whole processes with the Python of this environment and compiled bytecode on both sides, in turn. `ratio` is
`agentc --version` against `python -c pass`; `validate_ratio` is `agentc validate specs` with a warm cache.
"""

from __future__ import annotations

import argparse
import sys
import tempfile

from support.figures import ROOT, child_environment, finish, interleaved, main, medians, process, script


def measure() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=40, help="runs of each command")
    repeats = max(1, parser.parse_args().repeats)
    agentc = script("agentc", "")
    with tempfile.TemporaryDirectory() as cache:
        environment = child_environment(AGENTC_CACHE_DIR=cache)
        actions = {
            "python": process((sys.executable, "-c", "pass"), environment=environment),
            "version": process((agentc, "--version"), environment=environment),
            "help": process((agentc, "--help"), environment=environment),
            "explain": process((agentc, "explain", "AC401"), environment=environment),
            "validate": process((agentc, "validate", ROOT / "specs"), environment=environment),
        }
        took = medians(interleaved(actions, repeats))
    ratios = {name: ms / took["python"] for name, ms in took.items()}
    for name, ms in took.items():
        print(f"{name:<9} {ms:7.1f} ms  {ratios[name]:.2f}x")
    finish(
        "cli_start",
        "python -c pass",
        ratios["version"],
        "ratio <= 4, validate_ratio <= 12",
        {
            "validate_ratio": ratios["validate"],
            "help_ratio": ratios["help"],
            "explain_ratio": ratios["explain"],
            **{f"{name}_ms": ms for name, ms in took.items()},
            "repeats": repeats,
        },
    )


if __name__ == "__main__":
    raise SystemExit(main(measure))
