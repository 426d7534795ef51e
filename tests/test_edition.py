"""The student edition: no solution and no answer in any source; stubs and hints all there; no way to the full edition.

``make nightly`` builds its pages, with warnings as errors, so that a link that leads nowhere is found.
"""

import html
import os
import re
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest
import yaml

from book.tools import edition
from tests.chapters import CHAPTERS, EXERCISE, FOLDED, read, written_exercises
from tests.site import broken, build, pages

ROOT = Path(__file__).parent.parent
LONG_ENOUGH = 15  # characters of a line of code that is nobody else's by chance


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edition") / "student"
    edition.write(folder)
    return folder


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def everything() -> Counter[str]:
    """How often each line stands in the full book and in the library, but for the exercises' own module."""
    found: Counter[str] = Counter()
    for path in CHAPTERS:
        for cell in read(path).cells:
            found.update(lines(cell.source))
    modules = [path for package in ("paullite", "book/paulbook") for path in (ROOT / package).rglob("*.py")]
    for path in [*modules, *(ROOT / "book").rglob("*.md")]:
        if path.parent.name != "exercises":
            found.update(lines(path.read_text(encoding="utf-8")))
    return found


def secret_lines() -> set[str]:
    """Lines of code that stand in a chapter's solution and nowhere else."""
    often = everything()
    code = {line for path in CHAPTERS for w in written_exercises(read(path)) for line in lines(w.solution)}
    return {line for line in code if len(line) >= LONG_ENOUGH and often[line] == 1}


def folded(kind: str) -> list[str]:
    """First lines of the folded parts of the chapters whose summary begins with a word."""
    found = []
    for path in CHAPTERS:
        for cell in read(path).cells:
            parts = FOLDED.findall(cell.source) if cell.cell_type == "markdown" else []
            found += [next(filter(None, lines(body))) for title, body in parts if title.startswith(kind)]
    return found


