"""The `agentc` command. `--version` is answered before any library is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit: 0 ok, 1 findings, 2 usage or unreadable input, 3 internal error."""
    if sys.argv[1:] == ["--version"]:
        from agentc_runtime import __version__

        sys.stdout.write(f"agentc {__version__}\n")
        return
    from .cli import invoke

    sys.exit(invoke())


if __name__ == "__main__":
    main()
