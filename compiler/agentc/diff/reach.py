"""Servers, secrets and models: what an agent reaches and shows data to, and did not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Literal, TypeAlias

from agentc_runtime import bundle as ir
from agentc_runtime import labels
from agentc_runtime.environments import Endpoint, Environment
from agentc_runtime.labels import ORDER
from agentc_runtime.urls import Url, UrlError, parse_base

from .values import Severity

#: How, rule, severity, subject, what, and the key of the source map.
Row: TypeAlias = tuple[Literal["added", "widened"], str, Severity, str, str, str]


def environment_gains(old: ir.Program, new: ir.Program) -> Iterator[Row]:
    """Servers, private hosts, authorities and secrets of each environment."""
    for name, now in new.environments.items():
        before = old.environments.get(name)
        known = Environment() if before is None else before
        where = f"in `{name}`"
        reached = _urls(old, known) if before is not None else {}
        urls = {url for url, _ in reached.values()}
        served = _urls(new, now)
        for url, key in dict(served.values()).items():
            if url not in urls:
                place = f"environment:{name}/{key}" if key else f"environment:{name}"
                yield "added", "AC911", "high", url, f"is reached {where}", place
        for user, (url, key) in served.items():
            if user in reached and reached[user][0] != url and url in urls:
                what = f"is served at `{url}` {where}, not at `{reached[user][0]}`"
                place = f"environment:{name}/{key}" if key else f"environment:{name}"
                yield "widened", "AC911", "high", user, what, place
        for host in sorted(set(now.private_hosts) - set(known.private_hosts)):
            what = f"may have a private address {where}"
            yield "added", "AC911", "high", host, what, f"environment:{name}"
        for host, text in sorted(now.certificate_authorities.items()):
            if known.certificate_authorities.get(host) != text:
                what = f"is vouched for by other certificate authorities {where}"
                yield "added", "AC911", "high", host, what, f"environment:{name}"
        for secret, source in sorted(now.secrets.items()):
            place = f"environment:{name}/{secret}"
            if secret not in known.secrets:
                yield "added", "AC912", "high", secret, f"is a secret that is used {where}", place
            elif known.secrets[secret] != source:
                what = f"is a secret that is found elsewhere {where}"
                yield "widened", "AC912", "medium", secret, what, place
        if now.vault is not None and now.vault != known.vault:
            what = f"is the Vault that secrets are read from {where}, with the token `{now.vault.token}`"
            yield "added", "AC912", "high", now.vault.address, what, f"environment:{name}"
    if old.default_environment != new.default_environment:
        what = f"is the environment of a run that names none, not `{old.default_environment}`"
        yield "widened", "AC911", "medium", new.default_environment, what, "agent"


def _urls(program: ir.Program, environment: Environment) -> dict[str, tuple[str, str]]:
    """Who is served → its base URL, and the variable that names it, empty where it is written out."""
    endpoints: dict[str, Endpoint] = {name: tool.request.endpoint for name, tool in program.tools.items()}
    endpoints |= {f"the model {alias}": model.endpoint for alias, model in program.models.items()}
    for auth in (auth for tool in program.tools.values() for auth in tool.request.auth):
        if auth.token is not None:
            endpoints[f"the access tokens of {auth.secret}"] = auth.token.endpoint
    if environment.vault is not None:
        endpoints["Vault"] = Endpoint(url=environment.vault.address)
    found: dict[str, tuple[str, str]] = {}
    for user, endpoint in endpoints.items():
        url = endpoint.url or environment.variables.get(endpoint.variable or "")
        with suppress(UrlError):
            if url is not None:
                found[user] = (_spelled(parse_base(url)), endpoint.variable or "")
    return found


def _spelled(url: Url) -> str:
    """A base URL in one spelling: without the port that its scheme has anyway, and without a last slash."""
    port = {"http": ":80", "https": ":443"}[url.scheme]
    return url.origin.removesuffix(port) + url.target.rstrip("/")


def model_gains(old: ir.Program, new: ir.Program) -> Iterator[Row]:
    """Models that are shown data, or more sensitive data."""
    before, now = _shown(old), _shown(new)
    for key, (most, alias) in now.items():
        if key not in before:
            yield "added", "AC914", "high", key, f"is shown data, up to {most}", f"model:{alias}"
        elif ORDER.index(most) > ORDER.index(before[key][0]):
            what = f"is shown {most} data, not only {before[key][0]}"
            yield "widened", "AC914", "high", key, what, f"model:{alias}"


def _shown(program: ir.Program) -> dict[str, tuple[labels.Sensitivity, str]]:
    """Provider and model → the most sensitive data that it is shown, and an alias of it."""
    found: dict[str, tuple[labels.Sensitivity, str]] = {}
    for alias, model in sorted(program.models.items()):
        key = f"{model.provider} {model.model}"
        most = found.get(key)
        if most is None or ORDER.index(model.max_sensitivity) > ORDER.index(most[0]):
            found[key] = (model.max_sensitivity, alias)
    return found
