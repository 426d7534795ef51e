"""The page *Write an exercise of your own*: its programs run and say what it says; its table has every exercise."""

import re
from pathlib import Path

import paulbook as pb
import pytest
from paulbook.checking import all_exercises, refusal

from book.tools.exercises import exercise_modules, exercise_table
from tests.chapters import ASSIGNMENTS, CHAPTERS, read, written_exercises

PAGE = Path(__file__).parent.parent / "book" / "reference" / "own_exercise.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> dict:
    """The names that the page's programs define, and what they print as ``said``."""
    names: dict = {"__name__": "__main__"}
    for number, program in enumerate(re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL), start=1):
        exec(compile(program, f"{PAGE.name}, program {number}", "exec"), names)
    return {**names, "said": capsys.readouterr().out}


def test_the_programs_run_and_say_what_is_expected(written: dict) -> None:
    said = [line for line in written["said"].split("rank_at: ") if line]
    assert [words.split(".")[0] for words in said] == ["right", "not tried yet", "not yet", "not yet", "not yet"]
    causes = [refusal(written["exercise"], written[name])[2] for name in ("at_zero", "as_misses", "always_first")]
    assert causes == ["counts_from_one", "lone_queries_are_left_out", "uses_k"]


def test_what_no_hint_was_written_for_is_found_too(written: dict) -> None:
    capped = lambda first_ranks, k: written["rank_at"](first_ranks, min(k, 4))  # noqa: E731
    state, hint, name = refusal(written["exercise"], capped)
    assert (state, name) == ("wrong", "agrees_with_the_library") and "On random input, first_ranks of" in hint


def test_an_exercise_is_handed_back_like_one_of_the_book(written: dict) -> None:
    assert pb.check(written["exercise"], lambda first_ranks, k: 2) is written["rank_at"]
    assert "rank_at" not in all_exercises()


def test_the_table_has_every_exercise() -> None:
    """``python -m book.tools.exercises`` brings it up to date."""
    assert exercise_table() in TEXT
    assert list(exercise_modules()) == list(all_exercises())
    for link in re.findall(r"\]\((\.\./paulbook/exercises/\w+\.py)\)", TEXT):
        assert (PAGE.parent / link).is_file()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_exercise_of_a_chapter_links_to_its_check_beside_its_solution(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    folded = re.findall(r"<details>\s*<summary>Solution.*?</details>", text, re.DOTALL)
    for exercise in written_exercises(read(path)):
        module = exercise_modules()[exercise.name]
        link = f"[`{module}`](../book/paulbook/exercises/{module})"
        assert sum(link in part for part in folded) >= 1, exercise.name
        assert (path.parent.parent / "book" / "paulbook" / "exercises" / module).is_file()


def test_assignments_do_not_link_to_their_solutions() -> None:
    assert not any("paulbook/exercises" in path.read_text(encoding="utf-8") for path in ASSIGNMENTS)
