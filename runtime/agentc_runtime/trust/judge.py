"""Whether a bundle is trusted: what its attestations say, who signed them, and what a policy asks for.

Every attestation in the bundle has to be believed, needed or not: what nobody vouches for has no place in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from ..times import parse_time, time_text
from ..verify import Bundle, BundleError
from ..violations import compile_predicate, first_violation, found_in_words
from .dsse import Envelope, EnvelopeError, read_envelope
from .keys import KeyProblemError, verifier
from .policy import AgentRule, Requirement, TrustPolicy, closed
from .reports import another_bundle, eval_name, why_not_passed
from .statement import EVIDENCE, Statement, build_definition, read_statement

#: How far the clocks of who signs and who verifies may be apart.
CLOCK_SKEW = timedelta(minutes=5)


class Attested(NamedTuple):
    """An attestation that is believed: where it stands, what it says, and the names of the keys."""

    path: str
    statement: Statement
    signed_by: tuple[str, ...]


class Trusted(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle that a policy trusts, with all that is attested of it."""

    bundle: Bundle
    attested: tuple[Attested, ...]


def judge(bundle: Bundle, policy: TrustPolicy, now: datetime) -> Trusted:
    """The bundle, if the policy trusts it at the moment `now`.

    Raises:
        BundleError: it is not trusted. The message says why, `path` the attestation that it is about.
    """
    agent = bundle.manifest.agent.name
    rule = policy.rule(agent)
    if rule is None:
        raise BundleError(f"the trust policy has no rule for the agent {agent!a}", "manifest.json")
    attested = tuple(
        _believed(bundle, policy, rule, now, path, data) for path, data in sorted(bundle.attestations.items())
    )
    signers = {name for one in attested if one.statement.kind == "provenance" for name in one.signed_by}
    if len(signers) < rule.threshold:
        wanted = ", ".join(f"`{name}`" for name in rule.signed_by)
        told = f"signed by {len(signers)} of the keys {wanted}"
        message = f"{told}, and {rule.threshold} are needed: `agentc sign` it"
        raise BundleError(message, "attestations")
    for requirement in rule.require:
        _satisfied(requirement, attested, now)
    return Trusted(bundle=bundle, attested=attested)


def signed_by(
    envelope: Envelope, policy: TrustPolicy, names: tuple[str, ...], now: datetime
) -> tuple[str, ...]:
    """Which of the keys `names` have signed an envelope: all its signatures have to be theirs.

    Raises:
        EnvelopeError: a signature of another key, a false one, or one of a key that is not valid at `now`.
    """
    known = {}
    for name in names:
        try:
            one = verifier(policy.keys[name].public_key)
        except KeyProblemError as error:
            raise EnvelopeError(f"the key `{name}` of the trust policy can't be used: {error}") from error
        known[one.keyid] = (name, one)
    found = []
    for signature in envelope.signatures:
        if signature.keyid not in known:
            wanted = ", ".join(f"`{name}`" for name in names) or "nobody"
            raise EnvelopeError(f"signed by another key than {wanted}: {signature.keyid[:16]!a}")
        name, one = known[signature.keyid]
        key = policy.keys[name]
        if key.not_before is not None and now < parse_time(key.not_before):
            raise EnvelopeError(f"the key `{name}` is not valid before {key.not_before}")
        if key.expires is not None and now >= parse_time(key.expires):
            raise EnvelopeError(f"the key `{name}` expired {key.expires}: sign again with one that is valid")
        if not one.verify(envelope.signed_bytes(), signature.sig):
            raise EnvelopeError(
                f"the signature of `{name}` is false: it was changed, or is of something else"
            )
        found.append(name)
    return tuple(found)


def _believed(
    bundle: Bundle, policy: TrustPolicy, rule: AgentRule, now: datetime, path: str, data: bytes
) -> Attested:
    try:
        envelope = read_envelope(data)
        # the keys that count depend on what it says it is; nothing else of it is used before they are checked
        claimed = read_statement(envelope)
        names = signed_by(envelope, policy, _allowed(rule, claimed.kind), now)
    except EnvelopeError as error:
        raise BundleError(f"{error}", path) from error
    manifest = bundle.manifest
    if not path.partition("/")[2].startswith(f"{claimed.kind}-"):
        raise BundleError(f"holds `{claimed.kind}`, which is not what its name says", path)
    if claimed.agent != manifest.agent.name:
        raise BundleError(f"is about the agent {claimed.agent[:80]!a}, not `{manifest.agent.name}`", path)
    if claimed.digest != bundle.digest:
        raise BundleError(f"is about another bundle, sha256:{claimed.digest[:12]}: sign this one", path)
    if claimed.kind in EVIDENCE and (other := another_bundle(claimed.predicate["report"], bundle.digest)):
        raise BundleError(f"holds a report about another bundle, {other}: do it again for this one", path)
    if claimed.kind == "provenance" and claimed.predicate.get("buildDefinition") != build_definition(
        manifest
    ):
        raise BundleError("says that the bundle was built from something else than its manifest does", path)
    if claimed.signed_on is not None and claimed.signed_on > now + CLOCK_SKEW:
        raise BundleError(f"was signed in the future, {time_text(claimed.signed_on)}: check the clocks", path)
    return Attested(path, claimed, names)


def _allowed(rule: AgentRule, kind: str) -> tuple[str, ...]:
    """Whose word counts for that kind: those of the requirements for it, else of whoever signs the agent."""
    asked = [
        name for requirement in rule.require if requirement.kind == kind for name in requirement.signed_by
    ]
    return tuple(dict.fromkeys(asked)) or rule.signed_by


def _satisfied(requirement: Requirement, attested: tuple[Attested, ...], now: datetime) -> None:
    kind = requirement.kind
    found = [
        one
        for one in attested
        if one.statement.kind == kind
        and set(one.signed_by) & set(requirement.signed_by)
        and requirement.name in (None, eval_name(one.statement))
    ]
    if not found:
        wanted = ", ".join(f"`{name}`" for name in requirement.signed_by)
        which = "" if requirement.name is None else f" of {requirement.name!a}"
        raise BundleError(
            f"has no attestation `{kind}`{which} signed by {wanted}, and the policy asks for one",
            "attestations",
        )
    validator = None if requirement.where is None else compile_predicate(closed(requirement.where))
    for one in found:
        age = requirement.age()
        signed_on = one.statement.signed_on
        if age is not None and (signed_on is None or now - signed_on > age):
            raise BundleError(
                f"`{kind}` is older than {requirement.max_age}: it has to be done again", one.path
            )
        if kind not in EVIDENCE:
            continue
        failed = why_not_passed(one.statement.predicate["report"])
        if failed is not None:
            raise BundleError(f"`{kind}` does not pass: {failed}", one.path)
        if validator is None:
            continue
        broken = first_violation(validator, one.statement.predicate["report"])
        if broken is not None:
            asked = "" if broken.keyword == "required" else f", and the policy asks for {broken.expected}"
            raise BundleError(f"`{kind}` does not pass: {found_in_words(broken)}{asked}", one.path)
