"""Every OpenAPI document below a path, validated cold: agentc beside openapi-spec-validator.

    python benchmarks/validate_corpus.py [PATH]

agentc reads a document with its files, compiles every operation and says what is wrong with the others.
openapi-spec-validator reads it (`json.loads`, PyYAML's C loader) and validates it against the specification's
schema. They take each document in turn, in one process that has imported both, so that neither pays for
imports or keeps anything of a document. `ratio` is agentc / openapi-spec-validator in seconds
for all documents (target: below 1). Prints one JSON object as its last line.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from openapi_corpus import compile_all, documents

DEFAULT = Path(__file__).resolve().parents[1] / "../shared/corpus"


def reader() -> Callable[[Path], str]:
    """openapi-spec-validator: what it says of a document, empty when nothing."""
    import yaml
    from openapi_spec_validator import validate

    def run(path: Path) -> str:
        data = path.read_bytes()
        try:
            spec = json.loads(data) if path.suffix == ".json" else yaml.load(data, Loader=yaml.CSafeLoader)
            validate(spec, base_uri=path.resolve().as_uri())
        except Exception as error:  # what it finds, and what it can't read
            return type(error).__name__
        return ""

    return run


def main() -> int:
    """Measure, and print the figures."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    if not path.exists():
        print(f"{path} is not there: give a document or a folder", file=sys.stderr)
        return 2
    if importlib.util.find_spec("openapi_spec_validator") is None:
        print("openapi-spec-validator is not installed: pip install 'agentc[bench]'", file=sys.stderr)
        return 2
    warnings.simplefilter("ignore")
    validate = reader()
    files = documents(path)
    took = {"agentc": 0.0, "openapi_spec_validator": 0.0}
    operations = compiled = refused = 0
    compile_all(files[0])  # imports what it needs
    for file in files:
        start = time.perf_counter()
        row = compile_all(file)
        between = time.perf_counter()
        refused += bool(validate(file))
        took["agentc"] += between - start
        took["openapi_spec_validator"] += time.perf_counter() - between
        operations += row["operations"]
        compiled += row["compiled"]
        print(f"{between - start:8.2f} {time.perf_counter() - between:8.2f} {file.name}", flush=True)
    report = {
        "name": "validate_corpus",
        "against": "openapi-spec-validator",
        "ratio": round(took["agentc"] / took["openapi_spec_validator"], 3),
        "documents": len(files),
        "operations": operations,
        "compiled": compiled,
        "peer_refuses": refused,
        **{f"{name}_s": round(value, 6) for name, value in took.items()},
    }
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
