"""AC418: server outside the hosts that may be reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Rule, Span
from ..program import Program
from ..syntax.assertions import HostAssertionSpec
from .asserted import asserted_of, assertion_note, named

if TYPE_CHECKING:
    from agentc_runtime.urls import Url

    from ..lowered import Lowered

RULE = Rule(
    code="AC418",
    name="forbidden-host",
    title="server outside the hosts that may be reached",
    why=(
        "An AssertionSet lists the hosts that agents may reach. Every server of a tool, an access token or a "
        "model is compared with it by scheme, host and port, in each environment."
    ),
    bad="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: network, version: 1.0.0, owner: security }
spec:
  never:
    hosts:
      - outside: ["https://*.example.com", "https://api.openai.com"]
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast:
      provider: openai
      model: gpt-5-mini
      secret: openai_api_key
      prices: { input: 0.25, output: 2 }
      max_sensitivity: confidential
  environments:
    production:
      variables:
        DESK_URL: https://desk.example.org  # <- AC418
      secrets:
        openai_api_key: { env: OPENAI_API_KEY }
        desk_token: { env: DESK_TOKEN }
  approvers:
    leads: [ana@example.com]
""",
    good="""\
# file: assertions.yaml
apiVersion: agentc/v1
kind: AssertionSet
metadata: { name: network, version: 1.0.0, owner: security }
spec:
  never:
    hosts:
      - outside: ["https://*.example.com", "https://api.openai.com"]
# file: agentc.yaml
apiVersion: agentc/v1
kind: Project
metadata: { name: desk, version: 1.0.0, owner: support }
spec:
  models:
    fast:
      provider: openai
      model: gpt-5-mini
      secret: openai_api_key
      prices: { input: 0.25, output: 2 }
      max_sensitivity: confidential
  environments:
    production:
      variables:
        DESK_URL: https://desk.example.com
      secrets:
        openai_api_key: { env: OPENAI_API_KEY }
        desk_token: { env: DESK_TOKEN }
  approvers:
    leads: [ana@example.com]
""",
)


def check(program: Program, agents: Mapping[str, Lowered]) -> Iterator[Diagnostic]:
    """Servers that `never.hosts` does not list: one finding a place where a URL is written and assertion."""
    from ..servers import servers

    for asserted, about in asserted_of(program, agents):
        for index, host in enumerate(asserted.spec.never.hosts):
            broken: dict[tuple[Span, str], tuple[str, list[str], dict[str, Lowered]]] = {}
            for lowered in about:
                for server in servers(program, lowered):
                    if host.environments and server.environment not in host.environments:
                        continue
                    if not _inside(server.url, host):
                        _, environments, having = broken.setdefault(
                            (server.span, server.what), (server.url.origin, [], {})
                        )
                        having[lowered.name] = lowered
                        environments.append(server.environment)
            for (span, what), (origin, environments, having) in broken.items():
                where = " and ".join(f"`{name}`" for name in dict.fromkeys(environments))
                yield RULE.at(
                    span,
                    f"{named(having.values())} reaches `{origin}` for {what} in {where}, which is not one of the "
                    "hosts that may be reached",
                    help="use one of the listed hosts; only who answers for the assertion can change what it says",
                    notes=(assertion_note(asserted, ("never", "hosts", index, "outside"), host.reason),),
                )


def _inside(url: Url, asserted: HostAssertionSpec) -> bool:
    return any(_matches(url, host) for host in asserted.outside)


def _matches(url: Url, host: str) -> bool:
    """By scheme, port, and the exact host or, after `*.`, what it ends in; `*.x` is no name for `x`."""
    from agentc_runtime.urls import UrlError, parse_base

    wild = "://*." in host
    try:
        listed = parse_base(host.replace("://*.", "://", 1))
    except UrlError:
        return False
    same = (url.scheme, url.port) == (listed.scheme, listed.port)
    if not wild:
        return same and url.host == listed.host
    return same and url.host.endswith(f".{listed.host}")
