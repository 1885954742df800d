"""A service under load for a while holds no more memory than when it was warm."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "serve.py"


@pytest.mark.slow
def test_memory_is_constant():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--soak", "20"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["runs"] > 100
    # a run that left a hundredth of its memory behind would show: they are hundreds
    assert said["growth_mb"] < 15, said
