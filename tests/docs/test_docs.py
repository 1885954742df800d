"""What the documents say is so: links lead somewhere, commands exist, specs are valid, sessions run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from agentc.cli import cli
from agentc.load import SourceFile
from agentc.parse import parse_documents
from agentc.resources import parse_resource
from agentc_runtime.filters import FILTERS

ROOT = Path(__file__).parents[2]
DOCS = sorted(
    [
        ROOT / "README.md",
        ROOT / "CHANGELOG.md",
        ROOT / "compiler" / "ARCHITECTURE.md",
        ROOT / "runtime" / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
WRITTEN = [path for path in DOCS if path.parent.name != "reference"]
SESSIONS = [
    path
    for path in WRITTEN
    if path.parent.name in ("how-to", "explanation") or path.name in ("tutorial.md", "README.md")
]


def name_of(path: object) -> str:
    return str(path.relative_to(ROOT)) if isinstance(path, Path) else ""


def prose(path: Path) -> str:
    return re.sub(r"^(```+).*?^\1$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_there_are_documents() -> None:
    assert len(SESSIONS) >= 10
    assert len(list((ROOT / "docs" / "decisions").glob("0*.md"))) >= 10


# --- generated pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["kinds.md", "rules.md", "refusals.md", "cli.md", "telemetry.md"])
def test_reference_is_in_step_with_the_code(name: str, generate: ModuleType) -> None:
    committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert committed == generate.pages()[name], "run `python docs/generate.py`"


def test_there_is_no_other_reference_page(generate: ModuleType) -> None:
    assert {path.name for path in (ROOT / "docs" / "reference").iterdir()} == set(generate.pages())


def test_what_differs_between_two_demos_is_taken_out(generate: ModuleType) -> None:
    printed = (
        "run 20261123T210540Z-6a7ae60bd42a  triage 1.0.0  sha256:514c9aef1c67  in local\n✓ succeeded  1.2 s\n"
    )
    assert generate.steady(printed) == "run …  triage 1.0.0  sha256:…  in local\n✓ succeeded  … s\n"


@pytest.mark.slow
def test_readme_shows_what_the_demo_prints(generate: ModuleType) -> None:
    assert generate.shown_demo() == generate.demo(), "run `python docs/generate.py --demo`"


# --- links ---------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_page_for_users_is_listed() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    for folder in ("how-to", "explanation", "reference"):
        for page in (ROOT / "docs" / folder).glob("*.md"):
            assert f"({folder}/{page.name})" in index, "list the page in docs/README.md"


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_links_resolve(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.exists(), f"{name_of(path)}: `{target}` is not there"
        assert linked.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(linked), f"{name_of(path)}: no heading for `{target}`"


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_proofs_exist(path: Path) -> None:
    for name, target in re.findall(r"\[(test_\w+)\]\(([^)]+)\)", prose(path)):
        assert f"def {name}(" in (path.parent / target).read_text(encoding="utf-8"), name


def test_every_defence_has_a_proof() -> None:
    rows = re.findall(
        r"^\| (?!---|it tries|somebody).*$", prose(ROOT / "docs" / "threat-model.md"), re.MULTILINE
    )
    assert len(rows) > 25
    assert [row for row in rows if "](../tests/" not in row] == []


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_files_named_in_text_exist(path: Path) -> None:
    for named in re.findall(r"`((?:tests|compiler|runtime|docs|specs|schemas)/[\w./-]+)`", prose(path)):
        assert (ROOT / named).exists(), f"{name_of(path)}: `{named}` is not there"


@pytest.mark.parametrize("folder", ["compiler", "runtime"])
def test_modules_named_in_the_maps_exist(folder: str) -> None:
    page = ROOT / folder / ("ARCHITECTURE.md" if folder == "compiler" else "README.md")
    packages = (ROOT / "compiler" / "agentc", ROOT / "runtime" / "agentc_runtime")
    named = re.findall(r"`([\w/]+(?:\.py|/))`", prose(page))
    assert len(named) > 20
    for name in named:
        assert any((base / name).exists() for base in (ROOT, *(p.parent for p in packages), *packages)), name


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_rules_named_in_text_exist(path: Path, generate: ModuleType) -> None:
    known = {*generate.RULES, *generate.refusals.RULES}
    assert set(re.findall(r"\bA[CR]\d{3}\b", prose(path))) <= known


# --- commands ------------------------------------------------------------------------------------------


def commands_in(path: Path, blocks: list[Any]) -> Iterator[str]:
    for block in blocks:
        if block.info == "console":
            yield from (c for c, _ in steps(block.text))
        elif block.info in ("sh", "yaml workflow"):
            yield from block.text.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`(agentc [^`\n]+)`", prose(path))


def agentc_calls(line: str) -> Iterator[list[str]]:
    for match in re.finditer(r"(?:^|[\s|;&({])agentc ((?:'[^']*'|\"[^\"]*\"|[^|;&`)#])+)", line):
        try:
            yield shlex.split(match[1])
        except ValueError:
            continue


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_commands_and_their_options_exist(path: Path, blocks_of: Callable[[Path], list[Any]]) -> None:
    for line in commands_in(path, blocks_of(path)):
        for call in agentc_calls(line):
            command: click.Command = cli
            context = click.Context(cli)
            words = list(call)
            while isinstance(command, click.Group) and words and not words[0].startswith("-"):
                name = words.pop(0)
                found = command.get_command(context, name)
                assert found is not None, f"{name_of(path)}: no command `{name}` in `{line}`"
                command = found
            options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
            options |= {"--help", "-h"}
            for word in words:
                if word.startswith("-") and word != "-":
                    assert word.partition("=")[0] in options, f"{name_of(path)}: `{word}` in `{line}`"


def test_every_command_is_documented_by_hand(blocks_of: Callable[[Path], list[Any]]) -> None:
    used = {
        words[0]
        for path in SESSIONS
        for line in commands_in(path, blocks_of(path))
        for words in agentc_calls(line)
        if words
    }
    assert set(cli.list_commands(click.Context(cli))) <= used  # type: ignore[attr-defined]


def test_every_filter_is_documented() -> None:
    text = (ROOT / "docs" / "how-to" / "write-prompts.md").read_text(encoding="utf-8")
    table = text[text.index("| filter |") : text.index("Everything else")]
    assert set(re.findall(r"`(\w+)`", table)) == set(FILTERS)


# --- specs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", WRITTEN, ids=name_of)
def test_specs_shown_are_valid(path: Path, blocks_of: Callable[[Path], list[Any]]) -> None:
    for block in blocks_of(path):
        kind, _, rest = block.info.partition(" ")
        if kind != "yaml" or rest in ("workflow", "openapi"):
            continue
        where = f"{name_of(path)}:{block.line}"
        if rest.startswith("fragment of "):
            module, _, name = rest.removeprefix("fragment of ").rpartition(".")
            model = getattr(import_module(f"agentc.syntax.{module}"), name)
            assert issubclass(model, BaseModel), where
            TypeAdapter(model).validate_python(yaml.safe_load(block.text))
            continue
        assert rest == "", f"{where}: write `yaml fragment of MODULE.MODEL`"
        assert "apiVersion: agentc/v1" in block.text, where
        documents, found = parse_documents(SourceFile("shown.yaml", block.text.encode()))
        assert not found, (where, found)
        for document in documents:
            resource, problems = parse_resource(document)
            assert resource is not None, (where, problems)
            assert not problems, (where, problems)


# --- sessions ------------------------------------------------------------------------------------------


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Commands (`$ …`, going on while a line ends in `\\`) with what they are said to print."""
    command, printed, going_on = "", "", False
    for line in text.splitlines(keepends=True):
        if going_on:
            command += line
        elif line.startswith("$ "):
            if command:
                yield command, printed
            command, printed = line[2:], ""
        else:
            printed += line
        going_on = (going_on or line.startswith("$ ")) and line.endswith("\\\n")
    if command:
        yield command, printed


