"""OAuth2 client credentials from the specs to the bundle: scopes, token URLs, findings, `inspect`."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentc.checks.base import OPENAPI, example_files
from agentc.driver import Result, check_project
from agentc.pipeline import bundle_files
from agentc.privileges import privileges_as_data, privileges_as_text
from agentc_runtime.environments import Endpoint, TokenSource
from agentc_runtime.verify import Bundle, load_bundle

SCHEMES = """\
    oauth:
      type: oauth2
      flows:
        clientCredentials:
          tokenUrl: https://id.example.com/token/
          scopes: { "tickets:read": read, "refunds:write": pay, admin: everything }
    relative: { type: oauth2, flows: { clientCredentials: { tokenUrl: /token, scopes: {} } } }
    person: { type: oauth2, flows: { implicit: { authorizationUrl: "https://id.example.com" } } }
    plain: { type: oauth2, flows: { clientCredentials: { tokenUrl: "http://id.example.com/t", scopes: {} } } }
    key: { type: apiKey, in: header, name: X-Key }
    oidc: { type: openIdConnect, openIdConnectUrl: "https://id.example.com/.well-known/x" }
"""
READ = '{ oauth: ["tickets:read"] }'
PAY = '{ oauth: [admin, "refunds:write"] }, { oauth: ["refunds:write"] }'
GRANTS = """\
    - tool: desk.get_ticket
    - tool: desk.refund
      where: { amount: { maximum: 50 } }
      bind: { ticket_id: "${input.ticket_id}" }
"""


def project(root: Path, auth: str, read: str = READ, pay: str = PAY, grants: str = GRANTS) -> Result:
    """The base project with `auth` in its toolset and other `security` of its two operations."""
    before, _, rest = OPENAPI.partition("{ bearerAuth: [] }")
    openapi = before + read + rest.replace("{ bearerAuth: [] }", pay) + SCHEMES
    example = f"""\
# file: openapi.yaml
{openapi}
# file: toolset.yaml
apiVersion: agentc/v1
kind: Toolset
metadata: {{ name: desk, version: 1.0.0, owner: support }}
spec:
  openapi: {{ file: openapi.yaml, sha256: "{{sha256:openapi.yaml}}" }}
  server: ${{env.DESK_URL}}
  auth: {auth}
  tools:
    get_ticket: {{ operation: getTicket, effect: read }}
    refund: {{ operation: createRefund, effect: send }}
