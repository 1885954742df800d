"""State type `retrieve`: passages from the retriever that the deployer registered."""

from __future__ import annotations

from ..calls import answered
from ..events import Retrieved
from ..labels import allows, join
from ..quoting import clipped, shortened
from ..retrieval import Passage, Retriever, RetrieverError
from ..values import ABSENT, evaluate, references
from ..workflow import RetrieveState
from .context import Run, Step
from .failures import failure


async def run_retrieve(run: Run, name: str, state: RetrieveState) -> Step:
    """Ask for passages. What the retriever raises, but for `RetrieverError`, passes through.

    Raises:
        RefusedError: AR504 the query is too sensitive, AR505 it is no text, AR512 the retriever is not there,
            fails, or answers with more than it was asked for.
    """
    services, key = run.services, f"state:{name}"
    label = run.label_of(references(state.query))
    query = evaluate(state.query, run.data)
    if not isinstance(query, str):
        message = f"the query of state `{name}` is no text"
        value = None if query is ABSENT else clipped(query)
        raise failure(services.source_map, "AR505", message, key=key, value=value, path="query")
    if not allows(state.max_sensitivity, label):
        message = (
            f"the query of state `{name}` is {label.sensitivity}, and `{state.retriever}` may see up to "
            f"{state.max_sensitivity} data"
        )
        raise failure(services.source_map, "AR504", message, key=key, value=label.sensitivity)
    retriever = services.retrievers.get(state.retriever)
    if retriever is None:
        message = f"no retriever is registered as `{state.retriever}`"
        raise failure(services.source_map, "AR512", message, key=key, value=state.retriever)
    try:
        asking = run.key("retrieve")
        found = await services.steps.retrieve(asking, lambda: _asked(retriever, query, state.top))
    except RetrieverError as error:
        message = services.secrets.redact(f"`{state.retriever}` can't answer: {shortened(str(error))}")
        raise failure(services.source_map, "AR512", message, key=key) from error
    if len(found) > state.top:
        message = f"`{state.retriever}` gave {len(found)} passages, and was asked for {state.top}"
        raise failure(services.source_map, "AR512", message, key=key, value=len(found))
    said = {
        "state": name,
        "retriever": state.retriever,
        "query": services.secrets.redact(query),
        "sources": [services.secrets.redact(one.source) for one in found],
    }
    await answered(services.journal.record(run.run_id, "retrieved", said))
    services.emit(Retrieved(state=name, retriever=state.retriever, passages=len(found)))
    passages = [{"text": one.text, "source": one.source, "score": one.score} for one in found]
    output = services.secrets.redact_object({"passages": passages})
    return Step(next=state.next, output=output, label=join(label, state.label))


async def _asked(retriever: Retriever, query: str, top: int) -> tuple[Passage, ...]:
    return tuple(await retriever.retrieve(query, top=top))
