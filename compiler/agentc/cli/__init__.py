"""The command line: a static table of commands, each imported when it is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from agentc_runtime import __version__

#: Command → (module in this package, what it does). The order is that of `agentc --help`.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Start a project in a folder."),
    "validate": ("validate", "Check specs the way a compiler checks a program."),
    "explain": ("explain", "Explain a rule of the compiler or the runtime."),
    "build": ("build", "Compile agents into bundles."),
    "inspect": ("inspect", "Say in words what a bundle lets the agent do."),
    "why": ("why", "Say why a call is allowed, asks or is refused."),
    "diff": ("diff", "Say what a change lets agents do."),
    "tighten": ("tighten", "Propose narrower permissions from recorded runs."),
    "graph": ("graph", "Draw what agents may do, and the flows that break a rule."),
    "baseline": ("baseline", "Record what agents may do, for what no change may go beyond."),
    "keygen": ("keygen", "Make a key that signs bundles and channels."),
    "sign": ("sign", "Attest what a bundle is made of, or what was found about it."),
    "verify": ("verify", "Check that a bundle is whole, unchanged and trusted."),
    "push": ("push", "Put a bundle where machines get it from."),
    "pull": ("pull", "Get a bundle by its digest."),
    "deploy": ("deploy", "Point a channel at a bundle, for all sessions or for some of them."),
    "promote": ("promote", "Give the canary of a channel all sessions."),
    "rollback": ("rollback", "Take a channel back to the bundle before."),
    "status": ("status", "Say what workers run, what is stopped and what is disabled."),
    "disable": ("disable", "Stop a tool, an agent, a model or a group of approvers on every worker."),
    "enable": ("enable", "Undo `agentc disable`."),
    "run": ("run", "Run an agent and show what it does."),
    "eval": ("eval", "Run evals and judge their gates."),
    "dataset": ("dataset", "Grow files of cases out of runs and specs."),
    "redteam": ("redteam", "Attack agents with what their permissions suggest."),
    "runs": ("runs", "Look after runs, and let interrupted ones go on."),
    "approvals": ("approvals", "Decide what durable runs wait for."),
    "worker": ("worker", "Carry out durable runs, together with other workers."),
    "docs": ("docs", "Write a page and a runbook for each agent."),
    "dashboards": ("dashboards", "Write Grafana dashboards and Prometheus alert rules."),
    "serve": ("serve", "Serve agents over HTTP."),
    "keys": ("keys", "Make, list and withdraw API keys of a service."),
    "mock": ("mock", "Stand in for a toolset's service on this machine."),
    "audit": ("audit", "Verify and read the audit log."),
    "import": ("import_", "Bring API documents, and what providers say of themselves, into a project."),
}


class CommandTable(click.Group):
    """A group that imports a command's module when the command is looked up, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Look a command up; an unknown one is answered with the nearest name."""
        from ..diagnostics import did_you_mean

        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            raise click.UsageError(f"no command `{name}`; {did_you_mean(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. When the reader of its output (`| head`) has gone, end as a shell expects."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # What is left to print goes nowhere, also at interpreter exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(141) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table: help imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=CommandTable, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="agentc", message="%(prog)s %(version)s")
def cli() -> None:
    """A compiler for AI agents.

    Agents, tools and permissions are YAML specs. agentc checks them, compiles them into bundles that hold
    everything an agent may do and nothing else, and runs the bundles.

    \b
    Example:
      agentc init support && agentc validate support
    """


#: Characters of a line of an error: more is a value that somebody gave, and hides what is said of it.
LONGEST_LINE = 2000


class InputError(click.ClickException):
    """Input that can't be read: one line that says what and how to mend it. Exit code 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        """Print to standard error in the form of all our errors, whatever was given to us."""
        from agentc_runtime.quoting import shortened

        lines = "\n".join(shortened(line, LONGEST_LINE) for line in self.message.split("\n"))
        click.echo(f"error: {lines}", err=True)


def invoke() -> int:
    """Run the command line; the exit code. An internal error is a message, not a traceback."""
    try:
        result = cli.main(prog_name="agentc", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except Exception as error:
        if os.environ.get("AGENTC_DEBUG"):
            raise
        click.echo(
            f"internal error: {type(error).__name__}: {error}\n"
            "this is a bug in agentc: run again with AGENTC_DEBUG=1 and report the traceback",
            err=True,
        )
        return 3
    return result if isinstance(result, int) else 0
