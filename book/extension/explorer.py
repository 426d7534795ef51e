"""The explorer in the pages that have a place for it: its script, its data and its first picture are made here.

A page says ``<div class="paul-explorer"></div>``. What is made lies in ``_static/explorer``. No other page loads it,
and the data (some megabytes) are loaded only when a reader presses *Start*.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

sys.path.append(str(Path(__file__).resolve().parents[2]))  # where the package ``book`` lies

from book.explorer import data, script

PLACE = '<div class="paul-explorer"></div>'
FOLDER = "_static/explorer/"
ALT = "Six drawn people in a row."
WORDS = (
    "A small network runs in this page: see what it sees in a person, what PAUL pulls together, and watch it learn. "
    "Nothing is installed and nothing leaves this computer; about 7 MB are loaded."
)

NEEDS = "This needs JavaScript, which your browser has switched off."


def place(folder: str) -> str:
    """What a page shows before the start; without scripts it stays."""
    picture = f'<img src="{folder}people.webp" alt="{ALT}" width=768 height=256>'
    style = f'<link rel="stylesheet" href="{folder}explorer.css">'
    start = f"<div class=pe-start>{picture}<p>{WORDS}</p><noscript><p>{NEEDS}</p></noscript></div>"
    loaded = f'<script defer src="{folder}explorer.js"></script>'
    return f'{style}<div class="paul-explorer" data-folder="{folder}">{start}</div>{loaded}'


def fill_places(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Put the explorer into a page that has a place for it."""
    if PLACE in context.get("body", ""):
        folder = context["pathto"](FOLDER, 1)
        context["body"] = context["body"].replace(PLACE, place(folder))


def write_files(app: Sphinx, error: Exception | None) -> None:
    """Script, style, data and first picture."""
    if error is None and app.builder.name == "html":
        folder = Path(app.outdir) / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "explorer.js").write_text(script.joined(), encoding="utf-8")
        shutil.copy(Path(script.__file__).with_name("explorer.css"), folder)
        data.write_start(folder / "people.webp")
        data.write(folder / "data.js")


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("html-page-context", fill_places)
    app.connect("build-finished", write_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