def as_pattern(expected: str) -> str:
    """`…` on a line of its own stands for any lines, and inside a line for any text."""
    parts = [
        r"(?:.*\n)*?" if line.strip() == "…" else r".*?".join(map(re.escape, line.split("…"))) + r"[ ]*\n"
        for line in expected.splitlines()
    ]
    return "".join(parts)


@pytest.mark.parametrize("path", SESSIONS, ids=name_of)
def test_session_runs_as_shown(path: Path, blocks_of: Callable[[Path], list[Any]], shell: Any) -> None:
    for block in blocks_of(path):
        if block.file is not None:
            target = shell.folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(shell.local(block.text), encoding="utf-8")
        if block.info != "console":
            continue
        for command, expected in steps(block.text):
            printed = shell.run(command)
            pattern = as_pattern(shell.local(expected))
            assert re.fullmatch(pattern, printed), (
                f"{name_of(path)}:{block.line}: `{command.strip()}` prints\n{printed}"
            )


def test_sessions_are_compared_line_by_line() -> None:
    assert re.fullmatch(as_pattern("a … c\n…\nd\n"), "a b c\nx\ny\nd\n")
    assert re.fullmatch(as_pattern("a\n…\nd\n"), "a\nd\n")
    assert not re.fullmatch(as_pattern("a\n"), "a\nb\n")
    assert list(steps("$ a \\\n  b\nout\n$ c\n")) == [("a \\\n  b\n", "out\n"), ("c\n", "")]
