"""Narrower grants, proposed from what an agent was seen to do."""

from .proposal import Proposal, tighten
from .prove import Project

__all__ = ["Project", "Proposal", "tighten"]
