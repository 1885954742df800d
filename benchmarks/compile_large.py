"""Twenty operations out of a very large OpenAPI document, cold and warm, against `json.loads` of the file.

    python benchmarks/compile_large.py [DOCUMENT]

Each run reads the file and hashes it, as `agentc validate` does. Prints one JSON object as its last line:
medians in seconds; `ratio` is cold / json.loads (target: at most 3), `warm_ratio` warm / json.loads (0.5).
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from agentc.openapi import compile_operations
from agentc.source import SourceFile

OPERATIONS = 20
REPEATS = 7
DEFAULT = Path(__file__).resolve().parents[1] / "../shared/corpus/github/api.github.com.json"


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> int:
    """Measure, and print the figures."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    if not path.is_file():
        print(f"{path} is not there: give the path of a large OpenAPI document", file=sys.stderr)
        return 2

    def document() -> SourceFile:
        return SourceFile(path.name, path.read_bytes())

    names = compile_operations(document(), (), None).names()
    wanted = names[:: max(1, len(names) // OPERATIONS)][:OPERATIONS]
    figures: dict[str, list[float]] = {"json_loads": [], "cold": [], "warm": []}
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm"
        result = compile_operations(document(), wanted, warm)
        for repeat in range(REPEATS):
            cold = Path(folder) / f"cold{repeat}"
            # side by side, so that a slow moment of the machine falls on all three
            figures["json_loads"].append(seconds(lambda: json.loads(path.read_bytes())))
            figures["cold"].append(seconds(lambda to=cold: compile_operations(document(), wanted, to)))
            figures["warm"].append(seconds(lambda: compile_operations(document(), wanted, warm)))
    median = {name: statistics.median(values) for name, values in figures.items()}
    report = {
        "name": "compile_large",
        "against": "json.loads",
        "ratio": round(median["cold"] / median["json_loads"], 3),
        "warm_ratio": round(median["warm"] / median["json_loads"], 3),
        "document": path.name,
        "bytes": path.stat().st_size,
        "operations": len(names),
        "asked": len(wanted),
        "compiled": sum(operation is not None for operation in result.operations.values()),
        "repeats": REPEATS,
        **{f"{name}_s": round(value, 4) for name, value in median.items()},
    }
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
