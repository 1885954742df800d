"""Credentials from the specs to the bundle: which are sent with which call, and what is said if one lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentc.checks.base import OPENAPI, example_files
from agentc.driver import Result, check_project
from agentc.pipeline import bundle_files
from agentc.privileges import privileges_as_data, privileges_as_text
from agentc_runtime.environments import Auth, ClientCertificate
from agentc_runtime.verify import Bundle, load_bundle

SCHEMES = """\
    token: { type: http, scheme: bearer }
    app: { type: apiKey, in: header, name: X-App }
    query: { type: apiKey, in: query, name: key }
    tls: { type: mutualTLS }
"""
ONE = "{ scheme: token, secret: desk_token }"
CLIENT = "token_url: https://id.example.com, client_secret: desk_token"
TWO = "[{ scheme: token, secret: desk_token }, { scheme: app, secret: app_key }]"


def project(
    root: Path, read: str, *lines: str, pay: str = "{ token: [] }", document: str = OPENAPI
) -> Result:
    """The base project with other `security` of its two operations and `lines` in its toolset."""
    before, _, rest = document.partition("{ bearerAuth: [] }")
    openapi = before + read + rest.replace("{ bearerAuth: [] }", pay) + SCHEMES
    said = "\n  ".join(("server: ${env.DESK_URL}", *lines))
    base = example_files("")
    secrets = "desk_token: { env: DESK_TOKEN }\n        app_key: { env: APP_KEY }"
    example = f"""\
# file: agentc.yaml
{base["agentc.yaml"].replace("desk_token: { env: DESK_TOKEN }", secrets)}
# file: openapi.yaml
{openapi}
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: {{ name: desk, version: 1.0.0, owner: support }}
spec:
  openapi: {{ file: openapi.yaml, sha256: "{{sha256:openapi.yaml}}" }}
  {said}
  tools:
    get_ticket: {{ operation: getTicket, effect: read }}
    refund: {{ operation: createRefund, effect: send }}
