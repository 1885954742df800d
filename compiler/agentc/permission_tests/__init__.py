"""Permission tests: calls judged by the broker's policy without a model, and what they leave untested."""

from .coverage import Covered, coverage, tested_agents
from .trials import Trial, failures, trials

__all__ = ["Covered", "Trial", "coverage", "failures", "tested_agents", "trials"]
