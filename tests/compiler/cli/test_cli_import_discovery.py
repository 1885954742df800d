"""`agentc import discovery`: a provider's token endpoint is found, checked, and pinned in the toolset."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agentc.checks.base import OPENAPI, TOOLSET, sha256_of
from agentc.discovery import DiscoveryError, metadata_url, read_metadata

SCHEME = "type: openIdConnect, openIdConnectUrl:"
AUTH = "{ scheme: bearerAuth, secret: desk_token, client_credentials: {} }"


BLOCK = """
    scheme: bearerAuth # of the desk
    secret: desk_token
    client_credentials:
      # of the provider
      extra_scopes: [openid]"""


FLOW = """{
    client_credentials: {
      extra_scopes: [openid] # all
    }, scheme: bearerAuth, secret: desk_token }"""


class Provider:
    """A provider on loopback: `answers` are status, headers and body by path."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                status, headers, body = provider.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing is printed."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def says(self, path: str = "", **changes: Any) -> str:
        """Serve metadata below `path`; its URL."""
        said = {
            "issuer": f"{self.url}{path}",
            "token_endpoint": f"{self.url}{path}/token",
            "jwks_uri": f"{self.url}{path}/keys",
            "response_types_supported": ["code"],
            **changes,
        }
        body = json.dumps({key: value for key, value in said.items() if value is not ...}).encode()
        where = f"{path}/.well-known/openid-configuration"
        self.answers[where] = (200, {"content-type": "application/json"}, body)
        return f"{self.url}{where}"


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def toolset(project: Any) -> Any:
    """Write the toolset with `auth`, and the document with a discovery URL; the toolset's file."""

    def write(auth: str = AUTH, discovery: str = "https://id.example.com/.well-known/openid-configuration"):
        document = OPENAPI.replace("type: http, scheme: bearer", f'{SCHEME} "{discovery}"')
        (project / "openapi.yaml").write_text(document)
        text = TOOLSET % sha256_of(document)
        old = "auth: { scheme: bearerAuth, secret: desk_token }"
        assert old in text
        (project / "toolset.yaml").write_text(text.replace(old, f"auth: {auth}"))
        return project / "toolset.yaml"

    return write


def run(agentc: Any, project: Any, *arguments: str) -> Any:
    return agentc("import", "discovery", *arguments, "--project", project, "--toolset", "desk")


def test_the_token_endpoint_is_pinned_and_used(
    agentc: Any, project: Any, provider: Any, toolset: Any
) -> None:
    file = toolset()
    assert "`agentc import discovery --toolset desk`" in agentc("validate", project).out
    url = provider.says("/realms/a")
    done = run(agentc, project, url)
    assert (done.code, done.err) == (0, "")
    assert f"{provider.url}/realms/a gives tokens at {provider.url}/realms/a/token" in done.out
    assert f"pinned in {project}/toolset.yaml" in done.out
    pinned = f"client_credentials: {{ token_url: {provider.url}/realms/a/token }}"
    assert pinned in file.read_text()
    assert agentc("validate", project, "--strict").code == 0
    shown = agentc("inspect", project).out
    assert f"  with desk_token at {provider.url}/realms/a/token" in shown
    # once more changes nothing
    before = file.read_text()
    assert run(agentc, project, url).code == 0
    assert file.read_text() == before
    assert provider.asked == ["/realms/a/.well-known/openid-configuration"] * 2


@pytest.mark.parametrize(
    ("auth", "after"),
    [
        ("{ scheme: bearerAuth, secret: desk_token, client_credentials: { extra_scopes: [openid] } }",
         "client_credentials: { token_url: URL/token, extra_scopes: [openid] } }"),
        ("{ scheme: bearerAuth, secret: desk_token, client_credentials: { token_url: https://old.example } }",
         "client_credentials: { token_url: URL/token } }"),
        (BLOCK,
         "      # of the provider\n      token_url: URL/token\n      extra_scopes: [openid]\n"),
        (FLOW,
         "    client_credentials: {\n      token_url: URL/token, extra_scopes: [openid] # all\n    },"),
        ("\n    - { scheme: bearerAuth, secret: desk_token, client_credentials: {} }",
         "    - { scheme: bearerAuth, secret: desk_token, client_credentials: { token_url: URL/token } }\n"),
    ],
)  # fmt: skip
def test_the_rest_of_the_file_is_kept(
    agentc: Any, project: Any, provider: Any, toolset: Any, auth: str, after: str
) -> None:
    file = toolset(auth)
    assert run(agentc, project, provider.says()).code == 0
    assert after.replace("URL", provider.url) in file.read_text()
    assert agentc("validate", project, "--strict").code == 0


def test_an_issuer_will_do(agentc: Any, project: Any, provider: Any, toolset: Any) -> None:
    toolset()
    provider.says("/tenant", issuer=f"{provider.url}/tenant/")
    assert run(agentc, project, f"{provider.url}/tenant/").code == 0


