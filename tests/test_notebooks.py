"""The linter of the chapters: what a reader would trip over."""

import ast
import re
import statistics
from pathlib import Path

import pytest

from book.tools.notebooks import (
    BUDGET,
    STATUS,
    TOTALS,
    assignments,
    badge,
    exercise_minutes,
    first_cell,
    hours,
    state_budget,
    status_table,
    words,
)
from book.tools.reading import reading_minutes
from tests.chapters import CHAPTERS, code_cells, read, tags, written_exercises

BY_CHAPTER = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name[:2])
LOCAL_PATH = re.compile(r"/(home|root|Users|work|tmp|private|mnt)/|[A-Z]:\\\\|file://")
MOST_FRAMES_BYTES = 600_000


def outputs(cell, mime: str) -> list[str]:
    """The outputs of a cell in one format."""
    return ["".join(o["data"][mime]) for o in cell.outputs if mime in o.get("data", {})]


@BY_CHAPTER
def test_was_run_from_the_top(path: Path) -> None:
    cells = code_cells(read(path))
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))
    assert not any(o.output_type == "error" or o.get("name") == "stderr" for c in cells for o in c.outputs)


@BY_CHAPTER
def test_code_is_short(path: Path) -> None:
    cells = code_cells(read(path))
    lengths = [len(c.source.splitlines()) for c in cells]
    assert 15 <= len(cells) <= 28, len(cells)
    seen = [len(c.source.splitlines()) for c in cells if "hide-input" not in tags(c)]  # one statement on each line
    assert max(lengths) <= 25 and statistics.median(seen) <= 12, lengths
    long = [line for c in cells if "first-cell" not in tags(c) for line in c.source.splitlines() if len(line) > 100]
    assert not long


@pytest.mark.parametrize("path", [*CHAPTERS, *assignments([])], ids=lambda path: path.stem)
def test_first_cell_and_badge_are_in_step(path: Path) -> None:
    """Both name one address. In a fresh fork it is that of the original, until `make beginnings`."""
    notebook = read(path)
    first = code_cells(notebook)[0]
    address = re.search(r"git\+(https://[^\s@]+)@v", first.source)[1]
    assert first.source == first_cell(address) and "first-cell" in tags(first)
    title, empty, button, *_ = notebook.cells[0].source.splitlines()
    assert title.startswith("# ") and not empty and button == badge(path, address)


@BY_CHAPTER
def test_has_its_parts(path: Path) -> None:
    text = "\n".join(c.source for c in read(path).cells if c.cell_type == "markdown")
    for part in ("**You need**", "**You will be able to**", "**Budget**", "## Break it", "## Going further", "## Next"):
        assert part in text, part
    assert len(re.findall(r"^# ", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)) == 1
    assert 1500 <= words(read(path)) <= 4500, words(read(path))  # hints and options included; minutes: tests.prose
    assert not re.search(r"^:::|^```\{|\{(ref|doc|cite|numref|term|eq|math|py:\w+)[:}]", text, re.MULTILINE), "MyST"


@BY_CHAPTER
def test_its_budget_is_what_was_counted(path: Path) -> None:
    book = read(path)
    stated = book.cells[0].source
    assert BUDGET.search(stated), "**Budget**: 20 minutes to read, 30 for the exercises; ..."
    state_budget(book)
    assert book.cells[0].source == stated, (reading_minutes(book), exercise_minutes(book))
    assert exercise_minutes(book) >= 10


