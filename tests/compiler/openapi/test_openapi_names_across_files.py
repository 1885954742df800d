"""Schemas that files call by `$id`, `$anchor` and `$dynamicAnchor` of other files, from the import on."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentc.load import read_file
from agentc.openapi import compile_operations, problem_span
from agentc.openapi.importing import Import, opened, plan_import, write_import
from agentc.openapi.lock import lock_path, read_lock
from agentc.openapi.parts import source_of
from agentc.source import SourceFile
from agentc_runtime.violations import compile_shape

MAIN = """\
openapi: 3.1.0
info: { title: Trees, version: 1.0.0 }
servers: [{ url: https://trees.example.com }]
paths:
  /trees:
    post:
      operationId: plant
      requestBody:
        required: true
        content: { application/json: { schema: { type: array, items: { $ref: "REFERENCE" } } } }
      responses: { "200": { description: ok } }
"""
NODE = """\
type: object
additionalProperties: false
properties: { data: { type: string }, children: { type: array, items: ITEMS } }
"""
SITE = "https://trees.example"
GOOD = [{"data": "a", "children": [{"data": "b", "children": [{"children": []}]}]}]
BAD = [{"data": "a", "children": [{"data": "b", "children": [{"data": 5}]}]}]


def _tree(items: str, **names: str) -> str:
    return NODE.replace("ITEMS", items) + "".join(f'{name}: "{value}"\n' for name, value in names.items())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty project."""
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def _imported(project: Path, files: dict[str, str]) -> Import:
    folder = project.parent / "vendor"
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with opened(str(folder / "api.yaml")) as source:
        planned = plan_import(source, project / "openapi", None, lambda _: frozenset())
    write_import(planned)
    return planned


def _compiled(
    project: Path, main: Path, *operations: str, cache: Path | None = None
) -> tuple[Any, list[Any]]:
    path = main.relative_to(project).as_posix()
    file, lock_file = read_file(project, path), read_file(project, lock_path(path))
    assert isinstance(file, SourceFile)
    assert isinstance(lock_file, SourceFile)
    lock = read_lock(lock_file, file, lambda name: read_file(project, name))
    assert not hasattr(lock, "code"), lock
    result = compile_operations(file, operations, cache, lock=lock)
    places = []
    for problems in result.operation_problems.values():
        for problem in problems:
            where, own = source_of(problem, file, lock.source)
            places.append((problem.code, Path(where.path).name, problem_span(where, own).line))
    return result.operations, places


def _indented(text: str, by: int) -> str:
    return text.rstrip("\n").replace("\n", "\n" + " " * by) + "\n"


#: What the document refers to, and the other files. `hint.yaml` is reached, and leads to others.
CASES: dict[str, tuple[str, dict[str, str]]] = {
    "anchor": ("tree.yaml#node", {"tree.yaml": _tree('{ $ref: "#node" }', **{"$anchor": "node"})}),
    "dynamic anchor": (
        "tree.yaml#node",
        {"tree.yaml": _tree('{ $dynamicRef: "#node" }', **{"$dynamicAnchor": "node"})},
    ),
    "dynamic reference": (
        "tree.yaml",
        {"tree.yaml": _tree('{ $dynamicRef: "#node" }', **{"$dynamicAnchor": "node"})},
    ),
    "dynamic reference to a plain anchor": (
        "tree.yaml",
        {"tree.yaml": _tree('{ $dynamicRef: "#node" }', **{"$anchor": "node"})},
    ),
    "dynamic reference to another file": (
        "tree.yaml",
        {
            "tree.yaml": _tree('{ $dynamicRef: "other.yaml#node" }'),
            "other.yaml": _tree('{ $ref: "#node" }', **{"$dynamicAnchor": "node"}),
        },
    ),
    "back to the main file": ("tree.yaml", {"tree.yaml": _tree('{ $ref: "api.yaml#back" }')}),
    "there and back": (
        "tree.yaml#/$defs/Node",
        {
            "tree.yaml": "$defs:\n  Node:\n    $anchor: n\n    $ref: 'deep/leaf.yaml#leaf'\n",
            "deep/leaf.yaml": _tree('{ $ref: "../tree.yaml#n" }', **{"$anchor": "leaf"}),
        },
    ),
    "id": (
        f"{SITE}/tree",
        {"hint.yaml": "$ref: tree.yaml\n", "tree.yaml": _tree('{ $ref: "#" }', **{"$id": f"{SITE}/tree"})},
    ),
    "urn with an anchor": (
        "urn:trees:tree#node",
        {
            "hint.yaml": "$ref: tree.yaml\n",
            "tree.yaml": _tree('{ $ref: "urn:trees:tree" }', **{"$id": "urn:trees:tree", "$anchor": "node"}),
        },
    ),
    "relative to an id": (
        "tree.yaml",
        {
            "tree.yaml": _tree("{ $ref: leaf }", **{"$id": f"{SITE}/a/tree"}),
            "hint.yaml": "$ref: deep/leaf.yaml\n",
            "deep/leaf.yaml": _tree('{ $ref: "#" }', **{"$id": f"{SITE}/a/leaf"}),
        },
    ),
    "the file beside, which says so": (
        "tree.yaml",
        {
            "tree.yaml": _tree("{ $ref: leaf.yaml }", **{"$id": f"{SITE}/tree.yaml"}),
            "leaf.yaml": _tree("{ $ref: tree.yaml }", **{"$id": f"{SITE}/leaf.yaml"}),
        },
    ),
    "pointer inside a resource": (
        "tree.yaml",
        {
            "tree.yaml": _tree('{ $ref: "#/$defs/inner" }', **{"$id": f"{SITE}/t"})
            + f"$defs:\n  inner: {{ $ref: '{SITE}/t' }}\n"
        },
    ),
    "id with a pointer": (
        f"{SITE}/tree#/$defs/a~1%25",
        {
            "hint.yaml": "$ref: tree.yaml\n",
            "tree.yaml": f"$id: {SITE}/tree\n$defs:\n  a/%:\n    "
            + _indented(_tree('{ $ref: "#/$defs/a~1%25" }'), 4),
        },
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("warm", [False, True])
def test_a_tree_is_found_by_its_name(project: Path, case: str, warm: bool) -> None:
    reference, files = CASES[case]
    hint = "x: { $ref: hint.yaml }\n" if "hint.yaml" in files else ""
    back = _tree('{ $ref: "tree.yaml" }', **{"$anchor": "back"}).replace("\n", "\n      ")
    components = f"components:\n  schemas:\n    Back:\n      {back.rstrip()}\n"
    imported = _imported(
        project, {**files, "api.yaml": MAIN.replace("REFERENCE", reference) + hint + components}
    )
    assert imported.refused == ()
    cache = project.parent / "cache" if warm else None
    for _ in range(2):
        operations, places = _compiled(project, imported.path, "plant", cache=cache)
        assert places == []
        shape = compile_shape(operations["plant"].arguments)
        assert shape.is_valid({"body": GOOD})
        assert not shape.is_valid({"body": BAD})


def test_the_lock_says_where_a_name_leads(project: Path) -> None:
    tree = _tree('{ $ref: "#" }', **{"$id": "https://trees.example/tree"})
    text = MAIN.replace("REFERENCE", "https://trees.example/tree") + "x: { $ref: tree.yaml }\n"
    imported = _imported(project, {"api.yaml": text, "tree.yaml": tree})
    head = yaml.safe_load((imported.path.parent / "api.lock.yaml").read_text().partition("\n---\n")[0])
    assert head["names"] == {"https://trees.example/tree": "tree.yaml#"}


def test_a_file_that_does_not_have_the_name_is_not_taken_for_it(project: Path, serve: Any) -> None:
    site = serve({})
    base = f"{site.url}/tree.yaml"
    tree = _tree("{ $ref: leaf.yaml }", **{"$id": base})
    leaf = _tree('{ $ref: "#" }', **{"$id": "https://elsewhere.example/leaf.yaml"})
    imported = _imported(
        project, {"api.yaml": MAIN.replace("REFERENCE", "tree.yaml"), "tree.yaml": tree, "leaf.yaml": leaf}
    )
    assert imported.files == 1
    [refused] = imported.refused
    assert "`$ref` to `leaf.yaml` is not followed: " in refused
    assert "is not on the public internet" in refused
    assert site.asked == []
    _, places = _compiled(project, imported.path, "plant")
    assert places == [("AC708", "tree.yaml", 3)]


@pytest.mark.parametrize(
    ("tree", "code", "line"),
    [
        (_tree('{ $ref: "#gone" }'), "AC704", 3),
        (_tree('{ $ref: "other.yaml#gone" }'), "AC708", 3),
        (_tree('{ $dynamicRef: "#gone" }'), "AC705", 3),
        (_tree('{ $dynamicRef: "other.yaml#gone" }'), "AC705", 3),
        (
            _tree('{ $dynamicRef: "#t" }', **{"$dynamicAnchor": "t"}) + "not: { $ref: other.yaml }\n",
            "AC705",
            3,
        ),
        ("$defs:\n  a: { $anchor: x }\n  b: { $anchor: x }\n$ref: '#x'\n", "AC704", 4),
    ],
)
def test_what_has_no_one_meaning_is_refused_at_its_place(
    project: Path, tree: str, code: str, line: int
) -> None:
    files = {
        "tree.yaml": tree,
        "other.yaml": "$dynamicAnchor: t\ntype: integer\n",
        "api.yaml": MAIN.replace("REFERENCE", "tree.yaml"),
    }
    imported = _imported(project, files)
    _, places = _compiled(project, imported.path, "plant")
    assert places == [(code, "tree.yaml", line)]


def test_what_one_operation_reaches_does_not_depend_on_the_others(project: Path) -> None:
    """A second `$dynamicAnchor` makes a reference ambiguous where both are reached, and nowhere else."""
    node = _tree('{ $dynamicRef: "#t" }', **{"$dynamicAnchor": "t"})
    second = (
        "  /both:\n    post:\n      operationId: both\n      requestBody:\n        content:\n"
        "          application/json: { schema: { anyOf: [{ $ref: tree.yaml }, { $ref: other.yaml }] } }\n"
        "      responses: {}\n"
    )
    files = {
        "tree.yaml": node,
        "other.yaml": "$dynamicAnchor: t\ntype: integer\n",
        "api.yaml": MAIN.replace("REFERENCE", "tree.yaml") + second,
    }
    imported = _imported(project, files)
    for order in itertools.permutations(("plant", "both")):
        operations, places = _compiled(project, imported.path, *order)
        assert operations["plant"] is not None
        assert operations["both"] is None
        assert places == [("AC705", "tree.yaml", 3)]


def test_older_versions_have_no_names(project: Path) -> None:
    main = MAIN.replace("3.1.0", "3.0.3").replace("REFERENCE", "tree.yaml#node")
    imported = _imported(project, {"api.yaml": main, "tree.yaml": _tree("{}", **{"$anchor": "node"})})
    _, places = _compiled(project, imported.path, "plant")
    assert [code for code, _, _ in places] == ["AC708"]
