"""The language of the book: ``make book LANGUAGE=ko``. English is what the sources are written in.

A language is a folder of ``book/locale`` with catalogues, one for each page that is translated. Pages without a
catalogue, and messages without a translation, stay English. The labels of the explorer have a catalogue of their own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from docutils import nodes
from sphinx.addnodes import toctree
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError
from sphinx.locale import init as open_catalogue
from sphinx.util.i18n import docname_to_domain

VARIABLE = "PAULLITE_LANGUAGE"
SOURCE = "en"
LOCALE = Path("book") / "locale"
EXPLORER = "explorer"  # the catalogue of the explorer's labels
START = "book/intro"  # the start page's catalogue has the title of the book and the parts of its table of contents, too
PLACE = 'class="paul-explorer"'


def languages(root: Path) -> list[str]:
    """Languages that a copy of the book has, English first."""
    return [SOURCE, *sorted(path.name for path in (root / LOCALE).glob("*") if (path / "LC_MESSAGES").is_dir())]


def chosen(root: Path) -> str:
    """The language that is asked for.

    Raises:
        ConfigError: the book has no such language.
    """
    asked, known = os.environ.get(VARIABLE) or SOURCE, languages(root)
    if asked not in known:
        raise ConfigError(f"found LANGUAGE={asked}; expected one of: {', '.join(known)}; try: make book LANGUAGE=ko")
    return asked


def choose(app: Sphinx, config: Config) -> None:
    """Before Sphinx looks for catalogues."""
    config.language = chosen(Path(app.srcdir))
    config.locale_dirs = [str(Path(app.srcdir) / LOCALE)]
    config.gettext_compact = False  # a catalogue for each page
    config.html_title = words(Path(app.srcdir), config.language, START).get(config.html_title, config.html_title)


def extract_raw(app: Sphinx) -> None:
    """Raw HTML has messages, too, because the summaries of folded parts are in it: hints, and the options of a quiz."""
    if app.builder.name == "gettext":
        app.config.gettext_additional_targets = ["raw"]


def translate_rest(app: Sphinx, doctree: nodes.document) -> None:
    """What Sphinx leaves: raw HTML of pages in Markdown, and the parts of a table of contents in a file of its own."""
    domain = docname_to_domain(app.env.docname, app.config.gettext_compact)
    catalogue, found = open_catalogue(app.config.locale_dirs, app.config.language, domain)
    for part in doctree.findall(nodes.raw) if found and app.builder.name != "gettext" else ():
        message = part.rawsource or part.astext()
        translated = catalogue.gettext(message) if message.strip() else message
        if translated != message:
            part.rawsource, part.children = translated, [nodes.Text(translated)]
    for contents in doctree.findall(toctree) if found else ():
        contents["caption"] = catalogue.gettext(contents["caption"]) if contents.get("caption") else None


def words(root: Path, language: str, name: str = EXPLORER) -> dict[str, str]:
    """What a catalogue translates. Labels of the explorer have {0}, {1} for what changes."""
    path = root / LOCALE / language / "LC_MESSAGES" / f"{name}.po"
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id and message.string}


def translate_explorer(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Hand the labels to a page that has the explorer, with the script that puts them in place."""
    if PLACE in context.get("body", ""):
        context["body"] += script(words(Path(app.srcdir), app.config.language))


def script(known: dict[str, str]) -> str:
    """What exchanges the labels in a page; nothing where there is nothing to exchange."""
    if not known:
        return ""
    program = Path(__file__).with_name("words.js").read_text(encoding="utf-8").replace("export ", "")
    held = json.dumps(known, ensure_ascii=False).replace("</", "<\\/")
    return f"<script>(() => {{ {program}\ntranslate({held}); }})();</script>"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("config-inited", choose)
    app.connect("builder-inited", extract_raw)
    app.connect("doctree-read", translate_rest, priority=900)  # the table of contents is there by then
    app.connect("html-page-context", translate_explorer, priority=950)  # the explorer is in the page by then
    return {"parallel_read_safe": True, "parallel_write_safe": True}
