"""State type `verify`: a value passes once it is what the spec says, word for word where that is asked."""

from __future__ import annotations

from ..expressions import Ref
from ..origins import Origins
from ..quoting import clipped, shown
from ..values import ABSENT, lookup
from ..workflow import VerifyState
from .answers import findings, listed
from .context import Run, Step
from .failures import failure


def run_verify(run: Run, name: str, state: VerifyState) -> Step:
    """Give the value on, under its own label.

    Raises:
        RefusedError: AR511 it is not there, does not fit the schema, or quotes what no source says.
    """
    source_map, key = run.services.source_map, f"state:{name}"
    value = lookup(state.value.path, run.data)
    if value is ABSENT:
        path = ".".join(state.value.path)
        raise failure(source_map, "AR511", f"there is no `{path}` to verify", key=key, path=path)
    found = () if state.schema is None else findings(value, state.schema)
    if found:
        message = f"what state `{name}` verifies does not fit: {listed(found)}"
        raise failure(source_map, "AR511", message, key=key, value=found[0].value, path=found[0].path)
    if state.quotes is not None:
        _grounded(run, name, state.quotes, state.grounds)
    return Step(next=state.next, output=value, label=run.label_of({state.value.path}))


def _grounded(run: Run, name: str, quoted: Ref, grounds: tuple[Ref, ...]) -> None:
    sources = Origins()
    for ground in grounds:
        source = lookup(ground.path, run.data)
        if source is not ABSENT:
            sources.add("trusted", source)
    quotes = lookup(quoted.path, run.data)
    for quote in [] if quotes is ABSENT else quotes if isinstance(quotes, list) else [quotes]:
        if not sources.stands_in(quote, ("trusted",)):
            where = " or ".join(f"`{'.'.join(one.path)}`" for one in grounds)
            message = f"state `{name}`: {shown(quote)} does not stand in {where}"
            path, value = ".".join(quoted.path), clipped(quote)
            raise failure(
                run.services.source_map, "AR511", message, key=f"state:{name}", value=value, path=path
            )
