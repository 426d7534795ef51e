"""The thermometer of the prose reads what it should, and chapters of the second edition stay within its range."""

import doctest

import nbformat
import pytest

from tests import prose
from tests.chapters import chapters, read

REWRITTEN = ("01", "02", "03", "04", "08", "10")  # of the second edition; the others have the text of the first
LEAST_CONNECTIVES, MOST_SHORT, MOST_COLONS, LEAST_WORDS = 20, 16, 13, 15


def made(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


def test_the_examples_hold() -> None:
    assert doctest.testmod(prose).failed == 0


def test_shares_are_those_of_a_small_text() -> None:
    text = "It fails because the light is new. Why: luck finds it. We measure it on four cameras. It works."
    found = prose.measured(made(text))
    assert (found.connectives, found.short, found.colons) == (25, 100, 25)
    assert found.words == pytest.approx(19 / 4) and found.banned == ("luck",)


def test_folded_parts_and_formulas_cost_no_reading_as_words() -> None:
    folded = "<details><summary>Hint</summary>\n\nMany words that nobody has to read at once.\n\n</details>"
    assert prose.reading_minutes(made(folded)) == 0
    assert prose.reading_minutes(made("$$a = b$$")) == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", REWRITTEN)
def test_chapters_of_the_second_edition(name: str) -> None:
    found = prose.measured(read(chapters([name])[0]))
    assert not found.banned and found.reading <= prose.LONGEST
    assert found.connectives >= LEAST_CONNECTIVES and found.short <= MOST_SHORT
    assert found.colons <= MOST_COLONS and found.words >= LEAST_WORDS


def test_the_table_has_a_row_for_each_chapter() -> None:
    assert len(prose.table(chapters([])).splitlines()) == 3 + len(chapters([]))


def test_the_status_page_has_the_table_of_today() -> None:
    assert prose.table(chapters([])) in prose.STATUS.read_text(encoding="utf-8")
