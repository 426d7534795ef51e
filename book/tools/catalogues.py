"""``make gettext``: the messages of every page, and the catalogues of each language brought up to date.

    python -m book.tools.catalogues FOLDER          update the catalogues that are there, from the templates in FOLDER
    python -m book.tools.catalogues FOLDER ko       for one language, a catalogue for every page that has none yet

A translation whose English text has changed is kept beside it and marked as fuzzy. Until somebody has looked at it, the
page shows the new English text.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent.parent
LOCALE = ROOT / "book" / "locale"
HEAD = "# Messages of a page; `make gettext` brings them up to date."
DATED = (
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Generated-By',
    '"Last-Translator',
    '"Report-Msgid',
    '"Language-Team',
)


def read(path: Path, language: str) -> Catalog:
    """A catalogue, or a template."""
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write(path: Path, catalogue: Catalog) -> None:
    """Without lines and dates, which would change with every edit of a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.header_comment, catalogue.fuzzy = HEAD, False
    with path.open("wb") as file:
        write_po(file, catalogue, width=100, no_location=True, omit_header=False, ignore_obsolete=True)
    text = path.read_text(encoding="utf-8")
    kept = [line for line in text.splitlines(keepends=True) if not line.startswith(DATED)]
    path.write_text("".join(kept), encoding="utf-8")


def update(path: Path, template: Path, language: str) -> str:
    """Bring one catalogue up to date. Returns how far the translation is, in one line."""
    catalogue = read(path, language) if path.is_file() else Catalog(locale=language, project="paullite", version="2")
    catalogue.update(read(template, language))
    write(path, catalogue)
    messages = [message for message in catalogue if message.id]
    done = sum(bool(message.string) and not message.fuzzy for message in messages)
    return f"{path.relative_to(LOCALE.parent)}: {done} of {len(messages)} messages are translated"


def catalogues(language: str, templates: Path, every: bool) -> list[tuple[Path, Path]]:
    """Catalogues of a language with their templates: those that are there, or every page's."""
    folder = LOCALE / language / "LC_MESSAGES"
    pairs = [
        (folder / path.relative_to(templates).with_suffix(".po"), path) for path in sorted(templates.rglob("*.pot"))
    ]
    return [(catalogue, template) for catalogue, template in pairs if every or catalogue.is_file()]


def main(words: list[str]) -> int:
    """Update, and say what is left to translate."""
    templates = Path(words[0]) if words else ROOT / "_build" / "gettext"
    if not list(templates.rglob("*.pot")):
        print(f"found no templates in {templates}; expected *.pot; run: make gettext", file=sys.stderr)
        return 2
    for language in words[1:] or sorted(path.name for path in LOCALE.iterdir() if path.is_dir()):
        for catalogue, template in catalogues(language, templates, every=bool(words[1:])):
            print(update(catalogue, template, language))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
