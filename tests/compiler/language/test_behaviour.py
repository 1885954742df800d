"""Pagination and cache in a Toolset: what is found, what the model is shown, and what the bundle holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agentc.checks.base import BASE, example_files
from agentc.checks.registry import RULES
from agentc.driver import Result, check_project
from agentc.pipeline import bundle_files
from agentc.privileges import privileges_as_data, privileges_as_text
from agentc.tool_size import bound_for, definition_tokens
from agentc_runtime.behaviour import Cache, Pagination
from agentc_runtime.verify import Bundle, load_bundle

DOCUMENT = BASE["openapi.yaml"].replace(
    "schema: { type: string } }\n      responses:",
    """schema: { type: string } }
        - { name: after, in: query, required: true, schema: { type: string } }
        - { name: limit, in: query, schema: { type: integer } }
      responses:""",
    1,
)
ANSWER = """\
                properties:
                  id: { type: string }
                  next: { type: string }
                  notes: { type: array, items: { type: string } }
                required: [id]
"""
START = DOCUMENT.index(
    "                properties:\n                  id: { type: string }\n                  subject"
)
END = DOCUMENT.index("  /refunds")
DOCUMENT = DOCUMENT[:START] + ANSWER + DOCUMENT[END:]
CURSOR = "{ style: cursor, argument: after, items: notes, next: next, size: { argument: limit, value: 50 } }"


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., Result]:
    def check(behaviour: str, permissions: str = BASE["permissions.yaml"]) -> Result:
        toolset = BASE["toolset.yaml"].replace("effect: read }", f"effect: read, {behaviour} }}")
        example = f"# file: openapi.yaml\n{DOCUMENT}# file: toolset.yaml\n{toolset}"
        for name, text in {**example_files(example), "permissions.yaml": permissions}.items():
            (tmp_path / name).write_text(text)
        return check_project(tmp_path)

    return check


def built(result: Result) -> Bundle:
    return load_bundle(bundle_files(result, result.program.agents["triage"]))


def said(result: Result) -> list[str]:
    return [f"{finding.code} {finding.message}" for finding in result.diagnostics]


def test_the_model_is_not_shown_the_page(checked: Callable[..., Result]) -> None:
    result = checked(f"pagination: {CURSOR}, cache: {{ ttl: 60s }}")
    assert said(result) == []
    bundle = built(result)
    tool = bundle.program.tools["desk.get_ticket"]
    assert tool.pagination == Pagination(
        style="cursor", argument="after", items="notes", next="next", size_argument="limit", size=50
    )
    assert tool.cache == Cache(ttl_ms=60_000)
    for schema in (tool.arguments, bundle.program.grants["desk.get_ticket"].schema):
        assert list(schema["properties"]) == ["ticket_id"]
        assert schema["required"] == ["ticket_id"]
    assert bundle.source_map["tool:desk.get_ticket/pagination"].file == "toolset.yaml"
    text = privileges_as_text(bundle)
    assert "reads up to 10 pages and gives up to 1,000 items a call" in text
    assert "gives the same answer to the same request for 1m, inside a run" in text


@pytest.mark.parametrize(
    ("pagination", "found"),
    [
        (
            "{ style: cursor, argument: aftre, items: notes, next: next }",
            "`getTicket` has no argument `aftre`",
        ),
        ("{ style: cursor, argument: ticket_id, items: notes, next: next }", "stands in the path"),
        ("{ style: cursor, argument: after, items: note, next: next }", "has no array at `note`"),
        ("{ style: cursor, argument: after, items: id, next: next }", "has no array at `id`"),
        ("{ style: cursor, argument: after, items: notes, next: nxt }", "has no `nxt`"),
        ("{ style: offset, argument: after }", "has fields, and is no array"),
        (
            "{ style: offset, argument: after, items: notes, size: { argument: x, value: 1 } }",
            "no argument `x`",
        ),
    ],
)
def test_wrong_names_are_found(pagination: str, found: str, checked: Callable[..., Result]) -> None:
    (one,) = said(checked(f"pagination: {pagination}"))
    assert one.startswith("AC216 ")
    assert found in one


@pytest.mark.parametrize("limit", ["where: { after: { const: x } }", 'bind: { after: "x" }'])
def test_nobody_limits_or_binds_a_page(limit: str, checked: Callable[..., Result]) -> None:
    permissions = BASE["permissions.yaml"].replace("desk.get_ticket\n", f"desk.get_ticket\n      {limit}\n")
    codes = {finding.code for finding in checked(f"pagination: {CURSOR}", permissions).diagnostics}
    assert codes == {"AC403" if "where" in limit else "AC405"}


def test_a_style_without_what_it_needs_is_refused(checked: Callable[..., Result]) -> None:
    assert [line[:5] for line in said(checked("pagination: { style: cursor, argument: after }"))] == ["AC112"]
    assert "AC113" in {
        f.code for f in checked("pagination: { style: link_header, max_pages: 1001 }").diagnostics
    }


def test_a_cache_of_an_effect_is_found(tmp_path: Path) -> None:
    toolset = BASE["toolset.yaml"].replace("effect: send }", "effect: send, cache: { ttl: 60s } }")
    for name, text in {**BASE, "toolset.yaml": toolset}.items():
        (tmp_path / name).write_text(text)
    assert said(check_project(tmp_path)) == [
        "AC416 `desk.refund` has the effect `send`, and `cache` is for `read`"
    ]


def test_sizes_are_bytes_by_four() -> None:
    assert definition_tokens("a", "b", {}) == -(-len('{"name":"a","description":"b","parameters":{}}') // 4)
    assert definition_tokens("a", "é" * 400, {}) - definition_tokens("a", "", {}) == 200
    assert bound_for(None) == 20_000
    assert bound_for(200_000) == 50_000


def test_inspect_adds_up_what_each_state_shows_its_model(checked: Callable[..., Result]) -> None:
    data = privileges_as_data(built(checked("cache: { ttl: 1s }")))
    sizes = [tool["tokens"] for tool in data["tools"]]
    assert min(sizes) > 10
    assert data["tokens"] == {"main": sum(sizes)}


def test_the_rule_names_the_largest_tool(tmp_path: Path) -> None:
    for name, text in example_files(RULES["AC811"].bad).items():
        (tmp_path / name).write_text(text)
    (finding,) = check_project(tmp_path).diagnostics
    assert "and 50 are for model `fast`" in finding.message
    assert "`desk.refund`" in (finding.help or "")
