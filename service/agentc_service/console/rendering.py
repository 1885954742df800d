"""Pages from templates. All data is hostile: escaped, and with what can't be seen made visible."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from agentc.drawing.svg import STYLE
from agentc_runtime.durable.views import RunView
from agentc_runtime.quoting import visible

#: Characters of one value that a page shows.
LONGEST: Final = 20_000
STATIC: Final[Mapping[str, str]] = {
    "console.css": "text/css",
    "console.js": "text/javascript",
    "drawing.css": "text/css",
    "icon.svg": "image/svg+xml",
}
#: The words for what runs and approvals are, with the tone they are shown in.
TONES: Final[Mapping[str, str]] = {
    "queued": "plain",
    "running": "live",
    "waiting": "warn",
    "pending": "warn",
    "needs_attention": "bad",
    "succeeded": "good",
    "approved": "good",
    "failed": "bad",
    "rejected": "bad",
    "expired": "plain",
    "cancelled": "plain",
    "void": "plain",
}


def render(template: str, **data: object) -> str:
    """The page that a template gives with this data."""
    return _environment().get_template(template).render(data)


@cache
def static(name: str) -> bytes:
    """A file that pages ask for."""
    if name == "drawing.css":
        return STYLE.encode()
    return (resources.files(__package__) / "static" / name).read_bytes()


def legible(text: str) -> str:
    """`text` with control characters, direction overrides and the like written out, so that none can hide."""
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in text.split("\n"))


def prose(text: str) -> Markup:
    """Text in which names stand in backticks, with these set apart."""
    pieces = legible(text).split("`")
    if len(pieces) % 2 == 0:
        return escape("`".join(pieces))
    return Markup().join(
        Markup("<code>{}</code>").format(piece) if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    )


def pretty(value: object) -> str:
    """JSON data or JSON text, indented; other text as it is; cut when it is long."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return _cut(str(value))
    if isinstance(value, str):
        return _cut(value)
    return _cut(json.dumps(value, indent=2, ensure_ascii=False))


def gist(payload: Mapping[str, object]) -> str:
    """What a record is about, in a line: tools, people and statuses that it names."""
    refusal = payload.get("refusal")
    code = refusal.get("code") if isinstance(refusal, Mapping) else payload.get("code")
    named = [payload.get(name) for name in ("agent", "tool", "state", "status", "resolution", "by")]
    return "  ".join(str(one) for one in (*named, code) if isinstance(one, str | int)) or "payload"


def ago(text: str) -> str:
    """How long ago a time was, or how long until it comes."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()
    span = duration(abs(seconds))
    return f"{span} ago" if seconds >= 0 else f"in {span}"


def duration(seconds: float) -> str:
    """A time span in its two largest units."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s"


def took(run: RunView) -> float:
    """The seconds that a run took, until now if it goes on."""
    end = datetime.now(UTC) if run.ended is None else datetime.fromisoformat(run.ended)
    return (end - datetime.fromisoformat(run.started)).total_seconds()


def clock(text: str) -> str:
    """A time as people read it, in UTC."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S")


def money(value: str | float | None) -> str:
    """US dollars."""
    if value is None:
        return "—"
    amount = float(value)
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.4f}"


def percent(value: float) -> str:
    """A share."""
    return f"{value * 100:.1f} %"


def tone(status: str) -> str:
    """How a status is shown."""
    return TONES.get(status, "plain")


def words(status: str) -> str:
    """A status as people say it."""
    return status.replace("_", " ")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n… {len(text) - LONGEST:,} more characters"


def _shown(value: object) -> object:
    return value if isinstance(value, Markup) or not isinstance(value, str) else legible(value)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for one in (prose, pretty, gist, ago, duration, took, clock, money, percent, tone, words):
        environment.filters[one.__name__] = one
    environment.globals["assets"] = {
        name: f"/console/static/{name}?{hashlib.sha256(static(name)).hexdigest()[:12]}" for name in STATIC
    }
    return environment
