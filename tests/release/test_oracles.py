"""What is signed here, other implementations verify; what it says, they understand."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance as SlsaProvenance
from in_toto_attestation.v1.statement import Statement as InTotoCheck
from in_toto_attestation.v1.statement_pb2 import Statement as InTotoStatement
from msgspec.structs import replace
from securesystemslib.dsse import Envelope as DsseEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from agentc.sbom import bill_of_materials
from agentc_runtime.expressions import Const
from agentc_runtime.labels import Label
from agentc_runtime.trust.dsse import read_envelope
from agentc_runtime.trust.keys import Signer, signer, verifier
from agentc_runtime.verify import load_bundle
from agentc_runtime.workflow import RetrieveState

Files = dict[str, bytes]


def their_key(signer: Signer) -> SSlibKey:
    public = load_der_public_key(base64.b64decode(signer.public))
    return SSlibKey.from_crypto(public, signer.keyid)  # type: ignore[arg-type]


def attestations(files: Files, kind: str = "") -> dict[str, bytes]:
    return {name: data for name, data in files.items() if name.startswith(f"attestations/{kind}")}


def test_securesystemslib_verifies_every_envelope(signed: Files, keys) -> None:
    found = attestations(signed)
    assert len(found) == 4
    for name, data in found.items():
        envelope = DsseEnvelope.from_dict(json.loads(data))
        by, other = (
            (keys.ci, keys.release) if "/eval" in name or "/validate" in name else (keys.release, keys.ci)
        )
        assert set(envelope.verify([their_key(by)], 1)) == {by.keyid}
        with pytest.raises(VerificationError):
            envelope.verify([their_key(other)], 1)


def test_what_securesystemslib_signs_verifies_here() -> None:
    theirs = CryptoSigner.generate_ed25519()
    envelope = DsseEnvelope(b"{}", "application/x", {})
    envelope.sign(theirs)
    data = json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":")).encode()
    ours = read_envelope(data)
    known = verifier(signer(theirs.private_bytes).public)
    assert known.verify(ours.signed_bytes(), ours.signatures[0].sig)
    assert not known.verify(ours.signed_bytes() + b"x", ours.signatures[0].sig)


def test_in_toto_understands_the_statements(signed: Files) -> None:
    for data in attestations(signed).values():
        payload = read_envelope(data).payload
        parsed = json_format.Parse(payload.decode(), InTotoStatement())
        InTotoCheck.copy_from_pb(parsed).validate()
        assert parsed.subject[0].name == "triage"


def test_in_toto_understands_the_provenance(signed: Files) -> None:
    (data,) = attestations(signed, "provenance").values()
    predicate = json.loads(read_envelope(data).payload)["predicate"]
    parsed = json_format.ParseDict(predicate, SlsaProvenance())
    assert {one.name for one in parsed.build_definition.resolved_dependencies} >= {"agents/triage.yaml"}


def test_the_bill_holds_what_agents_are_made_of_that_are_handed_to(unsigned: Files) -> None:
    bundle = load_bundle(unsigned)
    ask = RetrieveState(retriever="handbook", query=Const(value="x"), label=Label(), next="done")
    inner = replace(bundle.program, states={**bundle.program.states, "ask": ask})
    whole = replace(bundle, program=replace(bundle.program, agents={"second": inner}))
    bill = bill_of_materials(whole)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    names = {component["bom-ref"] for component in bill["components"]}  # type: ignore[attr-defined]
    assert {"agent:second/", "agent:second/tool:helpdesk.refund", "agent:second/knowledge:handbook"} <= names


def test_the_bill_of_materials_fits_cyclonedx_own_schema(unsigned: Files) -> None:
    bundle = load_bundle(unsigned)
    bill = bill_of_materials(bundle)
    assert bill == bill_of_materials(bundle), "the same bundle has the same bill"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is None
    names = {component["bom-ref"] for component in bill["components"]}  # type: ignore[attr-defined]
    assert {"model:fast", "tool:helpdesk.refund", "source:openapi/helpdesk.yaml"} <= names
    assert (
        JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps({**bill, "components": 1}))
        is not None
    )
