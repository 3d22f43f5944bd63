"""A real headless browser for tests, which remembers everything that a page should never do."""

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
AXE = Path(sys.prefix) / "axe" / "node_modules" / "axe-core" / "axe.min.js"
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make browser, as root)")
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed (make browser, where npm is)")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update"]
SERIOUS = ("serious", "critical")


class Watched:
    """A page and what it did: errors on its console, requests beyond its origin."""

    def __init__(self, page, origin: str) -> None:
        self.page, self.errors, self.foreign = page, [], []
        page.on("console", lambda message: message.type in ("error", "warning") and
                self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: request.url.startswith((origin, "file:")) or
                self.foreign.append(request.url))
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog {dialog.message}"), dialog.dismiss()))

    def require_quiet(self) -> None:
        assert not self.errors and not self.foreign, (self.errors, self.foreign)


@contextlib.contextmanager
def browser() -> Iterator[object]:
    """A browser for the length of the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        try:
            yield started
        finally:
            started.close()


def serious_findings(page) -> list[str]:
    """What axe-core finds on a page that keeps somebody from using it, with where."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{each['id']} {each['nodes'][0]['target']}: {each['help']}" for each in found
            if each["impact"] in SERIOUS]
