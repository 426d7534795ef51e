"""The book as one PDF: the order of its pages, its links, and a small one printed."""

from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link

from book.tools import pdf
from tests.site import browser

ROOT = Path(__file__).parent.parent
PAGE = "<!doctype html><meta charset=utf-8><h1>{title}</h1>{body}"


def test_the_pages_are_those_of_the_table_of_contents() -> None:
    parts = pdf.order(ROOT / "_toc.yml")
    assert parts[0] == ("", ["book/intro"]) and [caption for caption, _ in parts[1:3]] == ["Start", "Chapters"]
    names = [name for _, pages in parts for name in pages]
    assert len(set(names)) == len(names)
    assert [name for name in names if not any((ROOT / f"{name}{end}").is_file() for end in (".md", ".ipynb"))] == []


def test_links_lead_to_paper_and_never_to_a_file_of_this_computer(tmp_path: Path) -> None:
    writer, base = PdfWriter(), tmp_path.as_uri()
    for _ in range(2):
        writer.add_blank_page(200, 200)
    addresses = [f"{base}/book/b.html#place", f"{base}/_static/a.zip", "https://example.org/"]
    for address in addresses:
        writer.add_annotation(0, Link(rect=(0, 0, 9, 9), url=address))
    pdf.lead_inside(writer, tmp_path, {"book/b.html": 1})
    content = BytesIO()
    writer.write(content)
    made = PdfReader(content)
    links = [link.get_object() for link in made.pages[0]["/Annots"]]
    assert [link.get("/A", {}).get("/URI") for link in links] == [None, "https://example.org/"]
    assert list.__getitem__(links[0]["/Dest"], 0) == made.pages[1].indirect_reference
    assert str(tmp_path).encode() not in content.getvalue()


def test_without_a_built_book_it_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pdf, "PAGES", tmp_path)
    assert pdf.main() == 2 and capsys.readouterr().err == "found no built book; expected _build/html; run: make pdf\n"


@pytest.mark.browser
@pytest.mark.slow
def test_a_small_book_is_printed(tmp_path: Path) -> None:
    """Two pages with a link, a folded part and bookmarks."""
    with browser():
        pass  # or the test is left out
    body = "<a href='b.html'>next</a><details><summary>Solution</summary>forty-two</details>"
    (tmp_path / "a.html").write_text(PAGE.format(title="One", body=body))
    (tmp_path / "b.html").write_text(PAGE.format(title="Two", body="<p style='height:1500px'>long"))
    count = pdf.write(tmp_path, [("", ["a"]), ("Rest", ["b"])], tmp_path / "book.pdf")
    made = PdfReader(tmp_path / "book.pdf")
    assert count == len(made.pages) == 3
    assert "forty-two" in made.pages[0].extract_text() and made.pages[2].extract_text().strip().endswith("3")
    first, rest, below = made.outline
    assert (first.title, rest.title, [mark.title for mark in below]) == ("One", "Rest", ["Two"])
    assert made.get_destination_page_number(below[0]) == 1
    assert any("/Dest" in link.get_object() for link in made.pages[0]["/Annots"])
