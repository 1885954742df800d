"""Where values of secrets come from. A source gives a `Reading`, or refuses with AR506 or AR508.

Variables of the process and files are read here; Vault in `vault.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from .environments import Secret
from .refusals import Refusal, RefusedError

#: Characters of a secret file that are read, and of a value in Vault that are taken.
MAX_SECRET: Final = 65_536
#: Characters that a secret has at least.
MIN_SECRET: Final = 8


class Reading(NamedTuple):
    """The value of a secret, and for how many seconds it is good."""

    value: str
    seconds: float = math.inf


def read_local(name: str, source: Secret | None, environ: Mapping[str, str]) -> Reading:
    """The value of the secret `name` in a variable of the process or in a file.

    Raises:
        RefusedError: AR506 it is not declared, not set, or too short, or its file can't be read.
    """
    if source is None:
        raise unset(name, f"secret `{name}` has no source in the environment's `secrets`")
    if source.env is not None:
        where = f"the environment variable `{source.env}`"
        value = environ.get(source.env, "")
    else:
        where = f"the file `{source.file}`"
        value = _from_file(name, source)
    return Reading(checked(name, value, where))


def checked(name: str, value: str, where: str) -> str:
    """`value` without line ends after it.

    Raises:
        RefusedError: AR506 it is empty or shorter than `MIN_SECRET`.
    """
    value = value.rstrip("\r\n")
    if not value:
        raise unset(name, f"secret `{name}` is not set; set {where}")
    if len(value) < MIN_SECRET:
        # Redaction would take these few characters out of every text that holds them.
        message = f"secret `{name}` is shorter than {MIN_SECRET} characters, which is no secret"
        raise unset(name, f"{message}; set {where} to a longer one")
    return value


def unset(name: str, message: str) -> RefusedError:
    """AR506 about the secret `name`."""
    return RefusedError(Refusal(code="AR506", message=message, value=name))


def _from_file(name: str, source: Secret) -> str:
    try:
        with Path(source.file or "").open(encoding="utf-8") as file:
            return file.read(MAX_SECRET)
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        message = f"secret `{name}` can't be read from the file `{source.file}`: {problem}"
        raise unset(name, message) from None