"""
    for name, text in example_files(example).items():
        (root / name).write_text(text)
    return check_project(root)


def built(result: Result) -> Bundle:
    assert [finding for finding in result.diagnostics if finding.level == "error"] == []
    (agent,) = result.program.agents.values()
    return load_bundle(bundle_files(result, agent))


def sent(bundle: Bundle, tool: str) -> list[tuple[str, str]]:
    return [(auth.kind, auth.secret) for auth in bundle.program.tools[f"desk.{tool}"].request.auth]


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("{ token: [] }", [("bearer", "desk_token")]),
        ("{ app: [] }", [("header", "app_key")]),
        ("{ token: [], app: [] }", [("bearer", "desk_token"), ("header", "app_key")]),
        ("{ app: [], token: [] }, { query: [] }", [("header", "app_key"), ("bearer", "desk_token")]),
        ("{ app: [], token: [] }, { app: [] }", [("header", "app_key")]),
        ("{}, { app: [] }", [("header", "app_key")]),
        ("{ query: [] }, {}", []),
    ],
)
def test_each_call_sends_what_its_operation_asks_for(tmp_path: Path, read: str, expected: Any) -> None:
    bundle = built(project(tmp_path, read, f"auth: {TWO}"))
    assert sent(bundle, "get_ticket") == expected
    assert sent(bundle, "refund") == [("bearer", "desk_token")]
    # a secret that no call needs is not in the bundle
    used = {"openai_api_key", "desk_token", *(secret for _, secret in expected)}
    assert bundle.program.environments["local"].secrets.keys() == used


def test_an_operation_that_asks_for_nothing_is_sent_nothing(tmp_path: Path) -> None:
    document = OPENAPI.replace("paths:", "security: [{ app: [], token: [] }]\npaths:", 1)
    document = document.replace("security: [{ bearerAuth: [] }]", "security: []", 1)
    bundle = built(project(tmp_path, "", f"auth: {TWO}", document=document))
    assert sent(bundle, "get_ticket") == []


def test_one_credential_is_written_as_before(tmp_path: Path) -> None:
    one = built(project(tmp_path, "{ token: [] }", f"auth: {ONE}"))
    several = built(project(tmp_path, "{ token: [] }", f"auth: [{ONE}]"))
    assert one.program == several.program


@pytest.mark.parametrize(
    ("read", "auth", "line", "words"),
    [
        (
            "{ token: [], app: [] }",
            f"auth: {ONE}",
            9,
            "asks for `token` with `app`, and the toolset has `token`",
        ),
        ("{ token: [], app: [] }, { query: [] }", f"auth: {ONE}", 9, "add `auth:` with scheme `app`"),
        ("{ query: [] }", f"auth: {TWO}", 9, "and the toolset has `token` and `app`"),
        ("{ token: [], tls: [] }", f"auth: {ONE}", 9, "add `client_certificate:`"),
        (
            "{ tls: [], app: [] }",
            f"auth: {ONE}",
            9,
            "scheme `app` and the secret that holds it and `client_cer",
        ),
        ("{ app: [] }", f"auth: [{ONE}, {ONE}]", 7, "`token` stands twice"),
        ("{ app: [] }", f"auth: [{ONE}, {{ scheme: ap, secret: app_key }}]", 7, "did you mean `app`?"),
        ("{ app: [] }", f"auth: [{ONE}, {{ scheme: tls, secret: app_key }}]", 7, "add `client_certificate:`"),
    ],
)
def test_what_lacks_is_said_with_both_places(
    tmp_path: Path, read: str, auth: str, line: int, words: str
) -> None:
    result = project(tmp_path, read, auth)
    (finding,) = [finding for finding in result.diagnostics if finding.level == "error"]
    assert finding.code == "AC706"
    assert (finding.span.file, finding.span.line) == ("toolset.yaml", line)
    assert words in finding.message + (finding.help or "")
    if line == 9:
        places = [note.span and (note.span.file, note.span.line) for note in finding.notes]
        assert places == [("openapi.yaml", 8), ("toolset.yaml", 7)]


def test_operations_that_ask_for_the_same_are_one_finding(tmp_path: Path) -> None:
    result = project(tmp_path, "{ app: [] }", f"auth: {ONE}", pay="{ app: [] }")
    (finding,) = [finding for finding in result.diagnostics if finding.code == "AC706"]
    assert "so does `createRefund`" in [note.message for note in finding.notes]


@pytest.mark.parametrize(
    ("auth", "code", "words"),
    [
        ("{ scheme: token }", "AC728", "has no secret"),
        ("{ scheme: token, client_credentials: { token_url: https://a.example } }", "AC728", "has no secret"),
        (
            "{ scheme: token, client_credentials: { token_url: https://a.example, client_id: app_key } }",
            "AC728",
            "has `client_id` alone",
        ),
        (
            f"{ONE[:-2]}, client_credentials: {{ {CLIENT}, client_id: app_key }} }}",
            "AC728",
            "has `secret` and `client_id` and `client_secret`",
        ),
        (
            f"{{ scheme: token, client_credentials: {{ {CLIENT}, client_id: app_kye }} }}",
            "AC208",
            "did you mean `app_key`?",
        ),
        ("[]", "AC113", "auth"),
        ("[token]", "AC113", ""),
        ("token", "AC113", ""),
        ("[{ scheme: token, secrt: desk_token }]", "AC111", "did you mean `secret`?"),
        ("[{ secret: desk_token }]", "AC112", "scheme"),
    ],
)
def test_credentials_that_are_not_whole(tmp_path: Path, auth: str, code: str, words: str) -> None:
    result = project(tmp_path, "{ token: [] }", f"auth: {auth}")
    (finding,) = [finding for finding in result.diagnostics if finding.level == "error"]
    assert (finding.code, finding.span.file, finding.span.line) == (code, "toolset.yaml", 7)
    assert words in finding.message + (finding.help or "")


def test_a_project_that_ignores_the_finding_sends_nothing(tmp_path: Path) -> None:
    project(tmp_path, "{ token: [] }", "auth: { scheme: token }")
    spec = tmp_path / "agentc.yaml"
    spec.write_text(spec.read_text() + "  rules: { AC728: ignore, AC706: ignore }\n")
    assert sent(built(check_project(tmp_path)), "get_ticket") == []


@pytest.mark.parametrize("client", ["secret: desk_token,", ""])
def test_the_secret_of_a_client_without_a_token_endpoint_is_not_sent_as_a_token(
    tmp_path: Path, client: str
) -> None:
    two = "" if client else "client_id: app_key, client_secret: desk_token"
    auth = f"{{ scheme: token, {client} client_credentials: {{ {two} }} }}"
    (finding,) = project(tmp_path, "{ token: [] }", f"auth: {auth}").diagnostics
    assert finding.code == "AC706"
    spec = tmp_path / "agentc.yaml"
    spec.write_text(spec.read_text() + "  rules: { AC706: ignore }\n")
    assert sent(built(check_project(tmp_path)), "get_ticket") == []


def test_client_id_and_client_secret_may_be_two_secrets(tmp_path: Path) -> None:
    auth = f"{{ scheme: token, client_credentials: {{ {CLIENT}, client_id: app_key }} }}"
    bundle = built(project(tmp_path, "{ token: [] }", f"auth: {auth}"))
    (made,) = bundle.program.tools["desk.get_ticket"].request.auth
    assert isinstance(made, Auth)
    assert made.token is not None
    assert (made.secret, made.token.client_id) == ("desk_token", "app_key")
    assert bundle.program.environments["local"].secrets.keys() >= {"desk_token", "app_key"}
    assert privileges_as_data(bundle)["access_tokens"] == [
        {
            "secret": "desk_token",
            "client_id": "app_key",
            "at": "https://id.example.com",
            "scopes": [],
            "extra_scopes": [],
        }
    ]


def test_a_client_certificate_is_of_every_tool_and_inspect_says_so(tmp_path: Path) -> None:
    certificate = "client_certificate: { certificate: app_key, key: desk_token }"
    bundle = built(project(tmp_path, "{ tls: [], token: [] }", f"auth: {ONE}", certificate))
    made = ClientCertificate(certificate="app_key", key="desk_token")
    assert {tool.request.certificate for tool in bundle.program.tools.values()} == {made}
    assert sent(bundle, "get_ticket") == [("bearer", "desk_token")]
    assert "      shows the client certificate app_key\n" in privileges_as_text(bundle)
    tools: Any = privileges_as_data(bundle)["tools"]
    assert [tool["client_certificate"] for tool in tools] == ["app_key", "app_key"]


def test_inspect_names_the_credentials_of_a_call_that_sends_several(tmp_path: Path) -> None:
    bundle = built(project(tmp_path, "{ token: [], app: [] }", f"auth: {TWO}"))
    text = privileges_as_text(bundle)
    assert text.count("      sends the credentials desk_token and app_key\n") == 1
    tools: Any = privileges_as_data(bundle)["tools"]
    assert [tool["credentials"] for tool in tools] == [["desk_token", "app_key"], ["desk_token"]]


def test_the_place_in_the_document_is_the_file_that_says_it(tmp_path: Path, agentc: Any) -> None:
    """One of several files, or an overlay."""
    project(tmp_path, "{ token: [] }", f"auth: {ONE}")
    document = (tmp_path / "openapi.yaml").read_text()
    start, end = document.index("    get:\n"), document.index("  /refunds:")
    operation = "\n".join(line[6:] for line in document[start:end].splitlines()[1:])
    vendor = tmp_path.parent / "vendor"
    (vendor / "operations").mkdir(parents=True)
    (vendor / "operations/get.yaml").write_text(operation.replace("{ token: [] }", "{ app: [] }") + "\n")
    whole = f"{document[:start]}    get: {{ $ref: operations/get.yaml }}\n{document[end:]}"
    (vendor / "api.yaml").write_text(whole)
    toolset = tmp_path / "toolset.yaml"
    toolset.write_text(toolset.read_text().replace("file: openapi.yaml", "file: parts/api.yaml"))
    done = agentc("import", "openapi", vendor / "api.yaml", "--project", tmp_path, "--toolset", "desk")
    assert done.code == 0, done.text
    (finding,) = [one for one in check_project(tmp_path).diagnostics if one.code == "AC706"]
    places = [note.span and note.span.file for note in finding.notes]
    assert places == ["parts/operations/get.yaml", "toolset.yaml"]

    (tmp_path / "fix.yaml").write_text(
        "overlay: 1.0.0\ninfo: { title: fix, version: 1.0.0 }\nactions:\n"
        "  - target: $.paths['/refunds'].post.security\n    remove: true\n"
        "  - target: $.paths['/refunds'].post\n    update: { security: [{ query: [] }] }\n"
    )
    text = toolset.read_text().replace("openapi: {", "openapi: { overlays: [fix.yaml],")
    toolset.write_text(text)
    found = [one for one in check_project(tmp_path).diagnostics if one.code == "AC706"]
    found_at = {(note.span.file, note.span.line) for one in found for note in one.notes[:1] if note.span}
    assert found_at == {("parts/operations/get.yaml", 3), ("fix.yaml", 7)}
