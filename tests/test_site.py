"""The book, built and opened: links, requests, console, moving figures, accessibility, phone and dark."""

import importlib
import json
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import TimeoutError as TookTooLong

import paullite as pl
from tests.chapters import CHAPTERS
from tests.site import AXE, broken, browser, build, lacking, pages, states

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTHS = (390, 1280)  # a phone, then a computer
THEMES = ("light", "dark")
SETTINGS = 20
SERIOUS = ("serious", "critical")
RESULTS = "f => [...f.querySelectorAll('output[data-name]')].map(o => [o.dataset.name, o.textContent])"
# Of axe's rules only the one on contrast depends on the theme, so that the dark page is looked at with this one alone.
# "region" takes a third of the time and is never graded above moderate, so that nothing of it would be reported.
RULES = {
    "light": {"rules": {"region": {"enabled": False}}},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium() -> Iterator:
    """One browser for all visits, which keeps what the pages share, as a reader's does."""
    with browser() as opened:
        yield opened.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")


class Visit:
    """One page in a browser that is to load from ``base`` only, with all that went wrong."""

    def __init__(self, chromium, base: str, path: str) -> None:
        self.base, self.wrong = base, []
        self.page = chromium.new_page()
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._only_the_book)  # a route would see it, too, but switches the browser's cache off
        self.page.goto(base + path)
        self.page.wait_for_load_state("load")

    def _only_the_book(self, request) -> None:
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.wrong.append(f"asks for {request.url}")

    def figures(self) -> list:
        """The figures with controls."""
        return self.page.query_selector_all("figure.paul-figure[data-script]")

    def show(self, *, width: int = 1280, theme: str = "light") -> None:
        """Change the width and the system's preference of the open page, as a reader would."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=theme)
        try:
            self.page.wait_for_function("t => document.documentElement.dataset.theme === t", arg=theme, timeout=5_000)
        except TookTooLong:
            self.wrong.append(f"does not change to {theme}, which the reader's system asks for")

    def close(self) -> None:
        self.page.close()


def test_no_link_is_broken_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    assert broken(site) == []


def test_no_page_shows_markup_that_was_not_understood(site: Path) -> None:
    raw = re.compile(r"\{(doc|term|ref|numref|cite:[pt]|symbol|test|chapter)\}")
    assert [path for path in pages(site) if raw.search((site / path).read_text(encoding="utf-8"))] == []


def test_chapters_have_a_colab_button_to_themselves(site: Path) -> None:
    from book.tools.notebooks import repository

    where = repository().removeprefix("https://github.com/")
    for chapter in CHAPTERS:
        page = (site / "notebooks" / chapter.name).with_suffix(".html").read_text(encoding="utf-8")
        address = f"https://colab.research.google.com/github/{where}/blob/v{pl.__version__}/notebooks/{chapter.name}"
        assert address in page and "mybinder" not in page


def test_every_page_has_a_card_for_those_who_share_it(site: Path) -> None:
    for page in pages(site):
        text = (site / page).read_text(encoding="utf-8")
        assert all(f'property="og:{what}"' in text for what in ("title", "url", "image", "description")), page
        assert "card.png" in text and (site / "_static" / "card.png").is_file()


def test_every_page_opens_clean(chromium, served: str, site: Path) -> None:
    """Each page is opened once: no error, no request elsewhere; then in both widths and both themes."""
    wrong = []
    for path in pages(site):
        visit = Visit(chromium, served, path)
        if visit.page.query_selector(".math"):
            visit.page.wait_for_selector("mjx-container", timeout=20_000)
        found = [*layout_faults(visit), *serious_findings(visit)]
        wrong += [f"{path}: {what}" for what in [*visit.wrong, *found]]
        visit.close()
    assert not wrong, "\n".join(wrong)


def layout_faults(visit: Visit) -> Iterator[str]:
    """No sideways scroll, the theme of the reader's system, every control moves its picture."""
    for width in WIDTHS:
        for theme in THEMES:
            visit.show(width=width, theme=theme)
            wide = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                yield f"{wide} pixels too wide at {width}, {theme}"
    for figure in visit.figures():
        yield from controls_that_change_nothing(figure)


def serious_findings(visit: Visit) -> Iterator[str]:
    """What axe finds of the two upper grades, light and dark."""
    if not AXE.is_file():
        return
    visit.page.evaluate(AXE.read_text(encoding="utf-8"))
    for theme, rules in RULES.items():
        visit.show(theme=theme)
        options = {"resultTypes": ["violations"], **rules}
        for rule in visit.page.evaluate("options => axe.run(document, options)", options)["violations"]:
            if rule["impact"] in SERIOUS:
                yield from (f"{theme}: {rule['id']}: {node['html'][:150]}" for node in rule["nodes"][:3])


def test_accessibility_was_looked_at() -> None:
    if not AXE.is_file():
        lacking("axe-core (npm install)")


# What a figure shows: drawings, pictures and whether they are seen, results, and where its handles are. The place of a
# slider and the frame around what has the focus are no part of it: they change with every key.
SHOWN = """figure => [...figure.querySelectorAll("svg, img, ol, output[data-name], button[style]")]
    .map((part) => part.outerHTML + part.checkVisibility()).join("")"""


