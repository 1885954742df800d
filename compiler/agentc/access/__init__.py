"""What a bundle lets its agent do: sets of calls that can be compared, and decisions that can be replayed."""

from .calls import Verdict, example_call, judged, run_origins, sample_data, some_value
from .tools import ToolAccess, accesses, allowed, asked, unasked, unasked_when_tainted

__all__ = [
    "ToolAccess",
    "Verdict",
    "accesses",
    "allowed",
    "asked",
    "example_call",
    "judged",
    "run_origins",
    "sample_data",
    "some_value",
    "unasked",
    "unasked_when_tainted",
]