# file: permissions.yaml
apiVersion: agentc/v1
kind: PermissionSet
metadata: {{ name: triage, version: 1.0.0, owner: support }}
spec:
  grants:
{grants}"""
    for name, text in example_files(example).items():
        (root / name).write_text(text)
    return check_project(root)


def built(result: Result) -> Bundle:
    assert [finding for finding in result.diagnostics if finding.level == "error"] == []
    assert result.program is not None
    (agent,) = result.program.agents.values()
    return load_bundle(bundle_files(result, agent))


def sources(bundle: Bundle) -> set[TokenSource | None]:
    return {auth.token for tool in bundle.program.tools.values() for auth in tool.request.auth}


def test_the_scopes_are_those_of_the_granted_operations_and_no_more(tmp_path: Path) -> None:
    auth = "{ scheme: oauth, secret: desk_token, client_credentials: {} }"
    endpoint = Endpoint(url="https://id.example.com/token/")
    both = TokenSource(endpoint=endpoint, scopes=("refunds:write", "tickets:read"))
    assert sources(built(project(tmp_path, auth))) == {both}
    reading = built(project(tmp_path, auth, grants=GRANTS.splitlines(keepends=True)[0]))
    assert sources(reading) == {TokenSource(endpoint=endpoint, scopes=("tickets:read",))}


def test_inspect_shows_scopes_and_the_token_endpoint(tmp_path: Path) -> None:
    auth = "{ scheme: oauth, secret: desk_token, client_credentials: { extra_scopes: [openid] } }"
    bundle = built(project(tmp_path, auth))
    text = privileges_as_text(bundle)
    assert (
        "Asks for access tokens:\n"
        "  with desk_token at https://id.example.com/token/\n"
        "      scopes: refunds:write, tickets:read\n"
        "      the service may add: openid\n"
    ) in text
    assert "  local (default): http" in text
    assert "https://id.example.com/token/" in text.partition("Reaches:")[2].partition("Shows data")[0]
    assert privileges_as_data(bundle)["access_tokens"] == [
        {
            "secret": "desk_token",
            "client_id": None,
            "at": "https://id.example.com/token/",
            "scopes": ["refunds:write", "tickets:read"],
            "extra_scopes": ["openid"],
        }
    ]


def test_a_secret_without_client_credentials_is_the_token_itself(tmp_path: Path) -> None:
    bundle = built(project(tmp_path, "{ scheme: oauth, secret: desk_token }"))
    assert sources(bundle) == {None}
    assert "access tokens" not in privileges_as_text(bundle)


def test_the_token_url_may_be_a_variable_and_is_in_each_environment(tmp_path: Path) -> None:
    auth = (
        "{ scheme: oidc, secret: desk_token, client_credentials: "
        '{ token_url: "${env.DESK_URL}", method: client_secret_post } }'
    )
    bundle = built(project(tmp_path, auth, "{ oidc: [a] }", "{ oidc: [b] }"))
    (source,) = sources(bundle)
    assert source == TokenSource(
        endpoint=Endpoint(variable="DESK_URL"), scopes=("a", "b"), method="client_secret_post"
    )


@pytest.mark.parametrize(
    ("scheme", "options", "code", "words"),
    [
        ("key", "", "AC706", "asks for no access token"),
        ("oidc", "", "AC706", "no absolute `tokenUrl`"),
        ("relative", "", "AC706", "no absolute `tokenUrl`"),
        ("person", "", "AC706", "no absolute `tokenUrl`"),
        ("plain", "", "AC803", "not encrypted"),
        ("oauth", 'token_url: "http://id.example.com/"', "AC803", "not encrypted"),
        ("oauth", 'token_url: "https://id.example.com/token?x=1"', "AC707", ""),
        ("oauth", 'token_url: "https://user@id.example.com/"', "AC707", ""),
        ("oauth", 'token_url: "file:///etc/passwd"', "AC707", ""),
        ("oauth", 'token_url: "${env.NOT_THERE}"', "AC207", "NOT_THERE"),
        ("oauth", 'token_url: "${secrets.desk_token}"', "AC212", ""),
        ("oauth", 'extra_scopes: ["a b"]', "AC113", ""),
        ("oauth", "method: private_key_jwt", "AC113", "known"),
        ("oauth", "scope: [admin]", "AC111", "scope"),
    ],
)
def test_findings(tmp_path: Path, scheme: str, options: str, code: str, words: str) -> None:
    auth = f"{{ scheme: {scheme}, secret: desk_token, client_credentials: {{ {options} }} }}"
    result = project(tmp_path, auth, f"{{ {scheme}: [] }}", f"{{ {scheme}: [] }}")
    findings = [finding for finding in result.diagnostics if finding.level == "error"]
    assert [finding.code for finding in findings] == [code], findings
    assert findings[0].span.file == "toolset.yaml"
    assert findings[0].span.line == 7
    assert words in findings[0].message + (findings[0].help or "")


@pytest.mark.parametrize("scope", ["a b", "a\\nb", "é", ""])
def test_a_scope_that_would_be_several(tmp_path: Path, scope: str) -> None:
    auth = "{ scheme: oauth, secret: desk_token, client_credentials: {} }"
    result = project(tmp_path, auth, read=f'{{ oauth: ["{scope}"] }}')
    assert [finding.code for finding in result.diagnostics] == ["AC706"]
