"""Scorers: one function for each type, in files by what they look at."""
