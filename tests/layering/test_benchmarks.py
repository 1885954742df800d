"""Every benchmark runs, and ends with one JSON object that says what was measured. No times are asserted."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
HAS_CEDARPY = importlib.util.find_spec("cedarpy") is not None
HAS_CFN_LINT = (Path(sys.executable).parent / "cfn-lint").is_file()

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1"},
    "servers": [{"url": "https://api.example.com"}],
    "paths": {
        f"/things/{number}": {
            "get": {"operationId": f"getThing{number}", "responses": {"200": {"description": "it"}}}
        }
        for number in range(30)
    },
}

#: Script → its smallest run, the other ratios of its last line, and its raw figures.
SMALLEST = {
    "bundle": (
        ["--repeats", "1"],
        {"cold_ratio", "cached_ratio"},
        {f"{name}_ms" for name in ("load", "bare", "cold", "cached", "python")},
    ),
    "broker": (
        ["--repeats", "2"],
        {"ratio_send", "ratio_read", "store_ratio_send", "store_ratio_read"},
        {f"{how}_{what}_ms" for how in ("bare", "memory", "store") for what in ("send", "read")}
        | {"decision_allow_us", "decision_deny_us", "sync_ms"},
    ),
    "cli_start": (
        ["--repeats", "1"],
        {"validate_ratio", "help_ratio", "explain_ratio"},
        {"python_ms", "version_ms", "help_ms", "explain_ms", "validate_ms"},
    ),
    "compile_large": (
        ["{document}", "{document}"],
        {"warm_ratio", "openapi_core_ratio"},
        {"json_loads_s", "cold_s", "warm_s", "openapi_core_s", "yaml_warm_s"},
    ),
    "validate_corpus": (["{document}"], set(), {"agentc_s", "openapi_spec_validator_s"}),
    "decision": (
        ["--repeats", "2"],
        {"allow_ratio"},
        {f"{name}_us" for name in ("allow", "deny", "unknown", "cedar_allow", "cedar_deny")},
    ),
    "diff": (
        ["--grants", "8", "--changed", "8", "--repeats", "1"],
        set(),
        {"diff_ms", "same_ms", "floor_ms"},
    ),
    "durable": (
        ["--runs", "1", "--repeats", "1", "--worker-runs", "0"],
        {"sqlite_ratio", "sqlite_langgraph_ratio", "postgres_ratio", "postgres_langgraph_ratio"},
        {
            f"{store}_{name}"
            for store in ("sqlite", "postgres")
            for name in ("agentc_ms", "bare_ms", "langgraph_ms", "step_ms", "steps_per_second")
        },
    ),
    "interpreter": (
        ["--runs", "1", "--repeats", "1", "--at-once", "2"],
        {"frameworks_ratio", "concurrent_httpx_ratio", "concurrent_same_ratio"},
        {
            f"{name}_{figure}"
            for name in ("agentc", "same", "httpx", "pydantic_ai", "openai_agents", "langgraph")
            for figure in ("ms", "runs_per_second")
        }
        | {"agentc_waiting_kib", "same_waiting_kib"},
    ),
    "serve": (
        ["--runs", "4", "--repeats", "1", "--at-once", "2"],
        {"httpx_2_ratio", "same_2_ratio"},
        {f"{name}_2_{what}" for name in ("agentc", "httpx", "same") for what in ("per_second", "p95_ms")},
    ),
    "subsumption": (
        ["--pairs", "6", "--repeats", "1"],
        {"z3_ratio"},
        {f"{who}_p{share}_ms" for who in ("agentc", "z3", "compile", "jsonsubschema") for share in (50, 95)},
    ),
    "permission_checks": (
        ["--agents", "2", "--grants", "4", "--assertions", "5", "--cases", "10", "--repeats", "1"],
        set(),
        {"with_ms", "without_ms"},
    ),
    "waiting": (
        ["--runs", "200", "--small", "100"],
        set(),
        {"bytes_per_run", "slowest_ms"},
    ),
    "writing": (
        ["--seconds", "0.3", "--writers", "1", "2"],
        set(),
        {"inserts_per_second", "runs_per_second_1", "runs_per_second_2"},
    ),
    "validate_many": (
        ["--files", "10", "--repeats", "1", "--slow-repeats", "1"],
        {"warm_ratio", "check_jsonschema_ratio", "cfn_lint_ratio"},
        {"cold_ms", "warm_ms", "check_jsonschema_ms", "cfn_lint_ms"},
    ),
}
#: What takes seconds however little it measures.
SLOW = {
    "bundle",
    "diff",
    "durable",
    "interpreter",
    "permission_checks",
    "serve",
    "subsumption",
    "validate_many",
    "waiting",
    "writing",
}


def run(script: str, *words: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(BENCHMARKS / f"{script}.py"), *words],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=120,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


@pytest.mark.parametrize(
    "script", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in SMALLEST]
)
def test_benchmark_reports_one_object_on_its_last_line(script: str, tmp_path: Path) -> None:
    if script == "validate_many" and not HAS_CFN_LINT:
        pytest.skip("cfn-lint is not installed: pip install 'agentc[bench]'")
    if script == "decision" and not HAS_CEDARPY:
        pytest.skip("cedarpy is not installed: pip install 'agentc[bench]'")
    if script == "subsumption" and find_spec("jsonsubschema") is None:
        pytest.skip("jsonsubschema is not installed: pip install 'agentc[bench]'")
    if script == "durable" and find_spec("langgraph.checkpoint.postgres") is None:
        pytest.skip("LangGraph's checkpointers are not installed: pip install 'agentc[bench]'")
    if script == "interpreter" and find_spec("pydantic_ai") is None:
        pytest.skip("pydantic-ai is not installed: pip install 'agentc[bench]'")
    document = tmp_path / "small.json"
    document.write_text(json.dumps(DOCUMENT))
    words, ratios, figures = SMALLEST[script]
    done = run(script, *(word.format(document=document) for word in words))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["name"] == script
    assert isinstance(report["against"], str)
    for name in {"ratio"} | ratios | figures:
        assert isinstance(report[name], float), name
        assert report[name] > 0, name


def test_a_missing_peer_is_named_with_what_brings_it(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.symlink_to(Path(sys.executable).resolve())
    done = run("validate_many", python=str(python))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no `agentc` beside" in done.stderr
    assert "pip install 'agentc'" in done.stderr


def test_peers_of_evals_are_named_with_what_brings_them() -> None:
    done = run("evals", "--cases", "2", "--repeats", "1", "--skip", "promptfoo")
    if find_spec("inspect_ai") is None:
        assert done.returncode == 2
        assert "no `inspect_ai`: pip install 'agentc[bench-evals]'" in done.stderr
    else:
        assert json.loads(done.stdout.splitlines()[-1])["name"] == "evals"


def test_the_readme_names_every_benchmark() -> None:
    text = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    for path in BENCHMARKS.glob("*.py"):
        assert f"`{path.stem}`" in text
