"""What a program must satisfy beyond its types: every name it uses exists, and nothing says two things.

The compiler checks all of this on the specs, with positions and help. Here it is checked again on the
bundle, because a bundle may come from another compiler, and the runtime trusts none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .behaviour import MAX_PAGES
from .bundle import Program, RequestPlan, Tool
from .environments import Endpoint, Environment
from .flowing import workflow_problems

#: What every provider accepts as the name of a function.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
#: RFC 6749, section 3.3.
_SCOPE = re.compile(r"[!#-\[\]-~]{1,200}")
_MODEL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def problems(program: Program) -> Iterator[str]:
    """Every way in which `program` contradicts itself, one line each; nothing when it can be run."""
    yield from workflow_problems(program)
    for name, agent in program.agents.items():
        if agent.agent.name != name:
            yield f"agent `{name}` calls itself `{agent.agent.name}`"
        if not agent.environments.keys() >= program.environments.keys():
            yield f"agent `{name}` lacks an environment of the agent that hands off to it"
        yield from (f"agent `{name}`: {problem}" for problem in problems(agent))
    yield from _grants(program)
    yield from _tools(program)
    for alias, model in program.models.items():
        if model.alias != alias:
            yield f"model `{alias}` calls itself `{model.alias}`"
        yield from _endpoint(program, f"model `{alias}`", model.endpoint)
    if program.default_environment not in program.environments:
        yield f"`default_environment` is `{program.default_environment}`, which is no environment"
    for name, environment in program.environments.items():
        yield from _vault(f"environment `{name}`", environment)


def _vault(where: str, environment: Environment) -> Iterator[str]:
    """Secrets in Vault need one, and its token is not there as well."""
    if environment.vault is not None:
        token = environment.secrets.get(environment.vault.token)
        if token is None or token.vault is not None:
            yield f"the token of the Vault of {where} is no secret in a variable or a file"
    elif any(secret.vault is not None for secret in environment.secrets.values()):
        yield f"{where} has secrets in Vault, and no `vault`"


def _grants(program: Program) -> Iterator[str]:
    for name, grant in program.grants.items():
        if grant.tool != name:
            yield f"the grant of `{name}` is for the tool `{grant.tool}`"
        if name not in program.tools:
            yield f"the tool `{name}` is granted and is not in `tools`"
        exceptions = grant.unless.origins.values() if grant.unless is not None else ()
        if not all((*grant.origins.values(), *exceptions)):
            yield f"the grant of `{name}` names an argument that may come from nowhere"


def _tools(program: Program) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name, tool in program.tools.items():
        where = f"tool `{name}`"
        if tool.name != name:
            yield f"{where} calls itself `{tool.name}`"
        if not _MODEL_NAME.fullmatch(tool.model_name):
            yield f"{where} has the model name {tool.model_name!a}, which is not 1 to 64 of A-Z a-z 0-9 _ -"
        owner = owners.setdefault(tool.model_name, name)
        if owner != name:
            yield f"{where} and tool `{owner}` have the same model name `{tool.model_name}`"
        yield from _endpoint(program, where, tool.request.endpoint)
        yield from _request(where, tool.request)
        yield from _credentials(program, where, tool.request)
        yield from _behaviour(where, tool)


def _behaviour(where: str, tool: Tool) -> Iterator[str]:
    if tool.cache is not None and (tool.effect != "read" or tool.cache.max_entries < 1):
        yield f"{where} keeps answers, and is no `read`, or keeps none"
    plan = tool.pagination
    if plan is None:
        return
    if tool.effect != "read":
        yield f"{where} has pages, and is no `read`"
    if not 1 <= plan.max_pages <= MAX_PAGES or plan.max_items < 1:
        yield f"the pages of {where} have no bound from 1 to {MAX_PAGES}"
    if (plan.argument is None) != (plan.style == "link_header") or (plan.style == "cursor" and not plan.next):
        yield f"the pages of {where} do not say how the next one is found"
    path = {part.param.argument for segment in tool.request.path for part in segment if part.param}
    if path & {plan.argument, plan.size_argument}:
        yield f"the pages of {where} would change its path"


def _endpoint(program: Program, where: str, endpoint: Endpoint) -> Iterator[str]:
    if (endpoint.url is None) == (endpoint.variable is None):
        yield f"the endpoint of {where} needs either `url` or `variable`"
    if endpoint.variable is None:
        return
    for name, environment in program.environments.items():
        if endpoint.variable not in environment.variables:
            yield f"the endpoint of {where} is `{endpoint.variable}`, which the environment `{name}` lacks"


def _credentials(program: Program, where: str, plan: RequestPlan) -> Iterator[str]:
    places: set[tuple[str, str]] = set()
    for auth in plan.auth:
        in_header = auth.kind in ("bearer", "basic", "header")
        name = "authorization" if auth.kind in ("bearer", "basic") else auth.name.lower()
        place = ("header" if in_header else auth.kind, name)
        if place in places:
            yield f"two credentials of {where} stand in the same place"
        places.add(place)
        if auth.token is None:
            continue
        yield from _endpoint(program, f"the access token of {where}", auth.token.endpoint)
        if auth.kind != "bearer":
            yield f"the access token of {where} is no bearer credential"
        if not all(_SCOPE.fullmatch(one) for one in (*auth.token.scopes, *auth.token.extra_scopes)):
            yield f"the access token of {where} has a malformed scope"


def _request(where: str, plan: RequestPlan) -> Iterator[str]:
    if any((part.literal is None) == (part.param is None) for segment in plan.path for part in segment):
        yield f"a path part of {where} needs either `literal` or `param`"
    if plan.body is not None and (plan.body.argument is None) == (plan.body.fields is None):
        yield f"the body of {where} needs either `argument` or `fields`"
    if plan.body is not None and plan.body.kind in ("text", "binary") and plan.body.argument is None:
        yield f"the body of {where} is one text, and needs `argument`"
    if plan.body is not None and plan.body.parts and plan.body.kind not in ("form", "multipart"):
        yield f"the body of {where} has `parts`, and is no form"
    headers = (part.headers for part in (plan.body.parts if plan.body else {}).values())
    if any(not _HEADER.fullmatch(f"{name}: {value}") for one in headers for name, value in one.items()):
        yield f"a part of the body of {where} has a malformed header"
