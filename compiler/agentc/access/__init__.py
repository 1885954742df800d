"""What a bundle lets its agent do: sets of calls that can be compared, and decisions that can be replayed."""

from .calls import Judge, Verdict, example_call, judged, run_origins, sample_data, some_value
from .declared import redeclared, takes_more, trusts_more
from .inside import Gain, gains
from .moments import (
    Moment,
    Told,
    arguments_of_state,
    as_json,
    favourable,
    moment,
    most_suspect,
    outputs_in,
    plant,
)
from .tools import (
    ToolAccess,
    accesses,
    allowed,
    asked,
    schemas_at,
    sent,
    sent_unasked,
    unasked,
    unasked_after,
    unasked_when_tainted,
)

__all__ = [
    "Gain",
    "Judge",
    "Moment",
    "Told",
    "ToolAccess",
    "Verdict",
    "accesses",
    "allowed",
    "arguments_of_state",
    "as_json",
    "asked",
    "example_call",
    "favourable",
    "gains",
    "judged",
    "moment",
    "most_suspect",
    "outputs_in",
    "plant",
    "redeclared",
    "run_origins",
    "sample_data",
    "schemas_at",
    "sent",
    "sent_unasked",
    "some_value",
    "takes_more",
    "trusts_more",
    "unasked",
    "unasked_after",
    "unasked_when_tainted",
]
