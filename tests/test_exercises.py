"""Every exercise: the solution passes, every wrong answer is caught with a hint of its own, stubs are told apart."""

import ast
import contextlib
import importlib
import io
import re

import numpy as np
import paulbook as pb
import pytest
import torch
from paulbook import checking
from paulbook.checking import all_exercises, verdict
from paulbook.exercise import Exercise

import paullite as pl
from tests import right_answers
from tests.chapters import ASSIGNMENTS, CHAPTERS, code_cells, read, tags, written_exercises
from tests.fresh_answers import lists, tensors

EXERCISES = all_exercises()


def stands_in(exercise: Exercise) -> str:
    """Name of the module with an exercise, and of the one with its wrong answers."""
    return exercise.assignment or f"chapter_{exercise.chapter:02d}"


WHERE = [pytest.param(name, id=f"{stands_in(e)}-{name}") for name, e in EXERCISES.items()]
WRITTEN = [
    pytest.param(path, written, id=f"chapter_{path.name[:2]}-{written.name}")
    for path in CHAPTERS
    for written in written_exercises(read(path))
]


def answers(name: str, kind: str) -> tuple:
    """The wrong (or other right) answers kept for an exercise."""
    module = importlib.import_module(f"tests.wrong_answers.{stands_in(EXERCISES[name])}")
    return getattr(module, kind, {}).get(name, ())


@pytest.mark.parametrize("name", WHERE)
def test_the_solution_is_right(name: str) -> None:
    assert verdict(EXERCISES[name], EXERCISES[name].solution) == ("right", "right.")


@pytest.mark.parametrize("name", WHERE)
def test_other_right_answers_pass(name: str) -> None:
    for answer in (*answers(name, "OTHER_RIGHT"), *right_answers.RIGHT.get(name, ())):
        assert verdict(EXERCISES[name], answer) == ("right", "right."), answer


@pytest.mark.parametrize("name", WHERE)
def test_eight_wrong_answers_each_with_its_own_hint(name: str) -> None:
    wrong = answers(name, "WRONG")
    assert len(wrong) >= 8
    hints = {}
    for answer in wrong:
        state, words = verdict(EXERCISES[name], answer)
        assert state == "wrong", (answer, words)
        assert "It stops with" not in words, (answer, words)
        hints.setdefault(re.sub(r"[\d.e+-]+", "#", words), []).append(answer)
    assert all(len(same) == 1 for same in hints.values()), [s for s in hints.items() if len(s[1]) > 1]


@pytest.mark.parametrize("name", [*lists.RIGHT, *tensors.RIGHT])
def test_answers_written_without_having_seen_the_checks(name: str) -> None:
    written = lists if name in lists.RIGHT else tensors
    assert len(written.RIGHT[name]) == len(written.WRONG[name]) == 5
    for state, kept in (("right", written.RIGHT), ("wrong", written.WRONG)):
        for answer in kept[name]:
            found, words = verdict(EXERCISES[name], answer)
            assert found == state and "It stops with" not in words, (answer, words)


@pytest.mark.parametrize("name", [name for name, e in EXERCISES.items() if callable(e.solution)])
def test_every_function_is_held_against_the_library_on_input_of_general_size(name: str) -> None:
    """The last property; what is drawn for it has no axis of length one, and no two axes of one length."""
    last = EXERCISES[name].properties[-1]
    assert last.__name__.startswith("agrees_with")
    if name == "patch_heads":  # draws its sizes itself
        return
    square = {"batch_norm"}  # as many columns as channels is a case of its own
    cases = [last.drawn(np.random.default_rng(seed)) for seed in range(6)]  # type: ignore[attr-defined]
    for given in cases:
        for value in given:
            shape = tuple(value.shape) if isinstance(value, torch.Tensor | np.ndarray) else (2,)
            assert min(shape) > 1 or name == "gain_interval", shape
            assert len(set(shape)) == len(shape) or name in square, shape
    assert any(repr(case) != repr(cases[0]) for case in cases)


@pytest.mark.parametrize("name", WHERE)
def test_the_stub_is_not_tried(name: str) -> None:
    stub = (lambda *_: ...) if callable(EXERCISES[name].solution) else ...
    assert verdict(EXERCISES[name], stub)[0] == "not tried"


@pytest.mark.parametrize(("path", "written"), WRITTEN)
def test_the_chapters_solution_in_place_of_the_stub(path, written) -> None:
    """With the cells that it needs: the imports, then the solution, then the check of the stub's cell."""
    imports = "\n".join(c.source for c in code_cells(read(path)) if "first-cell" not in tags(c) and _imports_only(c))
    checked = "\n".join(line for line in written.stub.splitlines() if "pb.check(" in line)
    names: dict = {"pl": pl, "pb": pb}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(f"{imports}\n{written.solution}\n{checked}", names)
    assert said.getvalue().endswith(": right.\n"), said.getvalue()


def _imports_only(cell) -> bool:
    with contextlib.suppress(SyntaxError):
        return all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(cell.source).body)
    return False


def test_every_exercise_stands_in_its_chapter_or_assignment() -> None:
    stands = {(f"chapter_{path.name[:2]}", w.name) for path in CHAPTERS for w in written_exercises(read(path))}
    stands |= {(path.stem, w.name) for path in ASSIGNMENTS for w in written_exercises(read(path))}
    assert stands == {(stands_in(e), name) for name, e in EXERCISES.items()}


def test_check_says_hands_back_and_reports(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "standings", {})
    right = EXERCISES["average_precision"].solution
    words = ("not tried yet", "return?", "TypeError", "right.")
    for answer, word in zip((lambda *_: ..., lambda *_: None, lambda matches: 1, right), words, strict=True):
        assert pb.check("average_precision", answer) is right
        said = capsys.readouterr().out
        assert said.startswith("average_precision: ") and word in said
        assert max(map(len, said.splitlines())) <= checking.WIDTH
    pb.check_report()
    assert capsys.readouterr().out.endswith("right: 1 of 1 tried here\n")


def test_unknown_exercise_names_the_nearest() -> None:
    with pytest.raises(pl.InputError, match="average_precision"):
        pb.check("average_precison", len)
