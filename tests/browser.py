"""Opens built pages in a real Chromium, the network off, and tells what it saw."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]


@dataclass
class Opened:
    """A page as a browser shows it.

    messages  what it wrote on the console, errors and blocked content included
    requests  addresses it asked for beside its own file
    """

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @property
    def scrolls_sideways(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def chromium() -> str:
    """The machine's Chromium; without one the test is skipped, in CI it fails."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path:
        return path
    if os.environ.get("CI"):
        pytest.fail("CI needs Chromium on the PATH: the pages were not looked at")
    pytest.skip("no Chromium on the PATH")


@contextmanager
def open_page(
    path: Path, *, dark: bool = False, width: int = 1280, lang: str = "en", media: str = "screen",
) -> Iterator[Opened]:
    """The page at `path`, `width` CSS pixels wide, for a reader who prefers dark or light, on screen or in print."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = browser.new_context(
            color_scheme="dark" if dark else "light", viewport={"width": width, "height": 800}, locale=lang,
            offline=True)
        opened = Opened(context.new_page())
        own = path.resolve().as_uri()
        opened.page.on("console", lambda message: opened.messages.append(message.text))
        opened.page.on("pageerror", lambda error: opened.messages.append(str(error)))
        opened.page.on("request", lambda request: request.url == own or opened.requests.append(request.url))
        opened.page.emulate_media(media=media)
        opened.page.goto(own)
        try:
            yield opened
        finally:
            browser.close()


def axe(opened: Opened) -> list[str]:
    """What axe-core objects to: rule, element, reason; empty when nothing."""
    found = Axe().run(opened.page).response["violations"]
    return [f"{violation['id']}: {node['target']}: {node['failureSummary']}"
            for violation in found for node in violation["nodes"]]
