"""The built book, as the tests of it see it: pages, links, a browser without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest

from book.tools import browser as chromium

ROOT = Path(__file__).parent.parent
AXE = ROOT / ".venv" / "axe-core" / "node_modules" / "axe-core" / "axe.min.js"
STATE = "tab="  # begins the part behind the # of a link that opens the explorer in a certain state


def lacking(what: str) -> None:
    """A laptop without a browser skips; CI, which sets PAULLITE_ALL_TESTS, fails."""
    message = f"{what} is missing: the pages of the book are not opened"
    if os.environ.get("PAULLITE_ALL_TESTS"):
        pytest.fail(message)
    pytest.skip(message)


def build(folder: Path, sources: Path = ROOT) -> Path:
    """A clean build with warnings as errors. Returns the folder of the pages."""
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [*command, "--path-output", str(folder), "."], cwd=sources, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder / "_build" / "html"


def pages(site: Path) -> list[str]:
    """Every page that a reader can reach, as a path below the site."""
    left_out = ("genindex.html", "py-modindex.html", "search.html")
    found = [p.relative_to(site).as_posix() for p in sorted(site.rglob("*.html")) if "_static" not in p.parts]
    return [p for p in found if p not in left_out and not p.startswith("_modules/") and p != "index.html"]


class _Links(HTMLParser):
    """What a page links to and loads, and the places in it that can be linked to."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.places |= {str(values[name]) for name in ("id", "name") if values.get(name)}
        if tag == "a" and values.get("href"):
            self.links.append(str(values["href"]))
        loads = values.get("src") or (values.get("href") if tag == "link" and _loads(values) else None)
        if loads:
            self.loads.append(str(loads))


def _loads(values: dict[str, str | None]) -> bool:
    return bool({"stylesheet", "icon", "preload", "modulepreload"} & set((values.get("rel") or "").split()))


def links(page: Path) -> _Links:
    """Parse one page."""
    parser = _Links()
    parser.feed(page.read_text(encoding="utf-8"))
    return parser


def broken(site: Path) -> list[str]:
    """Links inside the site that lead nowhere, and everything loaded from another host."""
    paths = [p.relative_to(site) for p in site.rglob("*.html")]
    pages_alone = [path for path in paths if path.parts[0] != "_static"]  # there lie the theme's templates
    known = {path.as_posix(): links(site / path) for path in pages_alone}
    found = []
    for page, parsed in known.items():
        found += [f"{page} loads {url}" for url in parsed.loads if urlsplit(url).scheme in ("http", "https")]
        for link in [*parsed.links, *parsed.loads]:
            if urlsplit(link).scheme or link.startswith("//"):
                continue
            address, place = urldefrag(unquote(urljoin(page, link)))
            target = address.split("?")[0]
            if not (site / target).exists():
                found.append(f"{page} -> {link}")
            elif place and target in known and place not in known[target].places and not place.startswith(STATE):
                found.append(f"{page} -> {link} (no such place)")
    return found


def states(site: Path) -> set[str]:
    """The states of the explorer that pages link to."""
    found = {urldefrag(link).fragment for page in site.rglob("*.html") for link in links(page).links}
    return {unquote(place) for place in found if place.startswith(STATE)}


@contextmanager
def browser() -> Iterator:
    """Chromium, or the test is left out."""
    try:
        with chromium.browser() as opened:
            yield opened
    except chromium.NoBrowserError:
        lacking("Chromium (playwright install chromium)")
