"""A stand-in for a toolset's service, on loopback: nothing here is used by validate, build or a run."""
