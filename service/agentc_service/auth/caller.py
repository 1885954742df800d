"""Who a request comes from: one frozen value, which every route asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

Role: TypeAlias = Literal["caller", "approver", "operator", "auditor"]

#: `caller` starts and reads runs; `approver` decides for the groups it is in; `operator` also cancels and
#: resolves the runs of everybody in the tenant; `auditor` reads all of the tenant's and changes nothing.
ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller of one tenant.

    `subject` is who it is inside the tenant; `groups` are the approver groups that it decides for; `source`
    says how it was recognised: `api_key` or `jwt`.
    """

    tenant: str
    subject: str
    roles: frozenset[Role]
    groups: frozenset[str]
    source: Literal["api_key", "jwt"]

    def has(self, *roles: Role) -> bool:
        """Whether it has one of `roles`."""
        return not self.roles.isdisjoint(roles)


def signature(caller: Caller) -> str:
    """Who it is, as the audit log says it."""
    return f"{caller.subject} ({caller.tenant})"


class UnknownCallerError(Exception):
    """No caller can be made of the credentials. `reason` names no part of them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
