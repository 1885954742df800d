"""In-toto statements about bundles: what is said of which digest (in-toto.io/Statement/v1).

Provenance is SLSA's, a bill of materials CycloneDX's. Evidence, such as the report of an evaluation, has a
small predicate of our own: when it was signed, and the report.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from ..bundle import Manifest
from ..canonical import canonical, parse
from ..times import parse_time, time_text
from ..verify import Bundle
from .dsse import IN_TOTO, Envelope, EnvelopeError

STATEMENT: Final = "https://in-toto.io/Statement/v1"
SLSA: Final = "https://slsa.dev/provenance/v1"
CYCLONEDX: Final = "https://cyclonedx.org/bom"
BUILD_TYPE: Final = "urn:agentc:build:1"
#: `validate`: findings of the compiler. `eval`: results of an evaluation. `approval`: a reviewed difference.
EVIDENCE: Final = {kind: f"urn:agentc:evidence:{kind}:1" for kind in ("validate", "eval", "approval")}
#: Every kind of attestation, by its name in policies and files, with its predicate type.
KINDS: Final = {"provenance": SLSA, "sbom": CYCLONEDX, **EVIDENCE}


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What an attestation says of a bundle. `signed_on` is its own word for when, `None` for an SBOM."""

    kind: str
    agent: str
    digest: str
    predicate: dict[str, object]
    signed_on: datetime | None


class _Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    digest: dict[str, str]


class _Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"type_": "_type"}):
    type_: str
    subject: tuple[_Subject, ...]
    predicateType: str  # noqa: N815  the names of the format
    predicate: dict[str, object]


class _Metadata(msgspec.Struct, frozen=True):
    finishedOn: str  # noqa: N815  the names of the format


class _RunDetails(msgspec.Struct, frozen=True):
    metadata: _Metadata


class _Provenance(msgspec.Struct, frozen=True):
    runDetails: _RunDetails  # noqa: N815  the names of the format


class _Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    signed_on: str
    report: object


def statement(bundle: Bundle, kind: str, predicate: dict[str, object]) -> bytes:
    """The payload of an attestation of that kind about `bundle`."""
    return canonical(
        {
            "_type": STATEMENT,
            "subject": [{"name": bundle.manifest.agent.name, "digest": {"sha256": bundle.digest}}],
            "predicateType": KINDS[kind],
            "predicate": predicate,
        }
    )


def provenance(manifest: Manifest, builder: str, signed_on: datetime) -> dict[str, object]:
    """SLSA provenance of a bundle: what it was built from and by what, and who says so."""
    return {
        "buildDefinition": build_definition(manifest),
        "runDetails": {
            "builder": {"id": builder},
            "metadata": {"finishedOn": time_text(signed_on)},
        },
    }


def build_definition(manifest: Manifest) -> dict[str, object]:
    """What a bundle was built from. It follows from the manifest, and provenance has to say the same."""
    return {
        "buildType": BUILD_TYPE,
        "externalParameters": {"agent": manifest.agent.name, "version": manifest.agent.version},
        "internalParameters": {"compiler": manifest.compiler, "format": manifest.format},
        "resolvedDependencies": [
            {"name": source.path, "digest": {"sha256": source.sha256}} for source in manifest.sources
        ],
    }


def evidence(report: object, signed_on: datetime) -> dict[str, object]:
    """The predicate that holds a report."""
    return {"signed_on": time_text(signed_on), "report": report}


def read_statement(envelope: Envelope) -> Statement:
    """What an envelope states. Whether to believe it is another question.

    Raises:
        EnvelopeError: it holds something else than a statement of a known kind about one bundle.
    """
    if envelope.payload_type != IN_TOTO:
        raise EnvelopeError(f"holds {envelope.payload_type[:80]!a}, not `{IN_TOTO}`")
    try:
        raw = msgspec.convert(parse(envelope.payload), _Statement)
        kind = next((kind for kind, uri in KINDS.items() if uri == raw.predicateType), None)
        if raw.type_ != STATEMENT or kind is None:
            raise EnvelopeError(f"states {raw.predicateType[:80]!a}, which is not known here")
        if len(raw.subject) != 1 or raw.subject[0].digest.keys() != {"sha256"}:
            raise EnvelopeError("is not about one bundle by its sha256")
        signed_on = _signed_on(kind, raw.predicate)
    except EnvelopeError:
        raise
    except ValueError as error:
        raise EnvelopeError(f"not an in-toto statement: {ascii(str(error))[1:-1]}") from error
    return Statement(
        kind=kind,
        agent=raw.subject[0].name,
        digest=raw.subject[0].digest["sha256"],
        predicate=raw.predicate,
        signed_on=signed_on,
    )


def _signed_on(kind: str, predicate: dict[str, object]) -> datetime | None:
    if kind == "provenance":
        return parse_time(msgspec.convert(predicate, _Provenance).runDetails.metadata.finishedOn)
    if kind in EVIDENCE:
        return parse_time(msgspec.convert(predicate, _Evidence).signed_on)
    return None
