"""Why a call is allowed, asks or is refused: the broker's own verdict, and what would have to change."""

from .examples import Example
from .explain import Answer, Question, Why, explain

__all__ = ["Answer", "Example", "Question", "Why", "explain"]
