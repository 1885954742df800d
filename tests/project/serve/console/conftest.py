"""The console in a real browser: headless Chromium, with what it complains about."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
#: Where pictures of the pages go, for people to look at.
PICTURES = os.environ.get("AGENTC_SCREENSHOTS")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WAIT = 15_000


class Tab:
    """A page of the browser. `complaints`: errors of scripts, and what its policy stopped."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", self._said)
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', e =>"
            " console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
        )

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, path: str) -> Any:
        """Go to a page under `/console`."""
        return self.page.goto(f"{self.url}/console{path}")

    def sign_in(self, key: str, path: str = "/") -> None:
        """Sign in by hand, and land on `path`."""
        self.open(path)
        self.page.get_by_label("API key or token").fill(key)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("button", name="Sign out").wait_for()

    def shoot(self, name: str, *, whole: bool = True) -> None:
        """Keep a picture, where somebody wants them."""
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=whole)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser. While it is there an event loop runs in this thread, and no test of another module may."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the path: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Callable[..., Tab]]:
    """A maker of tabs, each of its own person. At the end none of them may have complained."""
    contexts, tabs = [], []

    def make(service: Any, **options: Any) -> Tab:
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, **options)
        contexts.append(context)
        tabs.append(Tab(context.new_page(), service.url))
        return tabs[-1]

    yield make
    complaints = [complaint for one in tabs for complaint in one.complaints]
    for context in contexts:
        context.close()
    assert complaints == []
