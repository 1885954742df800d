"""What a change lets agents do: two versions of them, compared by what they may do and not by their text."""
