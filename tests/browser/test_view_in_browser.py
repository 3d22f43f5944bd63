"""The viewer in a real browser: it asks nobody else, what others wrote does nothing, and keys alone suffice."""

import json

import pytest

from lema.records import Correction, read_rows
from lema.runs.ratings import ratings_of
from tests.browser.pages import Watched, browser, needs_axe, needs_chromium, serious_findings
from tests.commands.view.made import run_by_hand, small_run
from tests.commands.view.viewing import viewing

pytestmark = [needs_chromium, pytest.mark.slow]
pytest.importorskip("playwright.sync_api", reason="playwright is not installed (make test installs it)")
HOSTILE = ("<script>document.title='taken'</script>\"'><img src=x onerror=\"document.title='taken'\">"
           "</pre></style></textarea><style>*{display:none}</style>"
           "<a href=\"javascript:document.title='taken'\">x</a>"
           "{{ 7 * 7 }}${7*7}\u202egnp.\u2066\u200f\u061cend")
CLICKED = "a[href], button, input, select, textarea, summary"
PAGES = ("", "rows?stage=graded", "rows?stage=verified&verdict=rejected", "rows?stage=sets/lema",
         "rows?stage=examined&arm=lema&sort=-tokens", "flips", "flips?arm=lema&other=cot&side=gained", "rate",
         "rate?stage=verified&rater=ada&sample=3", "rate?stage=verified&rater=ada&blind=yes", "ratings")


@pytest.fixture(scope="module")
def chromium():
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    run = run_by_hand(tmp_path_factory.mktemp("hostile"), HOSTILE, questions=8)
    with viewing(run) as viewer:
        yield run, viewer


@pytest.fixture
def small(tmp_path):
    run = small_run(tmp_path)
    with viewing(run) as viewer:
        yield run, viewer


def opened(chromium, viewer, **how: object) -> Watched:
    return Watched(chromium.new_page(**how), f"http://127.0.0.1:{viewer.port}")


def every_page(run) -> list[str]:
    correction = next(read_rows(Correction, run / "verified/rows.jsonl"))
    return [*PAGES, f"question/{correction.id}"]


def test_no_page_asks_anybody_else_and_planted_text_does_nothing(chromium, hostile):
    run, viewer = hostile
    watched = opened(chromium, viewer)
    for path in every_page(run):
        watched.page.goto(f"{viewer.url}/{path}", wait_until="networkidle")
        assert "taken" not in watched.page.title(), path
        assert watched.page.locator("main script, main img, main style, a[href^='javascript']").count() == 0, path
        assert watched.page.locator("h1").is_visible(), path
        assert not {"\u202e", "\u2066", "\u200f"} & set(watched.page.inner_text("body")), path
    watched.require_quiet()
    assert "onerror" in watched.page.content(), "the text itself is shown"


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_scrolls_sideways(chromium, hostile, width):
    run, viewer = hostile
    watched = opened(chromium, viewer, viewport={"width": width, "height": 800})
    for path in every_page(run):
        watched.page.goto(f"{viewer.url}/{path}")
        assert watched.page.evaluate("document.documentElement.scrollWidth") == width, path


@needs_axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(chromium, small, scheme):
    run, viewer = small
    context = chromium.new_context(color_scheme=scheme, bypass_csp=True)
    watched = Watched(context.new_page(), f"http://127.0.0.1:{viewer.port}")
    for path in every_page(run):
        watched.page.goto(f"{viewer.url}/{path}")
        if watched.page.title().startswith("Not here"):
            continue
        assert not serious_findings(watched.page), path


@needs_axe
def test_axe_would_find_something_on_a_bad_page(chromium):
    page = chromium.new_page()
    page.set_content("<html><body><img src='data:,'><input></body></html>")
    assert len(serious_findings(page)) >= 2


