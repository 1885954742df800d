"""`agentc import openapi --check`: what a newer document would change, and that nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentc.checks.base import OPENAPI, TOOLSET, sha256_of

PERMISSIONS = """\
apiVersion: agentc/v1
kind: PermissionSet
metadata: { name: triage, version: 1.0.0, owner: support }
spec:
  grants:
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
      approval: { when: { amount: { exclusiveMinimum: 20 } }, by: [leads], expires: 1h }
"""
AMOUNT = "amount: { type: number }"
ID = "ticket_id: { type: string }"
BODY_OF_VENDOR = "required: true\n        content:\n          application/vnd.desk+json:"


@pytest.fixture
def newer(project: Path, folder: Path) -> Path:
    """The project with its document pinned, and a newer one beside it; at first it is the same."""
    (project / "permissions.yaml").write_text(PERMISSIONS)
    (folder / "newer.yaml").write_text(OPENAPI)
    return folder / "newer.yaml"


@pytest.fixture
def check(agentc, project: Path, newer: Path):
    """`check((old, new), …)`: compare with the document in which each `old` is `new`. Nothing is written."""

    def run(*edits: tuple[str, str], arguments: tuple[str, ...] = ()) -> Any:
        text = OPENAPI
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        newer.write_text(text)
        before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
        done = agentc(
            "import", "openapi", newer, "--check", "--project", project, "--toolset", "desk", *arguments
        )
        assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
        return done

    return run


def as_json(check, *edits: tuple[str, str]) -> Any:
    done = check(*edits, arguments=("--format", "json"))
    report = json.loads(done.out)
    assert (done.code, done.err) == (1 if report["drift"] else 0, "")
    return report


def test_the_same_document_is_no_drift(check):
    done = check()
    assert (done.code, done.err) == (0, "")
    assert done.out == "Desk 1.0.0: the same document, byte for byte\nno tool is touched\n"


def test_a_change_elsewhere_is_one_line(check, folder):
    other = "paths:\n  /other: { get: { operationId: other, responses: {} } }\n"
    done = check(("paths:\n", other), ("version: 1.0.0", "version: 1.1.0"))
    assert done.code == 0
    assert done.out == (
        f"Desk 1.0.0 → 1.1.0: {folder}/newer.yaml\nno tool is touched; 1 operation that no tool uses is new\n"
    )


READ, PAY = "summary: Read a ticket\n", "summary: Pay money back\n"


@pytest.mark.parametrize(
    "edits",
    [
        [("openapi: 3.1.0", "openapi: 3.0.3")],
        [(READ, f"{READ}      tags: [x]\n      externalDocs: {{ url: https://x.example }}\n")],
        [('        "201":', '        "404": { description: gone }\n        "201":')],
        [
            ("{ type: number }", "{ $ref: '#/components/schemas/A' }"),
            ("components:\n", "components:\n  schemas: { A: { type: number } }\n"),
        ],
    ],
)
def test_the_same_meaning_in_other_words_is_no_drift(check, edits):
    assert check(*edits).code == 0


def test_what_changes_for_a_tool_is_told_with_what_it_touches(check, snapshot, folder):
    done = check(
        (AMOUNT, "amount: { type: number, maximum: 500 }\n                reason: { type: string }"),
        ("required: [ticket_id, amount]", "required: [ticket_id, amount, reason]"),
        ("summary: Pay money back", "summary: Pay any money back"),
        ("subject: { type: string }", "title: { type: string }"),
        ("required: [id, subject]", "required: [id]"),
        ("version: 1.0.0", "version: 2.0.0"),
    )
    assert (done.code, done.err) == (1, "")
    assert done.out.replace(str(folder), "") == snapshot


@pytest.mark.parametrize(
    ("edit_", "part", "what", "flags"),
    [
        ((AMOUNT, "amount: { type: integer }"), "argument", "is integer, was number", "shown"),
        (
            (f"{PAY}      security: [{{ bearerAuth: [] }}]", f"{PAY}      security: [{{ bearerAuth: [w] }}]"),
            "security",
            "asks for bearerAuth (bearer) with w, was bearerAuth (bearer)",
            "sent",
        ),
        (
            ("properties: { id: { type: string } }", "properties: { id: { type: integer } }"),
            "answer",
            "is integer, was string",
            "answered",
        ),
        ((PAY, f"deprecated: true\n      {PAY}"), "operation", "is deprecated", ""),
        (
            ("required: true\n        content:\n          application/json:", BODY_OF_VENDOR),
            "request",
            "has its body as `application/vnd.desk+json`, was `application/json`",
            "sent",
        ),
        (("/refunds:", "/v2/refunds:"), "operation", "is `POST /v2/refunds`, was `POST /refunds`", "sent"),
    ],
)
def test_each_kind_of_change_says_what_it_changes(check, edit_, part, what, flags):
    report = as_json(check, edit_)
    [tool] = report["tools"]
    assert (tool["tool"], tool["status"], report["same"]) == ("desk.refund", "changed", 1)
    assert (part, what) in [(change["part"], change["what"]) for change in tool["changes"]]
    assert [flag for flag in ("shown", "sent", "answered") if tool[flag]] == flags.split()


def test_grants_that_name_a_changed_argument_are_named(check):
    [tool] = as_json(check, (AMOUNT, "amount: { type: integer }"))["tools"]
    assert [(Path(one["file"]).name, one["line"], one["what"]) for one in tool["touches"]] == [
        ("permissions.yaml", 8, "where.amount"),
        ("permissions.yaml", 10, "approval.when.amount"),
    ]
    [tool] = as_json(check, (ID, "ticket_id: { type: string, maxLength: 9 }"))["tools"]
    assert [one["what"] for one in tool["touches"]] == ["bind.ticket_id"]
    [tool] = as_json(check, (AMOUNT, "amount: { type: number, description: How much. }"))["tools"]
    assert (tool["touches"], tool["shown"]) == ([], True)


def test_a_bound_argument_that_changes_is_not_shown(check):
    [tool] = as_json(check, (ID, "ticket_id: { type: string, maxLength: 9 }"))["tools"]
    assert (tool["shown"], tool["sent"]) == (False, False)


def test_fields_that_are_kept_of_an_answer_are_named(check, project, edit):
    edit(
        project / "toolset.yaml",
        "operation: getTicket, effect: read",
        "operation: getTicket, effect: read, output: { fields: [id, subject] }",
    )
    [tool] = as_json(check, ("subject: { type: string }", "title: { type: string }"))["tools"]
    assert [one["what"] for one in tool["touches"]] == ["output.fields: subject"]


@pytest.mark.parametrize(
    ("edits", "status", "what", "code"),
    [
        ([("createRefund", "payBack")], "renamed", "is called `payBack` now", "AC211"),
        ([("post:", "x-post:")], "removed", "is gone", "AC211"),
        ([(AMOUNT, "amount: 7")], "unusable", "a schema has to be an object", "AC705"),
        ([("createRefund", "getTicket")], "renamed", "is called `getTicket` now", "AC211"),
    ],
)
def test_a_lost_operation_is_told_with_what_validate_will_say(check, edits, status, what, code):
    report = as_json(check, *edits)
    tool = next(one for one in report["tools"] if one["tool"] == "desk.refund")
    assert (tool["status"], tool["changes"][0]["what"]) == (status, what)
    assert [(Path(one["file"]).name, one["what"]) for one in tool["touches"]] == [
        ("permissions.yaml", "tool")
    ]
    assert code in {finding["code"] for finding in report["findings"]}


def test_what_would_break_is_what_validate_then_finds(agentc, check, project, newer):
    """The findings that are foretold are those that are there once the document was imported."""
    report = as_json(check, (AMOUNT, "sum: { type: number }"), ("[ticket_id, amount]", "[ticket_id, sum]"))
    foretold = {(one["code"], one["message"], one["file"], one["line"]) for one in report["findings"]}
    assert {code for code, *_ in foretold} >= {"AC403"}
    assert agentc("import", "openapi", newer, "--project", project, "--toolset", "desk").code == 0
    then = json.loads(agentc("validate", project, "--format", "json").out)
    assert {(one["code"], one["message"], one["file"], one["line"]) for one in then} == foretold


def test_an_overlay_that_no_longer_fits_is_a_drift(check, project, edit):
    (project / "fix.yaml").write_text(
        "overlay: 1.0.0\ninfo: { title: x, version: 1.0.0 }\n"
        "actions: [{ target: \"$.paths['/refunds'].post\", update: { summary: Refund } }]\n"
    )
    edit(project / "toolset.yaml", "openapi: {", "openapi: { overlays: [fix.yaml],")
    report = as_json(check, ("summary: Pay money back", "summary: Other"))
    assert report["drift"] is False  # the overlay says what counts
    report = as_json(check, ("/refunds:", "/v2/refunds:"))
    assert "AC716" in {finding["code"] for finding in report["findings"]}


def test_every_toolset_of_the_document_is_compared(check, project):
    (project / "second.yaml").write_text(
        (TOOLSET % sha256_of(OPENAPI))
        .replace("name: desk,", "name: again,")
        .replace("openapi.yaml", "./openapi.yaml")
    )
    report = as_json(check, (AMOUNT, "amount: { type: integer }"))
    assert [tool["tool"] for tool in report["tools"]] == ["desk.refund", "again.refund"]
    assert report["findings"] == []


def test_a_document_of_several_files_is_compared_as_a_whole(agentc, project, folder, newer):
    (folder / "amount.yaml").write_text("type: number\n")
    newer.write_text(OPENAPI.replace(AMOUNT, "amount: { $ref: amount.yaml }"))
    arguments = ("import", "openapi", newer, "--project", project, "--toolset", "desk")
    assert agentc(*arguments, "--check").code == 0
    assert agentc(*arguments).code == 0
    (folder / "amount.yaml").write_text("type: integer\n")
    done = agentc(*arguments, "--check")
    assert done.code == 1
    assert "argument `amount` is integer, was number" in done.out
    assert (project / "amount.yaml").read_text() == "type: number\n"


def test_the_remembered_source_is_compared_with(agentc, project, folder, newer):
    (folder / ".git").mkdir()
    arguments = ("import", "openapi", "--project", project, "--toolset", "desk")
    assert agentc(*arguments, newer).code == 0
    newer.write_text(OPENAPI.replace(AMOUNT, "amount: { type: integer }"))
    done = agentc(*arguments, "--check")
    assert done.code == 1
    assert "argument `amount` is integer, was number" in done.out


def test_text_of_the_document_does_not_act_on_the_terminal(check):
    done = check(
        ("title: Desk", 'title: "\\e[31mDesk"'),
        ("summary: Pay money back", 'summary: "Pay \\e]0;x\\a \\u202eback"'),
    )
    assert done.code == 1
    assert not set(done.out) & set("\x1b\x07\u202e")
    assert "\\x1b[31mDesk" in done.out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("<html>", "not an OpenAPI document"),
        ("openapi: 9.9.9\n", "`9.9.9` is not supported"),
    ],
)
def test_a_document_that_can_not_be_read_is_exit_code_2(agentc, project, newer, text, told):
    newer.write_text(text)
    done = agentc("import", "openapi", newer, "--check", "--project", project, "--toolset", "desk")
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_without_a_pinned_document_there_is_nothing_to_compare(agentc, project, newer, edit):
    arguments = ("import", "openapi", newer, "--check", "--project", project, "--toolset", "desk")
    (project / "openapi.yaml").write_text(OPENAPI + "# by hand\n")
    done = agentc(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "`openapi.yaml` is not the document that toolset `desk` pins; read what changed" in done.err
    (project / "openapi.yaml").unlink()
    assert "`openapi.yaml` is not there to compare with" in agentc(*arguments).err
    edit(project / "toolset.yaml", "effect: read", "efect: read")
    assert "toolset `desk` can't be read; `agentc validate` says why" in agentc(*arguments).err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["newer.yaml", "--check"], "--check needs --toolset"),
        (["newer.yaml", "--toolset", "desk", "--format", "json"], "--format goes with --check"),
        (["--check", "--toolset", "desk"], "nothing says where `openapi.yaml` came from"),
        (["newer.yaml", "--check", "--toolset", "dsek"], "did you mean `desk`?"),
    ],
)
def test_mistakes(agentc, project, newer, arguments, told):
    done = agentc("import", "openapi", *arguments, "--project", project)
    assert (done.code, done.out) == (2, "")
    assert told in done.err
