"""The page in a real browser: what a model wrote stays text, and the page looks as drawn in light and dark.

Needs Debian's `chromium`, which `make browser` installs where it may; skipped where it is not there.
"""

import re
import shutil
from pathlib import Path

import pytest

from lema.report.page import render
from tests.processes import ended
from tests.report.elements import Elements
from tests.report.examples import SCRIPT, hostile, report

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (make browser, as root)")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
           "--disable-background-networking", "--disable-component-update", "--hide-scrollbars")


def browse(page: str, folder: Path, *options: str) -> str:
    """Opens `page` from disk and returns what the browser prints."""
    opened = folder / "report.html"
    opened.write_text(page, encoding="utf-8")
    return ended([CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", *options, f"file://{opened}"],
                 check=True).stdout


def unguarded(page: str) -> str:
    """The page without its own policy, so that only the escaping protects it."""
    bare, removed = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert removed == 1
    return bare


def test_what_a_model_wrote_stays_text_in_a_browser(tmp_path):
    seen = browse(unguarded(render(hostile())), tmp_path, "--dump-dom")
    assert "<title>taken" not in seen
    elements = Elements(seen).elements
    assert not {"script", "img"} & {tag for tag, _ in elements}
    assert not any(name.startswith("on") for _, attributes in elements for name in attributes)
    assert seen.count("&lt;script&gt;") > 50


def test_the_same_text_unescaped_would_have_taken_the_page(tmp_path):
    page = unguarded(render(report())).replace("</body>", f"{SCRIPT}</body>")
    assert "<title>taken" in browse(page, tmp_path, "--dump-dom")


def test_the_pages_own_policy_stops_a_script_even_then(tmp_path):
    page = render(report()).replace("</body>", f"{SCRIPT}</body>")
    assert "<title>taken" not in browse(page, tmp_path, "--dump-dom")


def test_the_page_fits_a_phone_without_scrolling_sideways(tmp_path):
    (tmp_path / "inner.html").write_text(render(report()), encoding="utf-8")
    probe = """<!doctype html><title>-</title><iframe src="inner.html" width="360" height="800"></iframe>
    <script>onload = () => { const seen = document.querySelector("iframe").contentDocument.documentElement;
    document.title = "width " + seen.scrollWidth; }</script>"""
    seen = browse(probe, tmp_path, "--allow-file-access-from-files", "--dump-dom")
    assert "<title>width 360</title>" in seen


def test_light_and_dark_are_two_pages(tmp_path):
    pictures = []
    for scheme in (1, 0):
        shot = tmp_path / f"{scheme}.png"
        browse(render(report()), tmp_path, f"--blink-settings=preferredColorScheme={scheme}",
               "--window-size=900,600", f"--screenshot={shot}")
        pictures.append(shot.read_bytes())
    assert all(len(picture) > 10_000 for picture in pictures) and pictures[0] != pictures[1]
