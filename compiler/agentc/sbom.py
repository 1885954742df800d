"""The bill of materials of a bundle, as CycloneDX 1.6: its models, tools and sources.

Written by the library `cyclonedx-python-lib`, with a serial number that follows from the bundle's digest and
without a time, so that the same bundle has the same one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6

from agentc_runtime.bundle import Program, Tool
from agentc_runtime.verify import Bundle
from agentc_runtime.workflow import RetrieveState

#: The namespace of serial numbers (RFC 9562, version 5).
_SERIALS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:agentc:sbom:1")


def bill_of_materials(bundle: Bundle) -> dict[str, object]:
    """The bill of materials as JSON data."""
    agent = bundle.manifest.agent
    bom = Bom(components=_components(bundle), serial_number=uuid.uuid5(_SERIALS, bundle.digest))
    bom.metadata.component = Component(
        name=agent.name,
        version=agent.version,
        type=ComponentType.APPLICATION,
        description=agent.description,
        bom_ref=f"agent:{agent.name}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=bundle.digest)],
        properties=[Property(name="agentc:compiler", value=bundle.manifest.compiler)],
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    data: dict[str, object] = json.loads(JsonV1Dot6(bom).output_as_string())
    metadata = data["metadata"]
    if isinstance(metadata, dict):  # the time of writing: the only thing that differs between two
        metadata.pop("timestamp", None)
    return data


def _components(bundle: Bundle) -> Iterator[Component]:
    yield from _of_program("", bundle.program)
    for source in bundle.manifest.sources:
        yield Component(
            name=source.path,
            type=ComponentType.FILE,
            bom_ref=f"source:{source.path}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=source.sha256)],
        )


def _of_program(prefix: str, program: Program) -> Iterator[Component]:
    """What an agent is made of; `prefix` tells those of a `handoff` apart."""
    for alias, model in sorted(program.models.items()):
        yield Component(
            name=model.model,
            type=ComponentType.MACHINE_LEARNING_MODEL,
            group=model.provider,
            bom_ref=f"{prefix}model:{alias}",
            properties=[
                Property(name="agentc:alias", value=alias),
                Property(name="agentc:max_sensitivity", value=model.max_sensitivity),
            ],
        )
    for name, tool in sorted(program.tools.items()):
        yield Component(
            name=name,
            type=ComponentType.LIBRARY,
            bom_ref=f"{prefix}tool:{name}",
            description=tool.description or None,
            properties=list(_of_tool(tool)),
        )
    retrievers = {state.retriever for state in program.states.values() if isinstance(state, RetrieveState)}
    for name in sorted(retrievers):
        yield Component(name=name, type=ComponentType.DATA, bom_ref=f"{prefix}knowledge:{name}")
    for name, inner in sorted(program.agents.items()):
        yield Component(
            name=inner.agent.name,
            version=inner.agent.version,
            type=ComponentType.APPLICATION,
            bom_ref=f"{prefix}agent:{name}/",
        )
        yield from _of_program(f"{prefix}agent:{name}/", inner)


def _of_tool(tool: Tool) -> Iterator[Property]:
    endpoint = tool.request.endpoint
    yield Property(name="agentc:effect", value=tool.effect)
    yield Property(name="agentc:operation", value=tool.request.operation)
    yield Property(name="agentc:server", value=endpoint.url or f"${{env.{endpoint.variable}}}")
