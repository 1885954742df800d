"""State type `approval`: a person says whether the workflow goes on."""

from __future__ import annotations

import hashlib
import json

from ..bundle import locate
from ..calls import NOBODY, ApprovalRequest
from ..canonical import canonical
from ..labels import NOTHING_READ, join
from ..quoting import shortened
from ..template import RenderError, render
from ..values import evaluate
from ..workflow import ApprovalState
from .context import Run, Step
from .failures import failure


async def run_approval(run: Run, name: str, state: ApprovalState) -> Step:
    """Ask. The answer is for exactly what was shown.

    Raises:
        RefusedError: AR205 rejected, AR206 nobody answered in time, and the state does not say where to go
            then; AR505 the question can't be written.
    """
    services = run.services
    try:
        message = services.secrets.redact(render(state.message, run.data))
    except RenderError as error:
        text = f"`message` can't be written: {error}"
        raise failure(services.source_map, "AR505", text, key=f"state:{name}") from error
    shown = {} if state.show is None else evaluate(state.show, run.data)
    arguments = services.secrets.redact_object(shown) if isinstance(shown, dict) else {}
    at = locate(services.source_map, f"state:{name}")
    where = "" if at is None else f" ({at.file}:{at.line})"
    preview = [message, *([json.dumps(arguments, indent=2, ensure_ascii=False)] if arguments else [])]
    key = run.key("approval")
    asked = ApprovalRequest(
        run_id=run.run_id,
        call_id=key,
        state=name,
        tool="",
        arguments=arguments,
        preview="\n".join(preview),
        reasons=(f"state `{name}` of the workflow asks{where}",),
        by=state.by,
        expires_ms=state.expires_ms,
        digest=hashlib.sha256(canonical({"state": name, "message": message, "show": arguments})).hexdigest(),
    )
    decision = await services.steps.ask(key, lambda: services.broker.people.consult(asked, services.emit))
    answer: dict[str, object] = {"by": NOBODY, "reason": ""}
    if decision is not None:
        answer = {"by": decision.by, "reason": services.secrets.redact(decision.reason)}
    if decision is not None and decision.approved:
        return Step(next=state.next, output=answer, label=_ANSWERED)
    following = state.expired if decision is None else state.rejected
    if following is not None:
        return Step(next=following, output=answer, label=_ANSWERED)
    place = f"state:{name}"
    if decision is None:
        text = f"nobody answered state `{name}` within {state.expires_ms} ms"
        raise failure(services.source_map, "AR206", text, key=place, value=state.expires_ms)
    reason = f": {shortened(str(answer['reason']))}" if answer["reason"] else ""
    who = "nobody approved" if decision.by == NOBODY else f"{shortened(decision.by)} rejected"
    raise failure(services.source_map, "AR205", f"{who} state `{name}`{reason}", key=place)


#: What an approver writes is the deployer's own people's.
_ANSWERED = join(NOTHING_READ)
