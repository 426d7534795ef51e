"""``make pdf``: the built book as one PDF, ``_build/pdf/book.pdf``, with bookmarks, page numbers and inner links.

Every page is printed by Chromium, as a reader would print it. Folded hints, solutions and answers are open, since paper
cannot unfold them. Code that only draws a figure and the numbers of figures, which the pages hide, are left out.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import yaml
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NullObject

from .browser import NoBrowserError, browser

ROOT = Path(__file__).parent.parent.parent
PAGES = ROOT / "_build" / "html"
PDF = ROOT / "_build" / "pdf" / "book.pdf"
PAPER = {"format": "A4", "margin": {"top": "18mm", "bottom": "20mm", "left": "16mm", "right": "16mm"}}
UNFOLD = "document.querySelectorAll('details:not(.hide, .paul-numbers)').forEach(part => { part.open = true; })"
# The widest a line of code can get is the paper's width, and nothing scrolls there
FOR_PAPER = """
pre, code { white-space: pre-wrap !important; overflow-wrap: anywhere !important; }
details:is(.hide, .paul-numbers), .paul-controls, .pe-start button, .copybtn, .headerlink { display: none !important; }
"""


def order(toc: Path) -> list[tuple[str, list[str]]]:
    """The parts of the book with their pages, without ending, as the table of contents has them.

    Args:
        toc: ``_toc.yml``.

    Returns:
        Caption and pages of each part. The first part is the start page, and has no caption.
    """
    contents = yaml.safe_load(toc.read_text(encoding="utf-8"))
    parts = [(part["caption"], [page["file"] for page in part["chapters"]]) for part in contents["parts"]]
    return [("", [contents["root"]]), *parts]


def printed(chromium: Any, page: Path) -> tuple[str, bytes]:
    """Title and PDF of one page."""
    view = chromium.new_page()
    view.goto(page.as_uri())
    view.add_style_tag(content=FOR_PAPER)
    view.evaluate(UNFOLD)
    if view.query_selector(".math"):
        view.wait_for_selector("mjx-container", timeout=20_000)
    title = view.inner_text("h1").rstrip("#").strip()
    content = view.pdf(**PAPER, print_background=True)
    view.close()
    return title, content


def numbers(chromium: Any, count: int) -> bytes:
    """As many empty pages as the book has, each with its number."""
    view = chromium.new_page()
    view.set_content("<div style='break-after:page'>&nbsp;</div>" * (count - 1) + "<div>&nbsp;</div>")
    foot = "<p style='width:100%;text-align:center;font-size:8pt'><span class=pageNumber></span>"
    content = view.pdf(**PAPER, display_header_footer=True, header_template="<p>", footer_template=foot)
    view.close()
    return bytes(content)


def write(pages: Path, parts: list[tuple[str, list[str]]], pdf: Path) -> int:
    """Print the pages of a built book into one file. Returns how many pages of paper that makes."""
    writer, begins = PdfWriter(), {}
    with browser() as chromium:
        for caption, names in parts:
            parent = None
            for name in names:
                begins[f"{name}.html"] = len(writer.pages)
                title, content = printed(chromium, pages / f"{name}.html")
                writer.append(BytesIO(content), import_outline=False)
                if caption and parent is None:
                    parent = writer.add_outline_item(title=caption, page_number=begins[f"{name}.html"])
                writer.add_outline_item(title=title, page_number=begins[f"{name}.html"], parent=parent)
        put_numbers(writer, numbers(chromium, len(writer.pages)))
    lead_inside(writer, pages, begins)
    writer.compress_identical_objects()
    pdf.parent.mkdir(parents=True, exist_ok=True)
    writer.write(pdf)
    return len(writer.pages)


def put_numbers(writer: PdfWriter, content: bytes) -> None:
    """Lay the numbers over the pages."""
    for page, number in zip(writer.pages, PdfReader(BytesIO(content)).pages, strict=True):
        page.merge_page(number)


def lead_inside(writer: PdfWriter, pages: Path, begins: dict[str, int]) -> None:
    """Links to pages of the book lead to their place in the PDF; those to other files of the site go.

    Args:
        writer: the pages of paper; their links name files of this computer.
        pages: the folder of the built book.
        begins: the first page of paper of each page of the book, by its path in the folder.
    """
    base = unquote(urlsplit(pages.resolve().as_uri()).path) + "/"
    for page in writer.pages:
        kept = [link for link in page.get("/Annots", ArrayObject()) if led(writer, link.get_object(), base, begins)]
        if "/Annots" in page:
            page[NameObject("/Annots")] = ArrayObject(kept)


def led(writer: PdfWriter, link: DictionaryObject, base: str, begins: dict[str, int]) -> bool:
    """Change a link to a file into one to a page of paper; False if there is no such page."""
    address = str(link.get("/A", {}).get("/URI", ""))
    if not address.startswith("file:"):
        return True
    target = unquote(urlsplit(urldefrag(address)[0]).path).removeprefix(base)
    if target not in begins:
        return False
    there = writer.pages[begins[target]].indirect_reference
    link[NameObject("/Dest")] = ArrayObject([there, NameObject("/FitH"), NullObject()])
    del link["/A"]
    return True


def main() -> int:
    """Print the built book."""
    if not (PAGES / "index.html").is_file():
        print("found no built book; expected _build/html; run: make pdf", file=sys.stderr)
        return 2
    try:
        count = write(PAGES, order(ROOT / "_toc.yml"), PDF)
    except NoBrowserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{PDF.relative_to(ROOT)}: {count} pages, {PDF.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
