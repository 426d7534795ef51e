"""What a term of the glossary means, at every link to it: for a resting mouse, for a screen reader, for the keyboard.

The text is that of the glossary. ``book.css`` shows it when a link has the focus.
"""

from __future__ import annotations

from functools import cache

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

GLOSSARY = "book/reference/glossary"


@cache
def meanings(env: BuildEnvironment) -> dict[str, str]:
    """The first paragraph of each entry, by the name of its place in the page."""
    entries = env.get_doctree(GLOSSARY).findall(nodes.definition_list_item) if GLOSSARY in env.found_docs else ()
    return {name: plain(entry) for entry in entries for term in entry.findall(nodes.term) for name in term["ids"]}


def plain(entry: nodes.definition_list_item) -> str:
    """What an entry says, in one line; a formula that needs TeX to be read is left out."""
    paragraph = next(iter(entry.findall(nodes.paragraph)), None)
    if paragraph is None:
        return ""
    shown = paragraph.deepcopy()
    for formula in [node for node in shown.findall(nodes.math) if "\\" in node.astext()]:
        formula.replace_self(nodes.Text("…"))
    return " ".join(shown.astext().split())


def add_meanings(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give every link to an entry of the glossary its meaning."""
    for link in doctree.findall(nodes.reference):
        page, _, name = link.get("refuri", "").partition("#")
        if docname == GLOSSARY:
            name = name or link.get("refid", "")
        elif not page.endswith(GLOSSARY.rsplit("/", 1)[1] + ".html"):
            continue
        meaning = meanings(app.env).get(name)
        if meaning:
            link["reftitle"] = meaning


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("doctree-resolved", add_meanings)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
