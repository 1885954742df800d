"""Two bundles compared, every grant of which has changed, against only reading and verifying them.

    python benchmarks/diff.py [--grants N] [--changed N] [--repeats N]

`agentc diff` as a whole process on two bundles of one agent with 200 grants: a quarter of them each with a
wider limit, a narrower one, an approval that asks about less, and a higher quota, with a replayed call for
each widening. The floor is a Python process that reads and verifies both bundles, which any comparison has to
do. `ratio` is the one against the other.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

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
from support.permissions import estate

FLOOR = """
import sys
from pathlib import Path
from agentc_runtime.verify import read_bundle
for path in sys.argv[1:]:
    read_bundle(Path(path))
"""
#: What changes in a grant, one after the other.
CHANGES = (
    ("maximum: 50", "maximum: 80"),
    ("maximum: 50", "maximum: 40"),
    ("exclusiveMinimum: 20", "exclusiveMinimum: 30"),
    ("per_run: 3", "per_run: 5"),
)


def changed(permissions: str, count: int) -> str:
    """The permission set with a change in each of its first `count` grants."""
    head, *grants = re.split(r"(?=    - tool: )", permissions)
    for number in range(min(count, len(grants))):
        old, new = CHANGES[number % len(CHANGES)]
        grants[number] = grants[number].replace(old, new)
    return "".join([head, *grants])


def bundle(folder: Path, files: dict[str, str]) -> Path:
    """The bundle of a project's only agent.

    Raises:
        CannotMeasureError: it can't be built.
    """
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [str(script("agentc", "")), "build", str(folder), "--out", str(folder / "dist")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise CannotMeasureError(f"the bundle can't be built: {done.stderr[-2000:]}")
    (built,) = (folder / "dist").iterdir()
    return built


def measure() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grants", type=int, default=200)
    parser.add_argument("--changed", type=int, default=200, help="of the grants")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    agentc = script("agentc", "")
    files, _ = estate(1, options.grants, 0, 0)
    newer = {
        path: changed(text, options.changed) if path.startswith("permissions/") else text
        for path, text in files.items()
    }
    with tempfile.TemporaryDirectory() as scratch:
        old, new = bundle(Path(scratch) / "old", files), bundle(Path(scratch) / "new", newer)
        environment = child_environment(AGENTC_CACHE_DIR="")
        ms = medians(
            interleaved(
                {
                    "diff": process((agentc, "diff", old, new), environment=environment),
                    "same": process((agentc, "diff", old, old), environment=environment),
                    "floor": process((sys.executable, "-c", FLOOR, old, new), environment=environment),
                },
                max(1, options.repeats),
            )
        )
    print(f"{options.changed} of {options.grants} grants changed   {ms['diff']:9.0f} ms")
    print(f"none changed                {ms['same']:9.0f} ms")
    print(f"reading and verifying both  {ms['floor']:9.0f} ms")
    finish(
        "diff",
        "a Python process that reads and verifies both bundles",
        ms["diff"] / ms["floor"],
        "diff_ms < 1000",
        {
            "diff_ms": ms["diff"],
            "same_ms": ms["same"],
            "floor_ms": ms["floor"],
            "grants": options.grants,
            "changed": options.changed,
            "repeats": max(1, options.repeats),
        },
    )


if __name__ == "__main__":
    raise SystemExit(main(measure))
