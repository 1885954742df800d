"""Assertions and permission tests decided, against the same project without them.

    python benchmarks/permission_checks.py [--agents N] [--grants N] [--assertions N] [--cases N]

`agentc validate` with no cache, as a whole process: a project of 20 agents and 200 grants, with 50 assertions
and 500 cases of permission tests, judged by the broker's policy and covered by mutation; and the same
project without assertions and tests. `ratio` is the one against the other.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from support.figures import child_environment, finish, interleaved, main, medians, process, script
from support.permissions import estate


def measure() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--grants", type=int, default=200, help="of all agents")
    parser.add_argument("--assertions", type=int, default=50)
    parser.add_argument("--cases", type=int, default=500, help="of all permission tests")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    agentc = script("agentc", "")
    specs, checks = estate(options.agents, options.grants, options.assertions, options.cases)
    with tempfile.TemporaryDirectory() as scratch:
        folders = {"with": {**specs, **checks}, "without": specs}
        for name, files in folders.items():
            for path, text in files.items():
                target = Path(scratch) / name / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
        environment = child_environment(AGENTC_CACHE_DIR="")
        ms = medians(
            interleaved(
                {
                    name: process((agentc, "validate", Path(scratch) / name), environment=environment)
                    for name in folders
                },
                max(1, options.repeats),
            )
        )
    print(f"with assertions and tests    {ms['with']:9.0f} ms")
    print(f"without                      {ms['without']:9.0f} ms")
    finish(
        "permission_checks",
        "the same project without assertions and permission tests",
        ms["with"] / ms["without"],
        "ratio < 4",
        {
            "with_ms": ms["with"],
            "without_ms": ms["without"],
            "agents": options.agents,
            "grants": options.grants,
            "assertions": options.assertions,
            "cases": options.cases,
            "repeats": max(1, options.repeats),
        },
    )


if __name__ == "__main__":
    raise SystemExit(main(measure))
