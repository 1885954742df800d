"""What holds for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# Machines are noisy: an example that takes long is no finding, and no test asserts a time.
settings.register_profile("agentc", deadline=None)
settings.load_profile("agentc")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m slow`, modules in which nothing is marked so are not even imported: most of them."""
    if config.option.markexpr == "slow" and collection_path.suffix == ".py" and not _marks(collection_path):
        return True
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is slow is so by a mark in its own module: else `-m slow` would not find it."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    if unmarked := [str(path) for path in sorted(slow) if not _marks(path)]:
        raise pytest.UsageError(f"slow tests without `mark.slow` in their module: {', '.join(unmarked)}")


def _marks(module: Path) -> bool:
    return "mark.slow" in module.read_text(encoding="utf-8")
