"""Whether what tools and data are said to be lets more through than it did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from agentc_runtime import bundle as ir
from agentc_runtime import labels
from agentc_runtime.environments import Auth
from agentc_runtime.labels import ORDER

from ..subsumption import Escapes, Included, includes
from .inside import Gain

_DOUBT: Final = ("trusted", "typed", "untrusted")


def redeclared(before: ir.Tool, now: ir.Tool) -> Iterator[Gain]:
    """How what a tool is said to be has changed in a way that lets more through.

    `part` is the key of its declaration in the toolset. What it answers is no part of the comparison.
    """
    if _is_another(before.request, now.request):
        yield Gain("makes another request", "request", "operation")
    if before.effect != now.effect:
        yield Gain(f"has the effect `{now.effect}`, not `{before.effect}`", "effect", "effect")
    if lost := sorted(set(before.destinations) - set(now.destinations)):
        yield Gain(f"no longer goes where `{lost[0]}` says", "origins", "destinations")
    if trusts_more(before.output, now.output):
        yield Gain("has answers that are labelled as less of a risk", "label", "output")
    if now.typed is not None and before.typed != now.typed:
        yield Gain("has other answers that count as typed", "label", "output")


def takes_more(before: ir.Data, now: ir.Data) -> Iterator[Gain]:
    """How the input or the session of an agent lets more in than it did."""
    answer = includes(before.schema, now.schema)
    if not isinstance(answer, Included):
        call = answer.witness if isinstance(answer, Escapes) and isinstance(answer.witness, dict) else None
        unclear = "" if isinstance(answer, Escapes) else answer.reason
        yield Gain("takes more", "input", "schema", call, unclear)
    if trusts_more(before.label, now.label):
        yield Gain("is labelled as less of a risk", "label", "label")


def trusts_more(before: labels.Label, now: labels.Label) -> bool:
    """Whether a label says less of a risk than another."""
    return _DOUBT.index(now.trust) < _DOUBT.index(before.trust) or ORDER.index(now.sensitivity) < ORDER.index(
        before.sensitivity
    )


def _is_another(before: ir.RequestPlan, now: ir.RequestPlan) -> bool:
    """Whether a request differs in more than that its tokens have fewer scopes: those are of all grants."""
    if before == now or len(before.auth) != len(now.auth):
        return before != now
    pairs = zip(before.auth, now.auth, strict=True)
    return msgspec.structs.replace(now, auth=tuple(_scoped(old, new) for old, new in pairs)) != before


def _scoped(before: Auth, now: Auth) -> Auth:
    """The credential with the scopes that it had, if it has no others now."""
    if before.token is None or now.token is None or not set(now.token.scopes) <= set(before.token.scopes):
        return now
    return msgspec.structs.replace(now, token=msgspec.structs.replace(now.token, scopes=before.token.scopes))