def test_how_the_client_shows_itself_is_pinned_as_well(
    agentc: Any, project: Any, provider: Any, toolset: Any
) -> None:
    file = toolset()
    only_post = ["private_key_jwt", "client_secret_post"]
    url = provider.says(token_endpoint_auth_methods_supported=only_post, grant_types_supported=["implicit"])
    done = run(agentc, project, url)
    assert "does not list `client_credentials` among its grants" in done.err
    assert "method: client_secret_post" in file.read_text()
    provider.says(token_endpoint_auth_methods_supported=["client_secret_post", "client_secret_basic"])
    assert run(agentc, project, url).code == 0
    assert "method: client_secret_basic" in file.read_text()
    assert agentc("validate", project, "--strict").code == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": "https://evil.example"}, "speaks for the issuer"),
        ({"issuer": ...}, "speaks for the issuer null"),
        ({"issuer": ["a"]}, "speaks for the issuer"),
        ({"token_endpoint": ...}, "names no `token_endpoint`"),
        ({"token_endpoint": 5}, "names no `token_endpoint`"),
        ({"token_endpoint": "http://id.example.com/token"}, "is not encrypted"),
        ({"token_endpoint": "https://id.example.com/token?x=1"}, "has a path that is not plain"),
        ({"token_endpoint": "https://a@id.example.com/token"}, "is not `http` or `https`"),
        ({"token_endpoint": "file:///etc/passwd"}, "is not `http` or `https`"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "supported are"),
        ({"token_endpoint_auth_methods_supported": "client_secret_basic"}, "supported are"),
        ({"token_endpoint_auth_methods_supported": []}, "supported are"),
    ],
)
def test_metadata_that_can_not_be_used(
    agentc: Any, project: Any, provider: Any, toolset: Any, changes: dict[str, Any], words: str
) -> None:
    file = toolset()
    before = file.read_text()
    done = run(agentc, project, provider.says(**changes))
    assert done.code == 2
    assert words in done.err
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {}, b""), "answered with status 404"),
        ((302, {"location": "https://evil.example/"}, b""), "answered with a redirect"),
        ((200, {}, b"<html>"), "did not answer with JSON"),
        ((200, {}, b"\xff"), "did not answer with JSON"),
        ((200, {}, b"[]"), "did not answer with a JSON object"),
        ((200, {}, b'{"issuer": "a", "issuer": "b"}'), "did not answer with JSON"),
        ((200, {}, b"[" * 10_000), "did not answer with JSON"),
        ((200, {}, b" " * 1_100_000), "larger than"),
    ],
)
def test_hostile_and_broken_providers(
    agentc: Any, project: Any, provider: Any, toolset: Any, answer: Any, words: str
) -> None:
    toolset()
    provider.answers["/.well-known/openid-configuration"] = answer
    done = run(agentc, project, provider.url)
    assert done.code == 2
    assert words in done.err


def test_a_document_sends_nobody_into_a_private_network(
    agentc: Any, project: Any, provider: Any, toolset: Any
) -> None:
    toolset(discovery=provider.says())
    done = run(agentc, project)
    assert done.code == 2
    assert "is on a private network: give the URL yourself" in done.err
    assert provider.asked == []
    toolset(discovery="http://id.example.com/.well-known/openid-configuration")
    assert "is not encrypted" in run(agentc, project).err
    toolset(discovery="file:///etc/passwd")
    assert "is not `http` or `https`" in run(agentc, project).err


@pytest.mark.parametrize(
    ("auth", "arguments", "words"),
    [
        ("{ scheme: bearerAuth, secret: desk_token }", (), "has no `client_credentials`; add"),
        (AUTH, ("--scheme", "beareAuth"), "did you mean `bearerAuth`?"),
        (f"[{AUTH}, {AUTH.replace('bearerAuth', 'other')}]", (), "choose with --scheme"),
        ("{ scheme: bearerAuth, secret: 5", (), "no readable toolset `desk`"),
        (AUTH, ("https://127.0.0.1:9/",), "could not be connected to"),
        (AUTH, ("not-a-url",), "is not `http` or `https`"),
    ],
)
def test_what_can_not_be_done_is_said(
    agentc: Any, project: Any, toolset: Any, auth: str, arguments: Any, words: str
) -> None:
    toolset(auth)
    done = run(agentc, project, *arguments)
    assert done.code == 2
    assert words in done.err


def test_a_document_without_a_discovery_url_needs_one_given(agentc: Any, project: Any) -> None:
    text = TOOLSET % sha256_of(OPENAPI)
    text = text.replace("secret: desk_token }", "secret: desk_token, client_credentials: {} }")
    (project / "toolset.yaml").write_text(text)
    done = run(agentc, project)
    assert done.code == 2
    assert "has no discovery URL for `bearerAuth`; give it as URL" in done.err


@pytest.mark.parametrize(
    ("url", "issuer", "fits"),
    [
        ("https://a.example/.well-known/openid-configuration", "https://a.example", True),
        ("https://a.example/.well-known/openid-configuration", "https://a.example/", True),
        ("https://a.example/t/.well-known/openid-configuration", "https://a.example/t", True),
        ("https://a.example/t/.well-known/openid-configuration", "https://a.example", False),
        ("https://a.example/.well-known/oauth-authorization-server/t", "https://a.example/t", True),
        ("https://a.example/.well-known/oauth-authorization-server", "https://a.example", True),
        ("https://a.example/.well-known/openid-configuration", "https://a.example.evil.example", False),
        ("https://a.example/.well-known/openid-configuration", "http://a.example", False),
        ("https://a.example/.well-known/openid-configuration", "https://A.example", False),
    ],
)
def test_metadata_speaks_for_the_issuer_of_its_url(url: str, issuer: str, fits: bool) -> None:
    said: dict[str, object] = {"issuer": issuer, "token_endpoint": "https://b.example/token"}
    if fits:
        assert read_metadata(url, said).token_url == "https://b.example/token"
    else:
        with pytest.raises(DiscoveryError, match="speaks for the issuer"):
            read_metadata(url, said)


def test_where_the_metadata_of_an_issuer_is() -> None:
    for issuer in ("https://a.example/t", "https://a.example/t/"):
        assert metadata_url(issuer) == "https://a.example/t/.well-known/openid-configuration"
    assert metadata_url("https://a.example/.well-known/x") == "https://a.example/.well-known/x"
