"""Trust policies: which keys may sign which agents and channels, and what a deployment wants to see attested.

A policy is strict JSON, so that a runtime reads it without the compiler. What it does not know it refuses: a
misspelled requirement must not be no requirement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from ..expressions import Record, Schema
from ..strictjson import StrictJsonError
from ..strictjson import parse as parse_json
from ..times import parse_time
from ..violations import compile_predicate
from .keys import KeyProblemError, key_id
from .statement import EVIDENCE, KINDS

FORMAT: Final = "agentc.trust/1"
MAX_POLICY_BYTES: Final = 1024 * 1024
_AGE = re.compile(r"([1-9][0-9]{0,4})(h|d)")
#: The keywords of `where`, and of `properties` in it. A name that it speaks of has to be there.
_KEYWORDS: Final = frozenset(
    {
        "type",
        "const",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
    }
)


class PolicyError(ValueError):
    """A trust policy that can't be used: one line with the place in it and what to do."""


class TrustedKey(Record, frozen=True, kw_only=True):
    """A public key (`agentc keygen` prints it), and from when to when what it signed is believed."""

    public_key: str
    not_before: str | None = None
    expires: str | None = None


class Requirement(Record, frozen=True, kw_only=True):
    """An attestation that has to be there: of that kind, by one of these keys, not older than `max_age`.

    `where` is a JSON Schema that its report has to satisfy. Whatever it names has to be in the report.
    `name`, of the kind `eval`, is the name of one eval: then the reports of others are not looked at.
    """

    kind: str
    signed_by: tuple[str, ...]
    name: str | None = None
    where: Schema | None = None
    max_age: str | None = None

    def age(self) -> timedelta | None:
        """`max_age` as a span of time."""
        match = _AGE.fullmatch(self.max_age or "")
        if match is None:
            return None
        return timedelta(**{"hours" if match[2] == "h" else "days": int(match[1])})


class AgentRule(Record, frozen=True, kw_only=True):
    """Who may sign these agents: `threshold` of the keys `signed_by` have to, by provenance.

    `channels_signed_by` may say which bundle of the agent runs where.
    """

    agents: tuple[str, ...]
    signed_by: tuple[str, ...]
    threshold: int = 1
    require: tuple[Requirement, ...] = ()
    channels_signed_by: tuple[str, ...] = ()


class TrustPolicy(Record, frozen=True, kw_only=True):
    """What a deployment believes: keys by a name of its own, and a rule for each agent that may run."""

    format: str
    keys: dict[str, TrustedKey]
    rules: tuple[AgentRule, ...]

    def rule(self, agent: str) -> AgentRule | None:
        """The rule of an agent. One without a rule is not trusted."""
        return next((rule for rule in self.rules if agent in rule.agents), None)


