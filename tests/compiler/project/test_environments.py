"""Environments from the specs to the bundle: Vault, certificate authorities, and servers of single tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme

from agentc.checks.base import OPENAPI, PROJECT, TOOLSET, example_files, sha256_of
from agentc.driver import Result, check_project
from agentc.pipeline import BuildError, bundle_files
from agentc.privileges import privileges_as_data, privileges_as_text
from agentc_runtime.environments import Endpoint, Secret, Vault, VaultField
from agentc_runtime.verify import Bundle, load_bundle

VAULT = "vault: { address: https://vault.example.com:8200, token: vault_token, namespace: team/, ttl: 90s }"
IN_VAULT = "desk_token: { vault: { path: support/desk, field: token } }"
TOKEN = "vault_token: { file: /run/vault-token }"


def project(root: Path, *lines: str, desk: str = IN_VAULT, url: str = "http://127.0.0.1:8080") -> Result:
    """The base project with `desk` for its secret and `lines` in its environment."""
    secrets, spaces = f"{desk}\n        {TOKEN}", "\n      "
    text = PROJECT.replace("desk_token: { env: DESK_TOKEN }", secrets).replace("http://127.0.0.1:8080", url)
    text = text.replace("      private_hosts:", f"      {spaces.join(lines)}{spaces}private_hosts:")
    for name, content in {**example_files(""), "agentc.yaml": text}.items():
        (root / name).write_text(content)
    return check_project(root)


def errors(result: Result) -> list[Any]:
    return [finding for finding in result.diagnostics if finding.level == "error"]


def built(result: Result) -> Bundle:
    assert errors(result) == []
    (agent,) = result.program.agents.values()
    return load_bundle(bundle_files(result, agent))


# --- Vault ---------------------------------------------------------------------------------------------


def test_a_vault_and_its_token_are_in_the_bundle_and_inspect_shows_where_it_is(tmp_path: Path) -> None:
    bundle = built(project(tmp_path, VAULT))
    environment = bundle.program.environments["local"]
    assert environment.vault == Vault(
        address="https://vault.example.com:8200", token="vault_token", namespace="team", ttl_ms=90_000
    )
    assert environment.secrets["desk_token"] == Secret(vault=VaultField(path="support/desk", field="token"))
    assert environment.secrets["vault_token"] == Secret(file="/run/vault-token")
    text = privileges_as_text(bundle)
    reaches = text.partition("Reaches:")[2].partition("Shows data")[0]
    assert "https://vault.example.com:8200" in reaches
    assert "  local: desk_token from Vault at https://vault.example.com:8200\n" in text
    assert privileges_as_data(bundle)["vaults"] == {"local": "https://vault.example.com:8200"}
    line = bundle.source_map["environment:local/desk_token"].line
    assert IN_VAULT in (tmp_path / "agentc.yaml").read_text().splitlines()[line - 1]


def test_a_vault_that_the_agent_needs_nothing_of_is_not_in_its_bundle(tmp_path: Path) -> None:
    environment = built(project(tmp_path, VAULT, desk="desk_token: { env: DESK }")).program.environments[
        "local"
    ]
    assert environment.vault is None
    assert environment.secrets.keys() == {"openai_api_key", "desk_token"}


@pytest.mark.parametrize(
    ("lines", "desk", "code", "words"),
    [
        ((), IN_VAULT, "AC726", "environment `local` has no `vault`"),
        ((VAULT.replace("vault_token", "valt_token"),), IN_VAULT, "AC726", "did you mean `vault_token`?"),
        ((VAULT.replace("vault_token", "desk_token"),), IN_VAULT, "AC726", "have to be read with itself"),
        ((VAULT,), IN_VAULT.replace("path: support/desk, ", ""), "AC112", "path"),
        ((VAULT,), IN_VAULT.replace("support/desk", "../desk"), "AC113", ""),
        ((VAULT,), IN_VAULT.replace("support/desk", "/desk"), "AC113", ""),
        ((VAULT,), IN_VAULT.replace("support/desk", "a//b"), "AC113", ""),
        ((VAULT,), IN_VAULT.replace("field:", "mount: ., field:"), "AC113", ""),
        ((VAULT,), IN_VAULT.replace("field:", "kv_version: 3, field:"), "AC113", ""),
        ((VAULT,), IN_VAULT.replace("field:", "feild:"), "AC111", "did you mean `field`?"),
        ((VAULT,), IN_VAULT.replace("{ vault:", "{ env: A, vault:"), "AC806", "more than one source"),
        ((VAULT.replace("https:", "http:"),), IN_VAULT, "AC803", "is not encrypted"),
        ((VAULT.replace("https://vault", "https://user@vault"),), IN_VAULT, "AC707", ""),
        ((VAULT.replace("team/", "/"),), IN_VAULT, "AC113", ""),
        ((VAULT.replace("90s", "0s"),), IN_VAULT, "AC113", ""),
    ],
)
def test_what_is_wrong_with_a_vault(tmp_path: Path, lines: Any, desk: str, code: str, words: str) -> None:
    (finding, *more) = errors(project(tmp_path, *lines, desk=desk))
    assert (finding.code, finding.span.file, more) == (code, "agentc.yaml", [])
    assert words in finding.message + (finding.help or "")


# --- certificate authorities ---------------------------------------------------------------------------

DESK = "desk.internal:8443"
AUTHORITIES = f'certificate_authorities: {{ "{DESK}": ca/internal.pem }}'


def trusted(root: Path, text: str | bytes | None, line: str = AUTHORITIES) -> Result:
    (root / "ca").mkdir()
    if text is not None:
        (root / "ca/internal.pem").write_bytes(text.encode() if isinstance(text, str) else text)
    return project(root, line, desk="desk_token: { env: DESK }", url=f"https://{DESK}")


def test_the_authorities_of_a_private_service_are_in_the_bundle(tmp_path: Path) -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    bundle = built(trusted(tmp_path, f"# Unsere Zertifizierungsstelle für interne Dienste\n{pem}\n# Ende\n"))
    environment = bundle.program.environments["local"]
    assert environment.certificate_authorities == {DESK: pem}
    assert "ca/internal.pem" in [source.path for source in bundle.manifest.sources]
    text = privileges_as_text(bundle)
    assert f"      {DESK} is trusted by authorities of its own, sha256:" in text
    # another authority is another bundle
    other = built(trusted_again(tmp_path, trustme.CA().cert_pem.bytes()))
    assert other.digest != bundle.digest
    assert privileges_as_data(other) != privileges_as_data(bundle)


def trusted_again(root: Path, pem: bytes) -> Result:
    (root / "ca/internal.pem").write_bytes(pem)
    return check_project(root)


def test_several_authorities_may_stand_in_one_file(tmp_path: Path) -> None:
    both = "".join(trustme.CA().cert_pem.bytes().decode() for _ in range(2))
    environment = built(trusted(tmp_path, both)).program.environments["local"]
    assert environment.certificate_authorities[DESK].count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (None, AUTHORITIES, "is not there or can't be read"),
        ("", AUTHORITIES, "holds no certificate"),
        (b"\xff\xfe\x00", AUTHORITIES, "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", AUTHORITIES, "can't be read"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", AUTHORITIES, "can't be read"),
        ("KEY", AUTHORITIES, "holds a private key"),
        ("CA", AUTHORITIES.replace("ca/internal", "../outside"), "is not there or can't be read"),
        ("CA", AUTHORITIES.replace("desk.internal", "desk.intern"), "did you mean `desk.internal:8443`?"),
        ("CA", AUTHORITIES.replace(":8443", ":443"), "no server of environment `local` is at"),
    ],
)
def test_authorities_that_can_not_be_used(tmp_path: Path, text: Any, line: str, words: str) -> None:
    authority = trustme.CA()
    known = {"CA": authority.cert_pem.bytes(), "KEY": authority.private_key_pem.bytes()}
    (finding, *more) = errors(trusted(tmp_path, known.get(text, text) if text is not None else None, line))
    assert (finding.code, finding.span.file, more) == ("AC727", "agentc.yaml", [])
    assert words in finding.message + (finding.help or "")
    assert "PRIVATE" not in repr(finding)


def test_an_ignored_finding_about_authorities_trusts_nobody_more(tmp_path: Path) -> None:
    trusted(tmp_path, None)
    spec = tmp_path / "agentc.yaml"
    spec.write_text(spec.read_text() + "  rules: { AC727: ignore }\n")
    environment = built(check_project(tmp_path)).program.environments["local"]
    assert environment.certificate_authorities == {}


def test_upper_case_hosts_are_the_same_hosts(tmp_path: Path) -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    environment = built(trusted(tmp_path, pem, AUTHORITIES.replace("desk.", "Desk."))).program.environments
    assert environment["local"].certificate_authorities == {DESK: pem}


# --- servers -------------------------------------------------------------------------------------------


def served(root: Path, document: str, toolset: str) -> Result:
    """The base project with `document`, whose toolset has the lines `toolset` for its server and tools."""
    text = TOOLSET % sha256_of(document)
    start, _, _ = text.partition("  server:")
    auth = "  auth: { scheme: bearerAuth, secret: desk_token }\n"
    files = {**example_files(""), "openapi.yaml": document, "toolset.yaml": f"{start}{auth}{toolset}"}
    for name, content in files.items():
        (root / name).write_text(content)
    return check_project(root)


TOOLS = """\
  tools:
    get_ticket: { operation: getTicket, effect: read }
    refund: { operation: createRefund, effect: send }
