"""The count of steps that bounds a decision, and how a part of it ends without an answer."""

from __future__ import annotations


class GaveUpError(Exception):
    """The question can't be decided. The message is the reason, for the user."""


class SpentError(GaveUpError):
    """The steps are used up. Another way to search might still decide."""


class Budget:
    """Steps that are left of those that one question may take."""

    def __init__(self, steps: int) -> None:
        self.allowed = steps
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Take some.

        Raises:
            SpentError: there are none left.
        """
        self.left -= steps
        if self.left < 0:
            raise SpentError(f"it takes more than {self.allowed:,} steps")
