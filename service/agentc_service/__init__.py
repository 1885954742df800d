"""The HTTP service around the runtime: runs, approvals and sessions for clients and people."""