def controls_that_change_nothing(figure) -> list[str]:
    """Names of the controls whose key presses leave the figure as it is, and controls without a name."""
    found, controls = [], figure.query_selector_all("input, button, select, [tabindex='0']")
    if not controls:
        return [f"figure {figure.get_attribute('data-script')} has no control"]
    for control in controls:
        name = control.evaluate("c => c.getAttribute('aria-label') || c.labels?.[0]?.textContent || c.textContent")
        if not (name or "").strip():
            found.append("a control without a name")
        if not control.is_enabled() or not control.is_visible():
            continue
        before = figure.evaluate(SHOWN)
        for key in keys_of(control):
            control.press(key)
            if figure.evaluate(SHOWN) != before:
                break
        else:
            found.append(f"{figure.get_attribute('data-script')}: {name!r} changes nothing")
    return found


def keys_of(control) -> list[str]:
    """Keys that ought to move a control: arrows for what slides, the space bar for what is pressed."""
    kind = control.evaluate("c => c.tagName === 'INPUT' ? c.type : c.tagName.toLowerCase()")
    arrows = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"]
    return {"range": ["End", "Home"], "checkbox": ["Space"]}.get(kind, [*arrows, "Enter"])


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.name[:2])
def test_figures_compute_what_paullite_computes(chromium, served: str, chapter: Path) -> None:
    """20 random settings of every figure that computes in the page."""
    visit = Visit(chromium, served, f"notebooks/{chapter.stem}.html")
    for figure in visit.figures():
        script = figure.get_attribute("data-script")
        if script == "frames":
            continue
        twin = importlib.import_module(f"tests.figures.{script}")
        data, history = figure.evaluate("f => f.paulData"), []
        for setting in twin.settings(random.Random(0)):
            history.append(setting)
            put(figure, setting)
            shown = dict(figure.evaluate(RESULTS))
            expected = twin.expected(history, data)
            assert expected and {name: shown.get(name) for name in expected} == expected, (script, setting)
        assert len(history) >= SETTINGS
    visit.close()


# The labels that no control has. Real keys are pressed in `controls_that_change_nothing`.
PUT = """(figure, setting) => {
    const name = (c) => c.getAttribute("aria-label") || c.labels?.[0]?.querySelector("span").textContent;
    const labelled = (label) => [...figure.querySelectorAll("input, select, button")].find((c) => name(c) === label);
    const missing = [];
    for (const [label, key] of setting.keys || []) {
        const control = labelled(label);
        if (!control) missing.push(label);
        else if (key === "Enter") control.click();
        else control.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    }
    for (const [label, value] of Object.entries(setting)) {
        if (label === "keys") continue;
        const input = labelled(label);
        if (!input) { missing.push(label); continue; }
        if (input.type === "checkbox") input.checked = Boolean(value); else input.value = value;
        for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind, { bubbles: true }));
    }
    return missing;
}"""


def put(figure, setting: dict) -> None:
    """Bring a figure's controls into a setting: sliders and boxes by their label, buttons by keys."""
    missing = figure.evaluate(PUT, setting)
    assert not missing, f"no control is labelled {', '.join(missing)}"


def test_works_from_a_folder_without_a_server(chromium, site: Path) -> None:
    """From file://, with search: the index is a script of the book."""
    base = site.as_uri() + "/"
    visit = Visit(chromium, base, "search.html?q=gallery")
    visit.page.wait_for_selector("#search-results li a", timeout=20_000)
    assert not visit.wrong
    visit.close()
    for chapter in CHAPTERS:
        visit = Visit(chromium, base, f"notebooks/{chapter.stem}.html")
        assert not visit.wrong and visit.figures()
        visit.close()


def test_explorer_is_on_its_pages_alone_and_below_its_weight(site: Path) -> None:
    folder = site / "_static" / "explorer"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 8_000_000
    loaded = [page for page in pages(site) if "explorer/explorer.js" in (site / page).read_text(encoding="utf-8")]
    assert loaded == ["book/explorer.html", "book/intro.html"]


def test_links_to_the_explorer_open_what_they_say(site: Path) -> None:
    """Every name and value of a state that a page links to is one that the explorer of the book has."""
    found = sorted(states(site))
    node = shutil.which("node")
    if not node:
        lacking("node")
    data = site / "_static" / "explorer" / "data.js"
    runner = [str(node), str(Path(__file__).parent / "explorer" / "run.mjs"), str(data)]
    tasks = json.dumps([{"task": "link", "text": text} for text in found])
    done = subprocess.run(runner, input=tasks, capture_output=True, text=True, check=True)
    assert (
        found
        and {text: one["unread"] for text, one in zip(found, json.loads(done.stdout), strict=True) if one["unread"]}
        == {}
    )


def test_explorer_starts_in_the_book_from_a_folder(chromium, site: Path) -> None:
    visit = Visit(chromium, site.as_uri() + "/", "book/intro.html")
    visit.page.get_by_role("button", name="Start", exact=True).click()
    found = "() => { const app = document.querySelector('.paul-explorer').paul; return app?.seen && app.found; }"
    visit.page.wait_for_function(found, timeout=60_000)
    for width in WIDTHS:
        for theme in THEMES:
            visit.show(width=width, theme=theme)
            assert visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    assert not visit.wrong
    visit.close()


def test_print_shows_no_navigation(chromium, served: str) -> None:
    visit = Visit(chromium, served, "book/intro.html")
    visit.page.emulate_media(media="print")
    for part in (".bd-sidebar-primary", ".bd-header-article"):
        found = visit.page.query_selector(part)
        assert found is None or not found.is_visible(), part
    assert re.search(r"\w", visit.page.inner_text("main"))
    visit.close()