def test_rating_by_keyboard_lands_in_the_rows_and_undo_takes_it_back(chromium, small):
    run, viewer = small
    watched = opened(chromium, viewer)
    page = watched.page
    page.goto(f"{viewer.url}/rate")
    page.keyboard.press("Tab")  # nothing but keys from here on
    page.focus("#rater")
    page.keyboard.type("ada")
    page.keyboard.press("Enter")
    page.wait_for_url("**rater=ada**")
    assert "teacher" not in page.inner_text("main"), "blind"
    for number, key in enumerate("123", 2):
        if key == "2":
            page.keyboard.press("n")
            page.keyboard.type("clumsy, x 1 u")
            page.keyboard.press("Escape")
        page.keyboard.press(key)
        page.wait_for_url(f"**at={number}**")
    assert [(row.rating, row.note, row.rater, row.blind) for row in ratings_of(run)] == [
        ("excellent", "", "ada", True), ("good", "clumsy, x 1 u", "ada", True), ("poor", "", "ada", True)]
    assert all(row.corrector == "teacher" for row in ratings_of(run)), "blind is the page, not the row"
    page.keyboard.press("u")
    page.wait_for_url("**at=3**")
    assert [row.rating for row in ratings_of(run)] == ["excellent", "good"]
    page.keyboard.press("x")
    page.locator("button[name=reject][aria-pressed=true]").wait_for()
    assert [(row.rating, row.rejected) for row in ratings_of(run)][-1] == ("", True)
    watched.require_quiet()


def test_the_funnel_is_the_entrance_and_keys_alone_lead_to_a_question(chromium, small):
    _, viewer = small
    watched = opened(chromium, viewer)
    page = watched.page
    page.goto(f"{viewer.url}/")
    loss = page.locator(".losses a").last
    count = int(loss.inner_text().split()[0])
    loss.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/rows?**")
    assert page.locator(".count").inner_text().startswith(f"{count} row")
    assert page.locator("tbody tr").count() == count
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/question/**")
    assert page.locator(":target").count() == 1
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
    watched.require_quiet()


def test_everything_that_can_be_clicked_is_reached_by_tab(chromium, small):
    _, viewer = small
    page = opened(chromium, viewer).page
    for path in ("rows?stage=verified", "rate?stage=verified&rater=ada&at=2"):
        page.goto(f"{viewer.url}/{path}")
        clicked = f"[...document.querySelectorAll('{CLICKED}')]"
        wanted = page.evaluate(f"{clicked}.filter(each => each.checkVisibility()).length")
        page.evaluate("window.reached = new Set(); document.addEventListener('focusin', "
                      "e => window.reached.add(e.target))")
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
        reached = page.evaluate(f"[...window.reached].filter(e => e.matches('{CLICKED}')).length")
        assert reached == wanted


def test_pages_turn_by_keys_and_a_filter_keeps_its_link(chromium, small):
    _, viewer = small
    watched = opened(chromium, viewer)
    page = watched.page
    page.goto(f"{viewer.url}/rows?stage=graded&size=25")
    first = page.locator("[data-row]").first.get_attribute("href")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**page=2**")
    assert page.locator("[data-row]").first.get_attribute("href") != first
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(lambda url: "page" not in url)
    page.select_option("#verdict", "wrong")
    page.click("text=Show")
    page.wait_for_url("**verdict=wrong**")
    assert "text=" not in page.url, "what is empty is not in the address"
    assert set(page.locator("td .verdict").all_inner_texts()) == {"wrong"}
    watched.require_quiet()


def test_a_run_that_is_going_shows_its_stages_and_last_replies(chromium, small):
    run, viewer = small
    watched = opened(chromium, viewer)
    page = watched.page
    page.goto(f"{viewer.url}/")
    assert page.locator("#live").is_hidden()
    import os
    import time
    facts = {"pid": os.getpid(), "began": time.time(), "stages": 9, "done": 4, "before": 0, "ended": None,
             "at_work": {"corrections": {"done": 5, "total": 50, "note": "$0.10", "since": time.time() - 5}}}
    (run / "progress.json").write_text(json.dumps(facts))
    page.reload()
    page.locator("#live-work li").first.wait_for()
    assert "4 of 9 stages" in page.inner_text("#live")
    assert "corrections: 5 of 50" in page.inner_text("#live-work") and "$0.10" in page.inner_text("#live-work")
    assert page.locator("#live-replies li").count() == 5
    watched.require_quiet()
