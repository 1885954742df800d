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

    def portion(self, share: int) -> Budget:
        """One part of `share` of what is left, for something that may be given up. It counts as spent."""
        part = Budget(max(self.left, 0) // share)
        self.left -= part.allowed
        return part

    def give_back(self, part: Budget) -> None:
        """What was not used of a portion."""
        self.left += max(part.left, 0)

    def spend(self, steps: int = 1) -> None:
        """Take some.

        Raises:
            SpentError: there are none left.
        """
        self.left -= steps
        if self.left < 0:
            raise SpentError(f"it takes more than {self.allowed:,} steps")
