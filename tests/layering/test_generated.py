"""Generated files are committed, and equal what the code generates now."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentc.syntax.generate import schema_files

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "schemas").iterdir()))
def test_schema_is_in_step_with_the_models(name: str) -> None:
    committed = (ROOT / "schemas" / name).read_text(encoding="utf-8")
    assert committed == schema_files()[name], "run `make generated`"


def test_every_schema_is_committed() -> None:
    assert {path.name for path in (ROOT / "schemas").iterdir()} == set(schema_files())


@pytest.mark.parametrize("path", sorted((ROOT / "specs").rglob("*.yaml")), ids=lambda path: path.name)
def test_spec_names_the_schema_of_its_kind(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if "apiVersion: agentc/" not in text:
        return
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    schema = (path.parent / first.partition("=")[2]).resolve()
    kind = next(line for line in text.splitlines() if line.startswith("kind: ")).removeprefix("kind: ")
    assert schema == ROOT / "schemas" / f"{kind}.json"