def read_policy(path: Path) -> TrustPolicy:
    """The policy in a file.

    Raises:
        PolicyError: it can't be read, or as for `parse_policy`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"{path}: can't be read: {(error.strerror or 'unknown error').lower()}") from error
    try:
        return parse_policy(data)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from error


def parse_policy(data: bytes) -> TrustPolicy:
    """The policy that `data` is.

    Raises:
        PolicyError: not JSON, an unknown field, or a rule that can't be meant.
    """
    if len(data) > MAX_POLICY_BYTES:
        raise PolicyError(f"larger than {MAX_POLICY_BYTES} bytes")
    try:
        policy = msgspec.convert(parse_json(data.decode()), TrustPolicy)
    except UnicodeDecodeError as error:
        raise PolicyError(f"not UTF-8 at byte {error.start}") from error
    except StrictJsonError as error:
        raise PolicyError(f"not strict JSON: {error}") from error
    except msgspec.ValidationError as error:
        said = ascii(str(error))[1:-1]
        raise PolicyError(f"{said[:1].lower()}{said[1:]}") from error
    for problem in _problems(policy):
        raise PolicyError(problem)
    return policy


def closed(schema: Mapping[str, object]) -> Schema:
    """`where` as it is checked: every property that it names is required.

    Raises:
        ValueError: a keyword that is not used here.
    """
    told = dict(schema)
    properties = told.pop("properties", {})
    unknown = sorted(told.keys() - _KEYWORDS)
    if unknown or not isinstance(properties, dict) or not schema:
        word = f"the keyword {unknown[0]!a}" if unknown else "nothing to check"
        raise ValueError(f"has {word}: use `properties` and {', '.join(sorted(_KEYWORDS))}")
    if not properties:
        # JSON Schema lets a text pass where a number has a limit; here a limit says what it is a limit of
        numeric = [word for word in told if word.endswith("imum")]
        sized = [word for word in told if word.endswith("Items")]
        kind = "number" if numeric else "array" if sized else None
        return {"type": kind, **told} if kind else told
    inner = {
        name: closed(value) if isinstance(value, dict) else closed({}) for name, value in properties.items()
    }
    return {**told, "type": "object", "properties": inner, "required": sorted(inner)}


def _problems(policy: TrustPolicy) -> Iterator[str]:
    if policy.format != FORMAT:
        yield f"`format` is {policy.format!a}, not `{FORMAT}`"
    ids: dict[str, str] = {}
    for name, key in policy.keys.items():
        where = f"the key {name!a}"
        try:
            known = ids.setdefault(key_id(key.public_key), name)
            begins = parse_time(key.not_before) if key.not_before is not None else None
            ends = parse_time(key.expires) if key.expires is not None else None
        except (KeyProblemError, ValueError) as error:
            yield f"{where}: {error}"
            continue
        if known != name:
            yield f"{where} is the same as {known!a}: two names for one key make a threshold of one"
        if begins is not None and ends is not None and begins >= ends:
            yield f"{where} expires before it begins"
    seen: set[str] = set()
    for number, rule in enumerate(policy.rules):
        where = f"rules[{number}]"
        if not rule.agents:
            yield f"{where} has no agents"
        for agent in rule.agents:
            if agent in seen:
                yield f"{where}: the agent {agent!a} has a rule already"
            seen.add(agent)
        yield from _names(policy, f"{where}.signed_by", rule.signed_by)
        yield from _names(policy, f"{where}.channels_signed_by", rule.channels_signed_by, needed=False)
        if not 1 <= rule.threshold <= len(rule.signed_by):
            yield f"{where}.threshold is {rule.threshold}, and there are {len(rule.signed_by)} keys"
        for index, requirement in enumerate(rule.require):
            yield from _requirement(policy, f"{where}.require[{index}]", requirement)


def _names(policy: TrustPolicy, where: str, names: tuple[str, ...], *, needed: bool = True) -> Iterator[str]:
    if needed and not names:
        yield f"{where} names no key"
    if len(set(names)) != len(names):
        yield f"{where} names a key twice"
    for name in names:
        if name not in policy.keys:
            yield f"{where} names {name!a}, which is not in `keys`"


def _requirement(policy: TrustPolicy, where: str, requirement: Requirement) -> Iterator[str]:
    if requirement.kind not in KINDS or requirement.kind == "provenance":
        known = ", ".join(kind for kind in KINDS if kind != "provenance")
        yield f"{where}.kind is {requirement.kind!a}: it is one of {known}; provenance is always required"
    yield from _names(policy, f"{where}.signed_by", requirement.signed_by)
    if requirement.max_age is not None and requirement.age() is None:
        yield f"{where}.max_age is {requirement.max_age!a}: write it like `24h` or `30d`"
    if requirement.kind not in EVIDENCE and (
        requirement.where is not None or requirement.max_age is not None
    ):
        yield f"{where}: `where` and `max_age` are for {', '.join(EVIDENCE)}"
    if requirement.name is not None and requirement.kind != "eval":
        yield f"{where}: `name` is for `eval`"
    if requirement.where is not None:
        try:
            compile_predicate(closed(requirement.where))
        except ValueError as error:
            yield f"{where}.where {' '.join(str(error).split())[:200]}"
