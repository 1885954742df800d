"""Which parts of a program are judged as permissions, and which are behaviour.

What stands in neither list was added after this was written: nobody has decided whether more of it is more
that an agent may do, so a change of it counts as wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["permission", "behaviour", "unknown"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PERMISSIONS: Final = _names("input session grants environments default_environment limits agents undoing")
_BEHAVIOUR: Final = _names("agent output start undo")
_TOOL_PERMISSIONS: Final = _names(
    "arguments destinations effect fields idempotency_header max_response_bytes output pagination "
    "rate_per_minute typed"
)
_TOOL_BEHAVIOUR: Final = _names("name model_name description timeout_ms retry cache undo")
_REQUEST: Final = _names("operation method endpoint path query headers cookies body auth certificate")
_GRANT: Final = _names(
    "tool permission_set schema where origins bind approval quota untrusted_to_effect unless"
)
_MODEL_PERMISSIONS: Final = _names("provider model endpoint secret max_sensitivity")
_MODEL_BEHAVIOUR: Final = _names(
    "alias prices max_output_tokens temperature timeout_ms strict_tools prompt_cache response_cache_ms"
)
_ENVIRONMENT: Final = _names("variables secrets private_hosts vault certificate_authorities")
_LIMITS: Final = _names(
    "steps tokens cost_usd time_ms calls_per_turn cost_per_session_usd cost_per_tenant_usd cost_per_day_usd "
    "session_key tenant_key"
)
_STATES: Final = _names("agent model tool choice parallel map approval retrieve verify handoff end")
_STATE_BEHAVIOUR: Final = _names(
    "type instructions prompt tools models escalation turns next output retry catch timeout_ms tool "
    "arguments choices default branches wait over item start concurrency max_items tolerated message by "
    "show expires_ms rejected expired retriever query label top max_sensitivity value schema quotes grounds "
    "agent input session"
)


def kind_of(path: Sequence[str], value: object = None) -> Kind:
    """What a part of a program is, by its path; `value` is what stands there, for a whole state."""
    head = path[0]
    if head in _PERMISSIONS:
        return _permission(path)
    if head in _BEHAVIOUR:
        return "behaviour"
    if head in ("tools", "models", "states") and len(path) == 2:
        if head == "states":
            return "behaviour" if isinstance(value, dict) and value.get("type") in _STATES else "unknown"
        return "permission" if head == "tools" else "behaviour"
    if head == "tools":
        return _tool(path)
    if head == "models":
        return _among(path[2], _MODEL_PERMISSIONS, _MODEL_BEHAVIOUR)
    if head == "states":
        return _among(path[2], frozenset(), _STATE_BEHAVIOUR)
    return "unknown"


def _permission(path: Sequence[str]) -> Kind:
    known = {"grants": _GRANT, "environments": _ENVIRONMENT}.get(path[0])
    if known is not None and len(path) > 2:
        return _among(path[2], known, frozenset())
    if path[0] == "limits" and len(path) > 1:
        return _among(path[1], _LIMITS, frozenset())
    return "permission"


def _tool(path: Sequence[str]) -> Kind:
    if path[2] == "request" and len(path) > 3:
        return _among(path[3], _REQUEST, frozenset({"responses"}))
    return "permission" if path[2] == "request" else _among(path[2], _TOOL_PERMISSIONS, _TOOL_BEHAVIOUR)


def _among(name: str, permissions: frozenset[str], behaviour: frozenset[str]) -> Kind:
    return "permission" if name in permissions else "behaviour" if name in behaviour else "unknown"
