"""Two hundred spec files checked in one run, against two checkers on two hundred files of like size.

    python benchmarks/validate_many.py [--files N] [--repeats N] [--slow-repeats N]

`agentc validate` of one project (a Project, 20 toolsets on OpenAPI documents, 60 permission sets, 119 agents)
cold, that is with no cache at all, and warm; `check-jsonschema` with the schema of agents on 200 agents;
`cfn-lint` on 200 CloudFormation templates. Whole processes, in turn. `ratio` is agentc cold against the
faster of the two.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path

from support.figures import (
    ROOT,
    child_environment,
    finish,
    interleaved,
    main,
    medians,
    milliseconds,
    process,
    script,
)
from support.project import SPECS, agents, project, templates


def write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write the files, and return their paths."""
    paths = [folder / name for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return paths


def lines(files: Mapping[str, str]) -> float:
    """Lines of a file, the mean."""
    return statistics.mean(text.count("\n") for text in files.values())


def measure() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=SPECS, help="files of each kind")
    parser.add_argument("--repeats", type=int, default=5, help="runs of agentc and check-jsonschema")
    parser.add_argument("--slow-repeats", type=int, default=1, help="runs of cfn-lint, which takes long")
    options = parser.parse_args()
    agentc = script("agentc", "")
    check_jsonschema = script("check-jsonschema", "[dev]")
    cfn_lint = script("cfn-lint", "[bench]")
    estate, others, stacks = project(options.files), agents(options.files), templates(options.files)
    specs = {name: text for name, text in estate.items() if not name.startswith("openapi/")}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write(folder / "estate", estate)
        other_paths = write(folder / "agents", others)
        stack_paths = write(folder / "stacks", stacks)
        without, with_cache = (
            child_environment(AGENTC_CACHE_DIR=cache) for cache in ("", str(folder / "cache"))
        )
        validate = (agentc, "validate", folder / "estate")
        schema = ROOT / "schemas" / "Agent.json"
        took = interleaved(
            {
                "cold": process(validate, environment=without),
                "warm": process(validate, environment=with_cache),
                "check_jsonschema": process(
                    (check_jsonschema, "--schemafile", schema, *other_paths), environment=without
                ),
            },
            max(1, options.repeats),
        )
        lint = process((cfn_lint, *stack_paths), environment=without)
        took["cfn_lint"] = [milliseconds(lint) for _ in range(max(1, options.slow_repeats))]
    ms = medians(took)
    peers = min(ms["check_jsonschema"], ms["cfn_lint"])
    print(
        f"agentc            {len(specs)} files of {lines(specs):.0f} lines, "
        f"and {len(estate) - len(specs)} OpenAPI documents"
    )
    print(f"check-jsonschema  {len(others)} files of {lines(others):.0f} lines")
    print(f"cfn-lint          {len(stacks)} files of {lines(stacks):.0f} lines")
    for name, value in ms.items():
        print(f"{name:<16} {value:9.0f} ms")
    finish(
        "validate_many",
        "the faster of check-jsonschema and cfn-lint",
        ms["cold"] / peers,
        "ratio < 1",
        {
            "warm_ratio": ms["warm"] / peers,
            "check_jsonschema_ratio": ms["cold"] / ms["check_jsonschema"],
            "cfn_lint_ratio": ms["cold"] / ms["cfn_lint"],
            **{f"{name}_ms": value for name, value in ms.items()},
            "files": len(specs),
            "repeats": max(1, options.repeats),
            "slow_repeats": max(1, options.slow_repeats),
        },
    )


if __name__ == "__main__":
    raise SystemExit(main(measure))
