"""The table of kinds, and the JSON Schemas that editors use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import JsonValue
from pydantic.json_schema import models_json_schema

from .acceptances import AcceptanceSetSpec
from .agent import AgentSpec
from .assertions import AssertionSetSpec
from .common import (
    API_VERSION,
    ARGUMENT_LIMIT_DEFINITION,
    JSON_SCHEMA_DEFINITION,
    Closed,
    Metadata,
)
from .permission_test import PermissionTestSpec
from .permissions import PermissionSetSpec
from .project import ProjectSpec
from .service import ServiceSpec
from .toolset import ToolsetSpec

_KINDS: dict[str, type[Closed]] = {
    "Project": ProjectSpec,
    "Toolset": ToolsetSpec,
    "PermissionSet": PermissionSetSpec,
    "Agent": AgentSpec,
    "AssertionSet": AssertionSetSpec,
    "PermissionTest": PermissionTestSpec,
    "AcceptanceSet": AcceptanceSetSpec,
    "Service": ServiceSpec,
}


class _Kinds(Mapping[str, type[Closed]]):
    """The table. The models of evals are many, and most projects have none: they come when asked for."""

    def __getitem__(self, kind: str) -> type[Closed]:
        if kind == "Eval":
            from .eval import EvalSpec

            return EvalSpec
        return _KINDS[kind]

    def __iter__(self) -> Iterator[str]:
        yield from (*_KINDS, "Eval")

    def __len__(self) -> int:
        return len(_KINDS) + 1

    def __contains__(self, kind: object) -> bool:
        return kind in _KINDS or kind == "Eval"


#: Every kind and the model of its `spec`.
KINDS: Mapping[str, type[Closed]] = _Kinds()


def schema_of(kind: str) -> dict[str, JsonValue]:
    """The JSON Schema of one kind, in keywords that draft-07 editors understand as well."""
    _described()
    spec = KINDS[kind]
    models, shared = models_json_schema([(Metadata, "validation"), (spec, "validation")])
    definitions = dict(shared["$defs"])
    said = str(definitions)
    if "x-agentc" in said:
        definitions["JsonSchema"] = JSON_SCHEMA_DEFINITION
    if "ArgumentLimit" in said:
        definitions["ArgumentLimit"] = ARGUMENT_LIMIT_DEFINITION
    schema: dict[str, JsonValue] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind,
        "description": (spec.__doc__ or "").strip(),
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION, "description": "The version of the language."},
            "kind": {"const": kind, "description": "The kind of this resource."},
            "metadata": models[Metadata, "validation"],
            "spec": models[spec, "validation"],
        },
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "$defs": {name: _clean(definition) for name, definition in sorted(definitions.items())},
    }
    return schema


@cache
def _described() -> None:
    from .describing import describe

    for kind in KINDS:
        _ = KINDS[kind]
    describe()


def _clean(value: JsonValue) -> JsonValue:
    """Put the shared definition where a model names it, and drop pydantic's titles: they repeat the key."""
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "x-agentc" in value:
        rest = {key: item for key, item in value.items() if key not in {"x-agentc", "title"}}
        return {"$ref": f"#/$defs/{value['x-agentc']}", **rest}
    return {
        key: _clean(item) for key, item in value.items() if not (key == "title" and isinstance(item, str))
    }
