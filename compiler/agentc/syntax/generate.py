"""Write the JSON Schemas that editors use: `python -m agentc.syntax.generate schemas`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .kinds import KINDS, schema_of


def schema_files() -> dict[str, str]:
    """File name → text, as committed in `schemas/`."""
    return {
        f"{kind}.json": json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n" for kind in KINDS
    }


def main() -> None:
    """Write every schema into the folder that the command line names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
