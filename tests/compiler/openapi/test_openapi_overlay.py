"""Overlays: what an action does to a document, that nothing else changes, and where problems are shown."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from agentc.openapi import compile_operations, problem_span
from agentc.openapi.overlay import Applied, apply_overlays
from agentc.source import SourceFile

AT_TARGET = ("actions", "0", "target")
PARAMETERS = [
    {"name": "filter", "in": "query", "schema": {"type": "string"}},
    {"name": "dummy", "in": "query", "schema": {"type": "string"}},
]
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Zoo", "version": "1"},
    "servers": [{"url": "https://zoo.example.com"}],
    "paths": {
        "/cats": {"get": {"operationId": "cats", "description": "old", "parameters": PARAMETERS}},
        "/dogs": {
            "get": {"operationId": "dogs", "x-traits": ["paged"], "responses": {}},
            "post": {"operationId": "add", "description": "old", "responses": {}},
        },
    },
    "tags": ["a", "b"],
}


def overlay(*actions: dict[str, Any], name: str = "fix.yaml", **more: Any) -> SourceFile:
    content = {"overlay": "1.0.0", "info": {"title": "Fix", "version": "1"}, "actions": list(actions), **more}
    return SourceFile(name, yaml.safe_dump(content, sort_keys=False).encode())


def applied(*actions: dict[str, Any]) -> Applied:
    return apply_overlays(DOCUMENT, [overlay(*actions)])


def result(*actions: dict[str, Any]) -> Any:
    before = copy.deepcopy(DOCUMENT)
    found = applied(*actions)
    assert found.problems == ()
    assert before == DOCUMENT
    return found.root


# --- what the specification's examples show (Overlay 1.0.0, section 4.5) -------------------------------


def test_an_overlay_in_the_shape_of_the_document_is_merged_into_it() -> None:
    root = result(
        {"target": "$", "update": {"info": {"x-by": "me"}, "paths": {"/cats": {"get": {"x-rate": 9}}}}}
    )
    assert root["info"] == {"title": "Zoo", "version": "1", "x-by": "me"}
    assert root["paths"]["/cats"]["get"] == {**DOCUMENT["paths"]["/cats"]["get"], "x-rate": 9}
    assert root["paths"]["/dogs"] is DOCUMENT["paths"]["/dogs"], "what is not touched is not copied"


def test_targeted_actions_are_applied_in_order() -> None:
    root = result(
        {"target": "$.paths['/cats'].get", "update": {"description": "new"}},
        {"target": "$.paths['/dogs']", "update": {"post": {"description": "newer", "x-safe": False}}},
        {"target": "$.paths['/dogs'].post", "update": {"x-safe": True}},
    )
    assert root["paths"]["/cats"]["get"]["description"] == "new"
    assert root["paths"]["/dogs"]["post"] == {
        "operationId": "add", "description": "newer", "responses": {}, "x-safe": True,
    }  # fmt: skip


def test_wildcards_and_filters_select_several() -> None:
    root = result(
        {"target": "$.paths.*.get", "update": {"x-safe": True}},
        {
            "target": "$.paths.*.get.parameters[?@.name=='filter' && @.in=='query']",
            "update": {"schema": {"$ref": "#/components/schemas/Filter"}},
        },
    )
    assert [root["paths"][path]["get"]["x-safe"] for path in ("/cats", "/dogs")] == [True, True]
    assert "x-safe" not in root["paths"]["/dogs"]["post"]
    schemas = [one["schema"] for one in root["paths"]["/cats"]["get"]["parameters"]]
    assert schemas == [{"type": "string", "$ref": "#/components/schemas/Filter"}, {"type": "string"}]


def test_an_entry_is_appended_to_an_array_and_items_are_removed() -> None:
    new = {"name": "new", "in": "query"}
    root = result(
        {"target": "$.paths.*.get.parameters", "update": new},
        {"target": "$.paths.*.get.parameters[?@.name == 'dummy']", "remove": True},
    )
    assert root["paths"]["/cats"]["get"]["parameters"] == [PARAMETERS[0], new]


def test_traits_are_where_the_document_marks_them() -> None:
    root = result(
        {"target": "$.paths.*[?@['x-traits'][?@ == 'paged']]", "update": {"parameters": [{"name": "top"}]}},
    )
    assert root["paths"]["/dogs"]["get"]["parameters"] == [{"name": "top"}]
    assert "parameters" not in root["paths"]["/dogs"]["post"]


# --- laws ----------------------------------------------------------------------------------------------


def test_remove_goes_before_update_and_takes_all_that_match() -> None:
    root = result({"target": "$.paths.*.get.parameters.*", "remove": True, "update": {"x": 1}})
    assert root["paths"]["/cats"]["get"]["parameters"] == []
    assert "/cats" not in result({"target": "$.paths['/cats']", "remove": True})["paths"]


def test_arrays_inside_an_update_are_appended() -> None:
    assert result({"target": "$", "update": {"tags": ["c"]}})["tags"] == ["a", "b", "c"]


def test_later_overlays_see_what_earlier_ones_did() -> None:
    one = overlay({"target": "$", "update": {"x-new": {"a": 1}}}, name="one.yaml")
    two = overlay({"target": "$['x-new']", "update": {"b": 2}}, name="two.yaml")
    found = apply_overlays(DOCUMENT, [one, two])
    assert found.root["x-new"] == {"a": 1, "b": 2}
    assert [problem.file for problem in apply_overlays(DOCUMENT, [two, one]).problems] == ["two.yaml"]
    twice = apply_overlays(DOCUMENT, [one, two])
    assert twice == found, "an overlay's own data is not changed either"


def test_a_target_that_matches_nothing_is_told_and_the_rest_is_applied() -> None:
    found = applied({"target": "$.gone", "remove": True}, {"target": "$.info", "update": {"x": 1}})
    assert [(one.code, one.pointer) for one in found.problems] == [("AC716", ("actions", "0", "target"))]
    assert found.root["info"] == {"title": "Zoo", "version": "1", "x": 1}


@pytest.mark.parametrize(
    ("actions", "message", "pointer"),
    [
        ([{"target": "$.paths["}], "neither `update` nor", ("actions", "0")),
        ([{"target": "$.paths[", "update": {}}], "not a JSONPath (RFC 9535)", ("actions", "0", "target")),
        ([{"target": "paths", "update": {}}], "not a JSONPath (RFC 9535)", ("actions", "0", "target")),
        ([{"target": "$.info.title", "remove": True}], "neither an object nor a list", AT_TARGET),
        ([{"target": "$", "remove": True}], "as a whole can't be removed", ("actions", "0", "target")),
        ([{"target": "$.info", "update": "x"}], "`update` has to be one", ("actions", "0", "update")),
        ([{"target": "$", "updte": {}}], "unknown key `updte`", ("actions", "0", "updte")),
        ([{"target": "$", "remove": "yes"}], "has to be `true` or `false`", ("actions", "0", "remove")),
        ([{"update": {}}], "`target` is missing", ("actions", "0")),
        ([], "at least one action", ("actions",)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(actions: Any, message: str, pointer: Any) -> None:
    good = {"target": "$", "update": {"x-half": True}}
    found = applied(*([good] if actions else []), *actions)
    (problem,) = found.problems
    assert message in problem.message
    place = pointer if not actions else ("actions", "1", *pointer[2:])
    assert (problem.code, problem.file, problem.pointer) == ("AC715", "fix.yaml", place)
    assert "x-half" not in found.root, "an overlay is applied as a whole or not at all"


@pytest.mark.parametrize("version", ["2.0.0", "1.1.0", "1.0", 1.0])
def test_other_versions_are_refused(version: Any) -> None:
    found = apply_overlays(DOCUMENT, [overlay({"target": "$", "update": {}}, overlay=version)])
    assert ["is not supported" in one.message for one in found.problems] == [True]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"overlay: [", b"{", b"overlay: 1.0.0\noverlay: 1.0.0\n", b"\xff"]
)
def test_what_is_no_overlay_is_refused(data: bytes) -> None:
    (problem,) = apply_overlays(DOCUMENT, [SourceFile("fix.yaml", data)]).problems
    assert (problem.code, problem.file) == ("AC715", "fix.yaml")


@pytest.mark.parametrize(
    "target",
    [
        "$" + "..*" * 12,
        "$" + "[*,*,*,*]" * 30,
        "$..[?$..[?$..x]]",
        "$[?" + "(" * 400 + "@.a" + ")" * 400 + "]",
        "$." + "a" * 5000,
        "$.info[?match(@, '(a+)+$')]",
        "$['" + "a" * 500 + "(" * 200 + "']",
    ],
)
def test_hostile_targets_end(target: str) -> None:
    wide = {**DOCUMENT, "info": {"title": "a" * 5000 + "!", "deep": [[["x"] * 30] * 30] * 30}}
    found = apply_overlays(wide, [overlay({"target": target, "update": {}})])
    assert [one.code for one in found.problems] in (["AC715"], ["AC716"])


# --- the compiler --------------------------------------------------------------------------------------


def lines(file: SourceFile, fixes: list[SourceFile], wanted: str) -> list[tuple[str, int, str]]:
    found = compile_operations(file, [wanted], None, fixes)
    problems = [*found.problems, *found.overlay_problems, *found.operation_problems.get(wanted, ())]
    by_name = {one.path: one for one in (file, *fixes)}
    spans = [(problem_span(by_name[one.file or file.path], one), one) for one in problems]
    return [(span.file, span.line, one.code) for span, one in spans]


def test_a_defect_is_corrected_and_a_new_one_is_shown_in_the_overlay() -> None:
    broken = copy.deepcopy(DOCUMENT)
    broken["paths"]["/cats"]["get"]["parameters"][1]["schema"] = {"$ref": "#/gone"}
    file = SourceFile("zoo.json", json.dumps(broken, indent=1).encode())
    assert [code for _, _, code in lines(file, [], "cats")] == ["AC704"]
    drop = overlay({"target": "$.paths.*.get.parameters[?@.name=='dummy']", "remove": True}, name="drop.yaml")
    assert lines(file, [drop], "cats") == []
    new = {"name": "n", "in": "query", "schema": {"$ref": "#/nowhere"}}
    add = overlay({"target": "$.paths['/cats'].get.parameters", "update": new}, name="add.yaml")
    line = add.text.splitlines().index("      $ref: '#/nowhere'") + 1
    assert lines(file, [drop, add], "cats") == [("add.yaml", line, "AC704")]


def test_places_in_the_document_are_right_after_items_were_removed() -> None:
    broken = copy.deepcopy(DOCUMENT)
    broken["paths"]["/cats"]["get"]["parameters"][1]["schema"] = {"$ref": "#/gone"}
    file = SourceFile("zoo.json", json.dumps(broken, indent=1).encode())
    drop = overlay({"target": "$.paths['/cats'].get.parameters[0]", "remove": True})
    assert lines(file, [drop], "cats") == lines(file, [], "cats")


def test_the_cache_knows_documents_by_their_overlays(tmp_path: Path) -> None:
    file = SourceFile("zoo.json", json.dumps(DOCUMENT).encode())
    fix = overlay({"target": "$.paths['/cats'].get", "update": {"summary": "All cats"}})
    plain = compile_operations(file, ["cats"], tmp_path)
    fixed = compile_operations(file, ["cats"], tmp_path, [fix])
    assert plain != fixed
    assert compile_operations(file, ["cats"], tmp_path) == plain
    assert (
        compile_operations(file, ["cats"], tmp_path, [fix])
        == fixed
        == compile_operations(file, ["cats"], None, [fix])
    )
    assert "All cats" in str(fixed.operations["cats"])
