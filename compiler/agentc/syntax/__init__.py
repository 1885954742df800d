"""The language: one module a kind, as pydantic models. `schemas/` is generated from them."""
