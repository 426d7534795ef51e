"""The student edition: no solution and no answer in any page or notebook; stubs and hints all there; builds clean."""

import html
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from book.tools import edition
from tests.chapters import CHAPTERS, EXERCISE, FOLDED, read, written_exercises
from tests.site import broken, pages

ROOT = Path(__file__).parent.parent
LONG_ENOUGH = 15  # characters of a line of code that is nobody else's by chance


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edition") / "student"
    edition.write(folder)
    return folder


@pytest.fixture(scope="module")
def site(sources: Path) -> Path:
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [*command, "--path-output", str(sources.parent), str(sources)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return sources.parent / "_build" / "html"


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def everything() -> Counter[str]:
    """How often each line stands in the full book and in the library, but for the exercises' own module."""
    found: Counter[str] = Counter()
    for path in CHAPTERS:
        for cell in read(path).cells:
            found.update(lines(cell.source))
    for path in [*(ROOT / "paullite").rglob("*.py"), *(ROOT / "book").rglob("*.md")]:
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
    assert "instructor" not in (tmp_path / "student" / "_toc.yml").read_text(encoding="utf-8")


def test_an_old_folder_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["edition", str(tmp_path)])
    assert edition.main() == 2


def test_no_solution_in_the_built_book(site: Path) -> None:
    """In no page, no source of a page, no index of the search; every stub and hint is on its page."""
    secrets, answers = secret_lines(), folded("Solution") + folded("Answer")
    files = [p for p in site.rglob("*") if p.suffix in (".html", ".ipynb", ".md", ".js", ".txt") and p.is_file()]
    own = [p for p in files if "_static" not in p.parts]
    assert len(own) > 2 * len(CHAPTERS)
    for path in own:
        text = text_of(path)
        assert not secrets & set(lines(text)), path.name
        assert not [first for first in answers if len(first) > 40 and first in text], path.name
    for chapter in CHAPTERS:
        text = re.sub(r"\s+", " ", text_of(site / "notebooks" / f"{chapter.stem}.html"))
        for written in written_exercises(read(chapter)):
            assert re.sub(r"\s+", " ", written.stub.splitlines()[0]) in text and "Hint 3" in text, written.name
            assert f'"{written.name}"' in text


def test_it_says_which_edition_it_is_and_leads_to_no_solution(site: Path) -> None:
    assert "student edition" in text_of(site / "book" / "intro.html")
    assert not list(site.rglob("instructor*")) and broken(site) == []
    for page in pages(site):
        text = (site / page).read_text(encoding="utf-8")
        assert "colab.research.google.com/github" not in text and "instructor.html" not in text, page
        assert "student edition" in text, page
    for chapter in CHAPTERS:
        assert f"{chapter.name}" in (site / "notebooks" / f"{chapter.stem}.html").read_text(encoding="utf-8")
