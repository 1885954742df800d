"""`agentc status`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from . import InputError
from .options import text_or_json
from .release import CONTROL, open_control

if TYPE_CHECKING:
    from agentc_runtime.release.reports import WorkerStatus


@click.command("status")
@CONTROL
@text_or_json("How it is written.")
def command(control: str, format_: str) -> int:
    """Say what workers run, what is stopped and what is disabled.

    It is what the workers that share the control have reported last. Exit code 1: a worker has a problem, or
    an arm was stopped.

    \b
    Example:
      agentc status --control /srv/agentc
    """
    import msgspec

    from agentc_runtime.release.reports import read_status
    from agentc_runtime.release.switching import NAME, read_switches
    from agentc_runtime.switches import ControlError

    opened = open_control(control)
    try:
        switches = read_switches(opened.read(NAME).data)
        found = [read_status(opened.read(name).data) for name in opened.names("workers/")]
    except ControlError as error:
        raise InputError(str(error)) from error
    workers = [one for one in found if one is not None]
    if format_ == "json":
        told = {"workers": msgspec.to_builtins(workers), "switches": msgspec.to_builtins(switches)}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for worker in workers:
            _show(worker)
        for switch in switches:
            where = f" in `{switch.agent}`" if switch.agent else ""
            click.echo(f"{switch.kind} `{switch.name}`{where} is {switch}")
        if not workers and not switches:
            click.echo("no worker has reported, and nothing is disabled")
    stopped = any(arm.stopped for worker in workers for arm in worker.arms)
    return 1 if stopped or any(worker.problem for worker in workers) else 0


def _show(worker: WorkerStatus) -> None:
    from agentc_runtime.quoting import shortened

    where = f"{worker.agent} in {worker.channel}"
    behind = "" if worker.newest == worker.sequence else f", and has seen {worker.newest}"
    click.echo(f"{worker.worker}  {where}  pointer {worker.sequence}{behind}  {worker.checked}")
    for arm in worker.arms:
        counts = arm.counts
        click.echo(
            f"    {arm.name}  {arm.version}  {arm.percent} %  {counts.runs} runs, {counts.failed} failed, "
            f"{counts.refused} of {counts.calls} calls refused  sha256:{arm.digest[:12]}"
        )
        if arm.stopped:
            click.echo(f"        stopped: {shortened(arm.stopped)}")
    if worker.problem:
        click.echo(f"    problem: {shortened(worker.problem)}")
