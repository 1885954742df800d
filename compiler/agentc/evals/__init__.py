"""Evals: cases run against an agent, what is measured of them, and the gates of a release."""
