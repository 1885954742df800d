"""Twenty operations out of a very large OpenAPI document, cold and warm, against `json.loads` of the file.

    python benchmarks/compile_large.py [DOCUMENT [YAML_DOCUMENT]]

Each run reads the file and hashes it, as `agentc validate` does. In the same run FastMCP's `from_openapi` and
openapi-core load the document, each in a process of its own, as ours does for its memory; a library that is
not installed is left out and named. Of the YAML document, twenty operations are compiled as well, beside
PyYAML's C loader. Prints one JSON object as its last line: medians in seconds; `ratio` is cold / json.loads
(target: at most 3), `warm_ratio` warm / json.loads (0.5), `fastmcp_ratio` and `openapi_core_ratio` are their
time / warm (at least 40), `yaml_warm_s` at most 0.2. Memory is the peak of a process in MiB.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

OPERATIONS = 20
REPEATS = 7
CORPUS = Path(__file__).resolve().parents[1] / "../shared/corpus"
DEFAULT = CORPUS / "github/api.github.com.json"
YAML_DEFAULT = CORPUS / "stripe/stripe_old.yaml"
PEERS = {"fastmcp": "fastmcp", "openapi_core": "openapi_core"}
SECONDS = 600


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes. What was left before it is collected first: each pays for its own."""
    gc.collect()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measured(path: Path, repeats: int) -> tuple[dict[str, list[float]], int, Sequence[str], int]:
    """Seconds of each kind of run, how many operations there are, the chosen ones, how many compile."""
    from agentc.openapi import compile_operations
    from agentc.source import SourceFile

    def document() -> SourceFile:
        return SourceFile(path.name, path.read_bytes())

    names = compile_operations(document(), (), None).names()
    wanted = names[:: max(1, len(names) // OPERATIONS)][:OPERATIONS]
    figures: dict[str, list[float]] = {"load": [], "cold": [], "warm": []}
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm"
        result = compile_operations(document(), wanted, warm)
        for repeat in range(repeats):
            cold = Path(folder) / f"cold{repeat}"
            # side by side, so that a slow moment of the machine falls on all three
            figures["load"].append(seconds(lambda: load(path)))
            figures["cold"].append(seconds(lambda to=cold: compile_operations(document(), wanted, to)))
            figures["warm"].append(seconds(lambda: compile_operations(document(), wanted, warm)))
    compiled = sum(operation is not None for operation in result.operations.values())
    return figures, len(names), wanted, compiled


def load(path: Path) -> object:
    """The document as Python's fastest usual reader gives it."""
    if path.suffix == ".json":
        return json.loads(path.read_bytes())
    import yaml

    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def alone(who: str, path: Path, *names: str) -> dict[str, object]:
    """What one process says that does nothing else."""
    command = [sys.executable, __file__, "--alone", who, str(path), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode != 0:
        raise SystemExit(f"{who} could not be measured: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def peak_mib() -> int:
    """The peak of this process. What `getrusage` says holds that of the process that started it."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def in_this_process(who: str, path: Path, names: list[str]) -> dict[str, object]:
    """One load, without the import of the library, and the peak of memory."""
    refused = ""
    warnings.simplefilter("ignore")
    if who == "fastmcp":
        import httpx
        from fastmcp import FastMCP

        client = httpx.AsyncClient(base_url="https://api.example.com")
        took = seconds(lambda: FastMCP.from_openapi(json.loads(path.read_bytes()), client=client))
    elif who == "openapi_core":
        from openapi_core import OpenAPI

        start = time.perf_counter()
        try:
            OpenAPI.from_dict(json.loads(path.read_bytes()))
        except Exception as error:  # it checks the whole document, and refuses some that are in use
            refused = type(error).__name__
        took = time.perf_counter() - start
    else:
        from agentc.openapi import compile_operations
        from agentc.source import SourceFile

        file = SourceFile(path.name, path.read_bytes())
        took = seconds(lambda: compile_operations(file, names, None))
    return {
        "seconds": took,
        "mib": peak_mib(),
        "refused": refused,
    }


def main() -> int:
    """Measure, and print the figures."""
    if sys.argv[1:2] == ["--alone"]:
        print(json.dumps(in_this_process(sys.argv[2], Path(sys.argv[3]), sys.argv[4:])))
        return 0
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    other = Path(sys.argv[2]) if len(sys.argv) > 2 else YAML_DEFAULT if len(sys.argv) < 2 else None
    for file in (path, other):
        if file is not None and not file.is_file():
            print(f"{file} is not there: give the path of a large OpenAPI document", file=sys.stderr)
            return 2
    figures, known, wanted, compiled = measured(path, REPEATS)
    median = {name: statistics.median(values) for name, values in figures.items()}
    report: dict[str, object] = {
        "name": "compile_large",
        "against": "json.loads",
        "ratio": round(median["cold"] / median["load"], 3),
        "warm_ratio": round(median["warm"] / median["load"], 3),
        "document": path.name,
        "bytes": path.stat().st_size,
        "operations": known,
        "asked": len(wanted),
        "compiled": compiled,
        "repeats": REPEATS,
        "json_loads_s": round(median["load"], 6),
        "cold_s": round(median["cold"], 6),
        "warm_s": round(median["warm"], 6),
        "mib": alone("agentc", path, *wanted)["mib"],
    }
    for name, module in PEERS.items():
        if importlib.util.find_spec(module) is None:
            print(f"{module} is not installed: pip install 'agentc[bench]'", file=sys.stderr)
            continue
        found = alone(name, path)
        took = found["seconds"]
        assert isinstance(took, float)
        report |= {
            f"{name}_ratio": round(took / median["warm"], 1),
            f"{name}_s": round(took, 6),
            f"{name}_mib": found["mib"],
        }
        if found["refused"]:
            report[f"{name}_refused"] = found["refused"]
    if other is not None:
        figures, *_ = measured(other, 3)
        median = {name: statistics.median(values) for name, values in figures.items()}
        report |= {
            "yaml_document": other.name,
            "yaml_bytes": other.stat().st_size,
            "yaml_load_s": round(median["load"], 6),
            "yaml_cold_s": round(median["cold"], 6),
            "yaml_warm_s": round(median["warm"], 6),
        }
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
