"""The interpreter of agentc bundles: it runs what was compiled and enforces every allowlist on every call."""

__version__ = "0.1.0"