@BY_CHAPTER
def test_figures(path: Path) -> None:
    """Three or more, one that moves; every picture in words; no frame too many; numbers also as text."""
    pages = [html for c in code_cells(read(path)) for html in outputs(c, "text/html")]
    figures = [html for html in pages if "paul-figure" in html]
    assert len(figures) >= 3 and any("data-script=" in html for html in figures)
    for html in pages:
        alternatives = re.findall(r'<img [^>]*?alt="([^"]*)"', html)
        assert len(alternatives) == html.count("<img ") and all(len(alt) >= 20 for alt in alternatives), alternatives
    assert not any("data-numbers=unread" in html for html in figures), "a figure needs numbers=..."
    assert any("class=paul-numbers" in html for html in figures)
    frames = sum(len(html) for html in figures if "paul-frames>" in html)
    assert frames <= MOST_FRAMES_BYTES, frames
    assert not any(outputs(c, mime) for c in code_cells(read(path)) for mime in ("image/png", "image/svg+xml"))
    assert not any("![](" in c.source for c in read(path).cells)


@BY_CHAPTER
def test_nothing_of_this_machine_or_another_host(path: Path) -> None:
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
    assert not LOCAL_PATH.search(text), LOCAL_PATH.search(text)
    loaded = [u for u in re.findall(r"(?:src|href)=\\?[\"']?(https?://[^\s\"'>\\]+)", text)]
    assert not [u for u in loaded if "/arxiv.org/" not in u and "/doi.org/" not in u], loaded


@BY_CHAPTER
def test_exercises_have_check_hints_and_solution(path: Path) -> None:
    exercises = written_exercises(read(path))
    assert len(exercises) >= 2
    for exercise in exercises:
        assert "..." in exercise.stub, f"{exercise.name}: the stub is filled in"
        assert len(exercise.hints) == 3 and all(hint.strip() for hint in exercise.hints), exercise.name
        ast.parse(exercise.solution)
        assert exercise.solution.strip(), exercise.name


@BY_CHAPTER
def test_most_cells_are_compared(path: Path) -> None:
    cells = code_cells(read(path))
    assert not any("nbval-skip" in tags(c) or "raises-exception" in tags(c) for c in cells)
    assert 3 * sum("nbval-ignore-output" in tags(c) for c in cells) <= len(cells)
    assert sum(bool(c.outputs) for c in cells) >= len(cells) / 2


def test_links_between_chapters_lead_somewhere() -> None:
    for path in CHAPTERS:
        for cell in read(path).cells:
            for target in re.findall(
                r"\]\((?!https?:|#)([^)\s#]+)", cell.source if cell.cell_type == "markdown" else ""
            ):
                assert (path.parent / target).is_file(), (path.name, target)


def test_status_page_and_start_page_are_in_step() -> None:
    assert status_table(CHAPTERS) in STATUS.read_text(encoding="utf-8"), "run: python -m book.tools.notebooks status"
    for page in (STATUS, *TOTALS):
        assert hours(CHAPTERS) in page.read_text(encoding="utf-8"), f"{page.name}: see above"


def test_chapters_show_the_four_figures_of_the_paper() -> None:
    """The map names the chapter of each; there stands a cell that draws it, with a picture in its output."""
    named = (Path(__file__).parent.parent / "book" / "reference" / "map.md").read_text(encoding="utf-8")
    for number in range(1, 5):
        (found,) = [
            (path, cell)
            for path in CHAPTERS
            for cell in code_cells(read(path))
            if f"paper-figure-{number}" in tags(cell)
        ]
        path, cell = found
        assert any("<img src=" in "".join(o.get("data", {}).get("text/html", "")) for o in cell.outputs), number
        assert re.search(rf"[Ff]igure {number}.*?notebooks/{path.stem}", named, re.DOTALL), number


@pytest.mark.parametrize("path", [*CHAPTERS, *assignments([])], ids=lambda path: path.stem)
def test_no_formula_lost_its_backslash(path: Path) -> None:
    # "\frac" in a string that is not raw begins with a form feed, which then vanishes
    text = "\n".join(c.source for c in read(path).cells if c.cell_type == "markdown")
    torn = re.compile(r"(?<![\\A-Za-z])((rac|ext|ar|ec|inom|egin)\{|(heta|imes|abla|ightarrow)\b)")
    assert [text[m.start() - 20 : m.end() + 20] for m in torn.finditer(text)] == []
