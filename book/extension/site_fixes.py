"""What this book needs from Sphinx beyond Jupyter Book's own settings. Jupyter Book loads it by ``local_extensions``.

The repository's address (``address.py``) is enough: the site's address, the social card's and the one that readers
clone are derived from it here. The Colab button opens a chapter at the tag of this version, which is what its first
cell installs; the button to edit a page leads to the branch. A badge in a notebook is for GitHub; no page shows it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from address import repository, without_badge
from sphinx.application import Sphinx
from sphinx.config import Config

import paullite

ADDRESS, FOLDER = "@REPOSITORY@", "@FOLDER@"  # stand in a page for the repository's address, and for its name
CARD = "_static/card.png"
CARD_TEXT = "PAUL, learned by doing. A drawn person cut into six patches, and a ranked list of who looks most alike."

# What Sphinx writes, and what a screen reader can make sense of: a button whose
# label is not its text, a list of nothing but <dd>, a list without items
MENDINGS = {
    ' aria-label="Toggle hidden content"': "",
    '<dl>\n<dd><em class="sig-param': '<dl role="presentation">\n<dd><em class="sig-param',
    '<div role="list" class="citation-list">': '<div class="citation-list">',
}

COLAB = re.compile(r"(https://colab\.research\.google\.com/github/[^/\"]+/[^/\"]+/blob/)[^/\"]+/")
# A drawing in the button for light and dark: by chance its title becomes a text of the button, or does not
SWITCH = re.compile(r'(<i class="theme-switch [^>]*?) +title="[^"]*"')


def pages_address(repository: str) -> str:
    """Where GitHub Pages serves a repository; empty for another host.

    >>> pages_address("https://github.com/Someone/paullite")
    'https://someone.github.io/paullite/'
    >>> pages_address("https://example.org/someone/paullite")
    ''
    """
    address = urlsplit(repository)
    parts = address.path.strip("/").removesuffix(".git").split("/")
    if address.netloc != "github.com" or len(parts) != 2:
        return ""
    owner, name = parts
    return f"https://{owner.lower()}.github.io/{name}/"


def derive_addresses(app: Sphinx, config: Config) -> None:
    """Canonical links and social cards need whole addresses; one that is set by hand in ``_config.yml`` stays."""
    config.html_theme_options["repository_url"] = repository(Path(app.srcdir))
    site = config.html_baseurl or pages_address(config.html_theme_options["repository_url"])
    if not site:
        return
    config.html_baseurl = site
    config.ogp_site_url = config.ogp_site_url or site
    config.ogp_image = config.ogp_image or site + CARD
    config.ogp_image_alt = config.ogp_image_alt or CARD_TEXT


def write_address(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the repository's address and name where a page has their markers, in code blocks too; no badge."""
    address = str(app.config.html_theme_options["repository_url"])
    source[0] = without_badge(source[0]).replace(ADDRESS, address).replace(FOLDER, address.rsplit("/", 1)[-1])


def share_visitors(app: Sphinx) -> None:
    """The one-page build needs writers for every kind of node; sphinx-proof registers its own for html alone."""
    handlers = app.registry.translation_handlers
    if app.builder.name == "singlehtml":
        handlers["singlehtml"] = {**handlers.get("html", {}), **handlers.get("singlehtml", {})}


def drop_thebe(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """sphinx-thebe, which nothing here uses, adds its script twice: an error in every page's console."""
    context["script_files"] = [script for script in context.get("script_files", []) if not is_thebe(script)]


def mend_markup(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Put what a screen reader can make sense of in place of what Sphinx writes."""
    for written, meant in MENDINGS.items():
        context["body"] = context.get("body", "").replace(written, meant)


def mend_buttons(app: Sphinx, error: Exception | None) -> None:
    """Colab opens a chapter as it was released. The drawings in the button for light and dark are for the eye alone."""
    if error is None and app.builder.format == "html":
        for page in Path(app.outdir).rglob("*.html"):
            text = SWITCH.sub(r'\1 aria-hidden="true"', page.read_text(encoding="utf-8"))
            page.write_text(COLAB.sub(rf"\g<1>v{paullite.__version__}/", text), encoding="utf-8")


def is_thebe(script: Any) -> bool:
    """Whether a script of a page belongs to sphinx-thebe."""
    attributes = getattr(script, "attributes", {})
    return "sphinx-thebe" in str(getattr(script, "filename", "")) or "THEBE_JS_URL" in str(attributes.get("body", ""))


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("config-inited", derive_addresses, priority=900)
    app.connect("source-read", write_address)
    app.connect("builder-inited", share_visitors)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", mend_markup, priority=900)
    app.connect("build-finished", mend_buttons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