"""
HERE = '  server: "https://desk.example.com"\n'
MONEY = OPENAPI.replace(
    "  /refunds:\n", "  /refunds:\n    servers: [{ url: https://money.example.com/v2 }]\n"
)
ROOT = MONEY.replace("paths:", "servers: [{ url: https://desk.example.com/v1 }]\npaths:", 1)


def endpoints(bundle: Bundle) -> dict[str, Endpoint]:
    return {name: tool.request.endpoint for name, tool in bundle.program.tools.items()}


def test_each_operation_goes_to_the_server_that_the_document_says(tmp_path: Path) -> None:
    bundle = built(served(tmp_path, ROOT, TOOLS))
    assert endpoints(bundle) == {
        "desk.get_ticket": Endpoint(url="https://desk.example.com/v1"),
        "desk.refund": Endpoint(url="https://money.example.com/v2"),
    }


def test_an_operation_with_a_server_of_its_own_is_not_sent_to_the_toolsets(tmp_path: Path) -> None:
    (finding, *more) = errors(served(tmp_path, ROOT, HERE + TOOLS))
    assert (finding.code, finding.span.line, more) == ("AC725", 10, [])
    assert "`createRefund` has a server of its own, `https://money.example.com/v2`" in finding.message
    (note,) = finding.notes
    assert "servers: [{ url: https://money" in ROOT.splitlines()[note.span.line - 1]


@pytest.mark.parametrize(
    ("document", "server", "refund"),
    [
        (ROOT, "https://pay.example.com", None),
        (ROOT, "${env.DESK_URL}", None),
        # what the document says itself needs no word more
        (ROOT, None, "https://money.example.com/v2/"),
        (ROOT.replace("money.example.com/v2", "desk.example.com/v1/"), None, "https://desk.example.com"),
    ],
)
def test_a_tool_may_name_its_server(
    tmp_path: Path, document: str, server: str | None, refund: str | None
) -> None:
    tools = TOOLS
    if server is not None:
        tools = tools.replace("effect: send", f'effect: send, server: "{server}"')
    general = HERE if refund is None else f'  server: "{refund}"\n'
    bundle = built(served(tmp_path, document, general + tools))
    found = endpoints(bundle)["desk.refund"]
    expected = server or refund
    assert found == (
        Endpoint(variable="DESK_URL") if expected == "${env.DESK_URL}" else Endpoint(url=expected)
    )


@pytest.mark.parametrize(
    ("servers", "words"),
    [
        ("{ url: /v1 }", ["`/v1` is relative to where the document is served"]),
        ('{ url: "https://{r}.example.com" }', ["`https://{r}.example.com` has no default for `r`"]),
        (
            '{ url: "https://{r}.example.com", variables: { r: { default: ap, enum: [eu] } } }, { url: /v1 }',
            ["the default `ap` of `r` is none of its values", "`/v1` is relative to where"],
        ),
    ],
)
def test_why_the_document_has_no_usable_server(tmp_path: Path, servers: str, words: list[str]) -> None:
    document = OPENAPI.replace("paths:", f"servers: [{servers}]\npaths:", 1)
    (finding, *more) = errors(served(tmp_path, document, TOOLS))
    assert (finding.code, finding.span.file, more) == ("AC707", "toolset.yaml", [])
    assert "the whole base URL" in (finding.help or "")
    for note, said in zip(finding.notes, words, strict=True):
        assert said in note.message
        assert (note.span.file, note.span.line) == ("openapi.yaml", 3)


def test_an_ignored_finding_about_servers_builds_nothing_that_goes_nowhere(tmp_path: Path) -> None:
    served(tmp_path, OPENAPI, TOOLS)
    spec = tmp_path / "agentc.yaml"
    spec.write_text(spec.read_text() + "  rules: { AC707: ignore }\n")
    result = check_project(tmp_path)
    assert errors(result) == []
    with pytest.raises(BuildError, match=r"where `desk\.get_ticket` is served is not known"):
        built(result)


def test_several_servers_are_listed_to_choose_from(tmp_path: Path) -> None:
    several = "{ url: https://eu.example.com }, { url: https://us.example.com }"
    document = OPENAPI.replace("paths:", f"servers: [{several}]\npaths:", 1)
    (finding,) = errors(served(tmp_path, document, TOOLS))
    assert finding.code == "AC707"
    assert "`https://eu.example.com`, `https://us.example.com`" in (finding.help or "")


def test_a_tools_server_is_checked_as_any(tmp_path: Path) -> None:
    for server, code in (("http://money.example.com", "AC803"), ("money", "AC707"), ("${env.NO}", "AC207")):
        tools = TOOLS.replace("effect: send", f'effect: send, server: "{server}"')
        (finding,) = errors(served(tmp_path, OPENAPI, HERE + tools))
        assert (finding.code, finding.span.line) == (code, 10)
