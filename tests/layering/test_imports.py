"""The runtime never imports the compiler or its libraries, and commands import only what they use."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import agentc_runtime
from agentc.driver import check_project
from agentc.emit import write_bundle
from agentc.pipeline import bundle_files

RUNTIME = Path(agentc_runtime.__file__).parent
COMPILER_ONLY = {
    "agentc", "click", "jinja2", "jsonpath_rfc9535", "jsonschema", "openapi_core", "pydantic",
    "pydantic_core", "yaml",
}  # fmt: skip


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", sorted(RUNTIME.rglob("*.py")), ids=lambda path: path.stem)
def test_runtime_module_imports_nothing_of_the_compiler(path: Path) -> None:
    assert imported(path) & COMPILER_ONLY == set()


def test_every_runtime_module_imports_with_the_compilers_libraries_blocked() -> None:
    modules = [
        ".".join(("agentc_runtime", *path.relative_to(RUNTIME).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        for path in sorted(RUNTIME.rglob("*.py"))
        # an extra, whose engine itself is built on click and yaml
        if path.parent.name != "durable"
    ]
    program = f"""
import importlib, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {COMPILER_ONLY!r}:
            raise ImportError(f"the runtime asked for {{name}}")
sys.meta_path.insert(0, Blocked())
for module in {modules!r}:
    importlib.import_module(module)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--version"], {"click", "yaml", "pydantic", "httpx", "jinja2", "msgspec"}),
        (["--help"], {"yaml", "pydantic", "httpx", "jinja2", "msgspec"}),
        (["mock", "--help"], {"yaml", "pydantic", "openapi_core", "http"}),
        (["keygen", "--help"], {"yaml", "pydantic", "httpx", "msgspec", "cryptography"}),
        (["deploy", "--help"], {"yaml", "pydantic", "httpx", "msgspec", "cryptography", "sqlite3"}),
        (
            ["verify", "dist/triage-1.0.0"],
            {
                "yaml",
                "pydantic",
                "jinja2",
                "httpx",
                "cryptography",
                "cyclonedx",
                "oras",
                "sqlite3",
                "asyncio",
            },
        ),
        (["inspect", "dist/triage-1.0.0"], {"yaml", "pydantic", "jinja2", "httpx", "sqlite3", "asyncio"}),
        (["explain", "AC401"], {"yaml", "pydantic", "httpx", "jinja2", "jsonschema"}),
        (["tighten", "--help"], {"yaml", "pydantic", "httpx", "msgspec", "sqlite3"}),
        (["why", "--help"], {"yaml", "pydantic", "httpx", "msgspec"}),
        (
            ["why", "triage", "desk.refund", "--args", '{"amount": 60}'],
            {"httpx", "jsonschema", "openapi_core", "sqlite3", "asyncio", "z3"},
        ),
        (
            ["why", "triage", "desk.refund", "--project", "dist/triage-1.0.0"],
            {"yaml", "pydantic", "jinja2", "httpx", "jsonschema", "openapi_core", "sqlite3", "asyncio", "z3"},
        ),
        (
            ["diff", "dist/triage-1.0.0", "dist/triage-1.0.0"],
            {"yaml", "pydantic", "jinja2", "httpx", "jsonschema", "openapi_core", "sqlite3", "asyncio", "z3"},
        ),
        (["eval", "--help"], {"yaml", "pydantic", "httpx", "msgspec", "asyncio", "multiprocessing"}),
        (["redteam", "--help"], {"yaml", "pydantic", "httpx", "msgspec", "asyncio"}),
        (["dataset", "list", "cases.jsonl"], {"yaml", "httpx", "asyncio", "jinja2"}),
        (
            ["validate", "."],
            {"httpx", "jsonschema", "openapi_core", "werkzeug", "jsonpath_rfc9535", "sqlite3", "asyncio"},
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_pays_for_no_import_that_it_does_not_use(
    arguments: list[str], forbidden: set[str], tmp_path: Path
) -> None:
    from agentc.starter import starter_files

    for name, text in starter_files("desk").items():
        (tmp_path / name).write_text(text)
    if "dist/triage-1.0.0" in arguments:
        result = check_project(tmp_path)
        (tmp_path / "dist").mkdir()
        write_bundle(bundle_files(result, result.program.agents["triage"]), tmp_path / "dist/triage-1.0.0")
    if "cases.jsonl" in arguments:
        (tmp_path / "cases.jsonl").write_text('{"id": "a"}\n')
    program = f"""
import sys
sys.argv = ["agentc", *{arguments!r}]
from agentc.__main__ import main
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
print(" ".join(sorted({{name.partition(".")[0] for name in sys.modules}})), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={"PATH": "", "AGENTC_CACHE_DIR": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(done.stderr.split()) & forbidden == set()