def text_of(page: Path) -> str:
    """What can be read on a page, or in a notebook."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        return "\n".join(cell.source for cell in nbformat.reads(text, as_version=4).cells)
    return html.unescape(re.sub(r"<[^>]+>", "", text)) if page.suffix == ".html" else text


def test_the_chapters_have_something_to_hide() -> None:
    assert len(secret_lines()) >= 2 * len(CHAPTERS) and len(folded("Solution")) >= 2 * len(CHAPTERS)


@pytest.mark.slow
def test_no_solution_in_any_notebook_and_all_stubs_and_hints(sources: Path) -> None:
    secrets = secret_lines()
    for path in CHAPTERS:
        full, student = read(path), read(sources / "notebooks" / path.name)
        text = text_of(sources / "notebooks" / path.name)
        assert not secrets & set(lines(text)), path.name
        assert [c.source for c in full.cells if c.cell_type == "code"] == [
            c.source for c in student.cells if c.cell_type == "code"
        ]
        before, after = written_exercises(full), written_exercises(student)
        assert [(w.name, w.stub, [h.strip() for h in w.hints]) for w in before] == [
            (w.name, w.stub, [h.strip() for h in w.hints]) for w in after
        ]
        assert after and not any(w.solution for w in after)
        summaries = [title for title, _ in FOLDED.findall(text)]
        assert not [title for title in summaries if title.startswith(("Solution", "Answer"))], path.name
        assert text.count("<details>") == text.count("</details>")


def test_questions_without_code_keep_their_options_and_lose_the_reasons() -> None:
    """In every chapter: below a heading of an exercise without check, nothing folded is left."""
    for path in CHAPTERS:
        notebook = read(path)
        edition.strip_notebook(notebook)
        for part in re.split(r"^### Exercise ", text_of_cells(notebook), flags=re.MULTILINE)[1:]:
            part = re.split(r"^## ", part, flags=re.MULTILINE)[0]
            if not EXERCISE.search(part):
                assert not [title for title, _ in FOLDED.findall(part) if not title.startswith("Hint")], path.name
                assert len(part.split()) > 30, path.name


def text_of_cells(notebook: nbformat.NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells)


def test_what_is_no_answer_stays() -> None:
    derivation = "<details><summary>The count</summary>\n\n3 + 4\n\n</details>\n"
    code = "```python\n### Exercise 1.1: no heading\n```\n"
    text = f"## A section\n\n{derivation}\n{code}\n{derivation}"
    assert edition.strip_text(text) == (text, False)
    assert edition.strip_text(derivation, exercise=True) == ("\n", True)
    assert edition.strip_text("## Next\n" + derivation, exercise=True) == ("## Next\n" + derivation, False)


def test_what_is_for_teachers_goes() -> None:
    page = "a <!-- teacher -->b<!-- /teacher -->c [the guide](../reference/instructor.md#x) {doc}`reference/instructor`"
    assert edition.strip_page(page) == "a c the guide the instructor's guide"
    assert edition.strip_page("{doc}`For teachers <reference/instructor>`") == "For teachers"


def test_the_full_edition_is_left_alone(tmp_path: Path) -> None:
    kept = [*CHAPTERS, *(ROOT / "book").rglob("*.md"), ROOT / "_toc.yml", ROOT / "_config.yml"]
    before = {path: path.read_bytes() for path in kept}
    edition.write(tmp_path / "student")
    assert {path: path.read_bytes() for path in kept} == before
    assert not list((tmp_path / "student").rglob("instructor*"))
    assert not list((tmp_path / "student").rglob("*.po")), "translations hold the solutions, too"
    assert "instructor" not in (tmp_path / "student" / "_toc.yml").read_text(encoding="utf-8")


def test_an_old_folder_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["edition", str(tmp_path)])
    assert edition.main() == 2


def test_no_solution_in_any_source(sources: Path) -> None:
    """In no page, no notebook, no script: what is built from these holds no answer either."""
    secrets, answers = secret_lines(), folded("Solution") + folded("Answer")
    kinds = (".ipynb", ".md", ".js", ".txt", ".yml", ".html")
    own = [p for name in edition.SOURCES for p in [sources / name, *(sources / name).rglob("*")] if p.suffix in kinds]
    assert len(own) > 2 * len(CHAPTERS)
    for path in own:
        text = text_of(path)
        assert not secrets & set(lines(text)), path.name
        assert not [first for first in answers if len(first) > 40 and first in text], path.name


def test_it_says_which_edition_it_is_and_leads_to_no_solution(sources: Path) -> None:
    config = yaml.safe_load((sources / "_config.yml").read_text(encoding="utf-8"))
    assert "student edition" in config["title"] and not config["launch_buttons"]["colab_url"]
    assert not any(config["html"][button] for button in edition.BUTTONS)
    for page in edition.NOTED:
        assert "student edition" in (sources / page).read_text(encoding="utf-8")
    for path in [*sources.glob("book/*.md"), *sources.glob("book/reference/*.md"), *sources.glob("notebooks/*.ipynb")]:
        text = text_of(path)
        assert "colab.research.google.com/github" not in text and "instructor.md" not in text, path.name


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("PAULLITE_NIGHTLY"), reason="make nightly builds the second edition")
def test_its_pages_lead_to_no_solution(sources: Path) -> None:
    """The same of the built pages and the index of the search: a minute more, so at night only."""
    site = build(sources.parent, sources)
    secrets = secret_lines()
    files = [p for p in site.rglob("*") if p.suffix in (".html", ".ipynb", ".md", ".js", ".txt") and p.is_file()]
    for path in (p for p in files if "_static" not in p.parts):
        assert not secrets & set(lines(text_of(path))), path.name
    assert not list(site.rglob("instructor*")) and broken(site) == []
    for page in pages(site):
        assert "colab.research.google.com/github" not in (site / page).read_text(encoding="utf-8"), page
