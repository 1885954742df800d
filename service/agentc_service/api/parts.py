"""What routes get: the parts of the application, the caller by role, JSON values as clients send them."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from fastapi import Depends, Path, Request

from agentc_runtime.ledger import Ledger

from ..auth.caller import Caller
from ..auth.guard import needs
from ..events import EventStreams
from ..runs import Runs
from ..settings import Settings


# not plain functions: the framework would call each of those in a thread
async def _runs(request: Request) -> Runs:
    runs: Runs = request.app.state.runs
    return runs


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _ledger(request: Request) -> Ledger:
    ledger: Ledger = request.app.state.ledger
    return ledger


async def _streams(request: Request) -> EventStreams:
    streams: EventStreams = request.app.state.streams
    return streams


RunsPart: TypeAlias = Annotated[Runs, Depends(_runs)]
SettingsPart: TypeAlias = Annotated[Settings, Depends(_settings)]
LedgerPart: TypeAlias = Annotated[Ledger, Depends(_ledger)]
StreamsPart: TypeAlias = Annotated[EventStreams, Depends(_streams)]

#: Who starts runs.
Starter: TypeAlias = Annotated[Caller, Depends(needs("caller", "operator"))]
#: Who sees runs: their own, or as an operator or auditor all of the tenant.
Reader: TypeAlias = Annotated[Caller, Depends(needs("caller", "operator", "auditor"))]
#: Who cancels and resolves the tenant's runs.
Operator: TypeAlias = Annotated[Caller, Depends(needs("operator"))]
#: Who reads the tenant's part of the audit log.
Auditor: TypeAlias = Annotated[Caller, Depends(needs("auditor"))]
#: Who sees what was said of the tenant's runs.
Overseer: TypeAlias = Annotated[Caller, Depends(needs("operator", "auditor"))]
#: Anybody with a role.
Anybody: TypeAlias = Annotated[Caller, Depends(needs("caller", "approver", "operator", "auditor"))]

#: The largest number that both databases know as one.
MAX_NUMBER: Final = 2**53 - 1
#: What the store is asked for has no NUL, which PostgreSQL does not take.
AGENT: Final = r"^[a-z][a-z0-9_-]{0,62}$"
SESSION_ID: Final = r"^s-[0-9A-Za-z_-]{1,64}$"
TEXT: Final = r"^[^\x00]*$"
RUN_ID: Final = r"^[0-9A-Za-z-]{1,64}$"
RunId: TypeAlias = Annotated[str, Path(pattern=RUN_ID, examples=["20260301T120000Z-0123456789ab"])]
