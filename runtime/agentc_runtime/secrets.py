"""The one place that reads secrets, and that takes them out of text again."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from .bundle import Environment, Secret
from .refusals import Refusal, RefusedError

#: Bytes of a secret file that are read.
MAX_SECRET = 65_536
#: Characters that a secret has at least.
MIN_SECRET = 8
#: Values made with one secret that are recognised: more than are in use at a time.
REMEMBERED = 16
#: Characters that no JSON encoder writes in another way.
_UNESCAPED = re.compile(r"[A-Za-z0-9_.=+-]+")


class Secrets:
    """The secrets of one environment, read at the start, so that none passes unrecognised before its use.

    One that is not set is no error until it is asked for. Values are in no `repr` and no exception.
    """

    def __init__(self, environment: Environment, environ: Mapping[str, str]) -> None:
        self._sources = environment.secrets
        self._environ = environ
        self._values: dict[str, str] = {}
        self._learned: dict[str, deque[str]] = {}
        self._covers: tuple[tuple[str, str], ...] = ()
        self._needles: frozenset[bytes] = frozenset()
        for name in environment.secrets:
            with contextlib.suppress(RefusedError):
                self.get(name)

    def get(self, name: str) -> str:
        """The value of the secret `name`, without line ends after it.

        Raises:
            RefusedError: AR506 it is not declared, not set or empty, or its file can't be read. The refusal's
                `value` is the secret's name.
        """
        value = self._values.get(name)
        if value is None:
            value = self._read(name)
            self._values[name] = value
            self._cover()
        return value

    def learn(self, name: str, value: str) -> None:
        """Take out `value` as well, which was made with the secret `name`: the last ones are remembered."""
        learned = self._learned.setdefault(name, deque(maxlen=REMEMBERED))
        if value in learned:
            learned.remove(value)
        learned.append(value)
        self._cover()

    def _cover(self) -> None:
        known = [*self._values.items()]
        known += [(name, value) for name, values in self._learned.items() for value in values]
        covers = {(form, f"[secret {name}]") for name, value in known for form in _forms(value)}
        # longest first: a secret that contains another one is replaced as a whole
        self._covers = tuple(sorted(covers, key=lambda cover: (-len(cover[0]), cover)))
        self._needles = frozenset(_needle(form) for form, _ in self._covers)

    def redact(self, text: str) -> str:
        """`text` with each secret replaced by `[secret NAME]`, in any spelling of requests."""
        for form, cover in self._covers:
            if form in text:
                text = text.replace(form, cover)
        return text

    def redact_data(self, value: object) -> object:
        """A JSON value with `redact` applied to each string and key. The same object if nothing is in it."""
        if isinstance(value, str):
            return self.redact(value)
        return value if self._free(value) else self._redacted(value)

    def redact_object(self, value: dict[str, object]) -> dict[str, object]:
        """`redact_data` of an object."""
        if self._free(value):
            return value
        return {self.redact(name): self._redacted(item) for name, item in value.items()}

    def _free(self, value: object) -> bool:
        """Whether it is certain, without a walk through `value`, that no secret stands in it."""
        if not self._covers:
            return True
        try:
            text = msgspec.json.encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
            return False
        return not any(needle in text for needle in self._needles)

    def _redacted(self, value: object) -> object:
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {self.redact(str(key)): self._redacted(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._redacted(item) for item in value]
        return value

    def _read(self, name: str) -> str:
        source = self._sources.get(name)
        if source is None:
            raise _unset(name, f"secret `{name}` has no source in the environment's `secrets`")
        if source.env is not None:
            where = f"the environment variable `{source.env}`"
            value = self._environ.get(source.env, "")
        else:
            where = f"the file `{source.file}`"
            value = _from_file(name, source)
        value = value.rstrip("\r\n")
        if not value:
            raise _unset(name, f"secret `{name}` is not set; set {where}")
        if len(value) < MIN_SECRET:
            # Redaction would take these few characters out of every text that holds them.
            message = f"secret `{name}` is shorter than {MIN_SECRET} characters, which is no secret"
            raise _unset(name, f"{message}; set {where} to a longer one")
        return value


def _from_file(name: str, source: Secret) -> str:
    try:
        with Path(source.file or "").open(encoding="utf-8") as file:
            return file.read(MAX_SECRET)
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise _unset(
            name, f"secret `{name}` can't be read from the file `{source.file}`: {problem}"
        ) from None


def _forms(value: str) -> frozenset[str]:
    """The spellings in which a secret stands in headers, URLs and JSON."""
    encoded = base64.b64encode(value.encode()).decode()
    escaped = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    return frozenset((value, encoded, quote(value, safe=""), *escaped))


def _needle(form: str) -> bytes:
    """The longest piece of `form` that every JSON text of a string with `form` in it contains as it is."""
    return max(_UNESCAPED.findall(form), key=len, default="").encode()


def _unset(name: str, message: str) -> RefusedError:
    return RefusedError(Refusal(code="AR506", message=message, value=name))
