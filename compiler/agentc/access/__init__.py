"""What a bundle lets its agent do: sets of calls that can be compared, and decisions that can be replayed."""

from .calls import Verdict, judged, run_origins, sample_data, some_value
from .tools import ToolAccess, accesses, allowed, asked, unasked, unasked_when_tainted

__all__ = [
    "ToolAccess",
    "Verdict",
    "accesses",
    "allowed",
    "asked",
    "judged",
    "run_origins",
    "sample_data",
    "some_value",
    "unasked",
    "unasked_when_tainted",
]
