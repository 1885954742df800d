"""Runs that survive: what a crash, a restart or a wait of days interrupts goes on where it was.

Everything here needs the extra `durable`, and is imported for durable runs only.
"""
