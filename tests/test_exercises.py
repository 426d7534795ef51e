"""Every exercise: the solution passes, every wrong answer is caught with a hint of its own, stubs are told apart."""

import ast
import contextlib
import io
import json
import re

import numpy as np
import paulbook as pb
import pytest
import torch
from paulbook import checking
from paulbook.checking import all_exercises, verdict

import paullite as pl
from tests import right_answers
from tests.chapters import ASSIGNMENTS, CHAPTERS, code_cells, read, tags, written_exercises
from tests.fresh_answers import lists, tensors
from tests.mutants import accepted, differs
from tests.patches import PATCHES
from tests.patches.by_hand import ELSEWHERE
from tests.refusals import FILE, found, module_of, silent, written
from tests.solutions import patched

EXERCISES = all_exercises()


WHERE = [pytest.param(name, id=f"{module_of(name)}-{name}") for name, e in EXERCISES.items()]
WRITTEN = [
    pytest.param(path, below, id=f"chapter_{path.name[:2]}-{below.name}")
    for path in CHAPTERS
    for below in written_exercises(read(path))
]


@pytest.mark.parametrize("name", WHERE)
def test_the_solution_is_right(name: str) -> None:
    assert verdict(EXERCISES[name], EXERCISES[name].solution) == ("right", "right.")


@pytest.mark.parametrize("name", WHERE)
def test_other_right_answers_pass(name: str) -> None:
    for answer in (*written(name, "OTHER_RIGHT"), *right_answers.RIGHT.get(name, ())):
        assert verdict(EXERCISES[name], answer) == ("right", "right."), answer


@pytest.mark.parametrize("name", WHERE)
def test_eight_wrong_answers_each_with_its_own_hint(name: str) -> None:
    patches = [patch for patch in PATCHES.get(name, ()) if patch.hint != ELSEWHERE]
    wrong = [*written(name, "WRONG"), *(patched(EXERCISES[name], patch) for patch in patches)]
    assert len(wrong) >= 8
    hints = {}
    for answer in wrong:
        state, words = verdict(EXERCISES[name], answer)
        assert state == "wrong", (answer, words)
        assert "It stops with" not in words, (answer, words)
        hints.setdefault(re.sub(r"[\d.e+-]+", "#", words), []).append(answer)
    assert all(len(same) == 1 for same in hints.values()), [s for s in hints.items() if len(s[1]) > 1]


@pytest.mark.parametrize(("name", "patch"), [(name, patch) for name, patches in PATCHES.items() for patch in patches])
def test_a_patched_solution_gets_its_hint(name: str, patch) -> None:
    state, words = verdict(EXERCISES[name], patched(EXERCISES[name], patch))
    assert state == "wrong" and patch.hint in words, words


def test_every_kept_answer_is_refused_by_the_property_that_is_meant_for_it() -> None:
    """So no property can be dropped or changed unseen: each is the one that refuses some kept answer."""
    now = found()
    assert now == json.loads(FILE.read_text()), "see python -m tests.refusals, and --write to accept"
    assert silent(now) == {}


def test_the_tool_sees_a_property_that_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = json.loads(FILE.read_text())
    without = {name: {a: p for a, p in answers.items() if p != "mirrored"} for name, answers in kept.items()}
    assert silent(without) == {"overlap": ["mirrored"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["operating_point", "choose_and_report", "overlap", "simulated_power"])
def test_slips_made_by_machine_are_refused_or_change_nothing(name: str) -> None:
    """Four quick exercises; ``python -m tests.mutants`` goes through all of them."""
    count, passed = accepted(name)
    assert count > 10 and len(passed) < count / 2
    assert not [mutant.line for mutant in passed if differs(EXERCISES[name], mutant.function)]


@pytest.mark.parametrize("name", [*lists.RIGHT, *tensors.RIGHT])
def test_answers_written_without_having_seen_the_checks(name: str) -> None:
    kept_in = lists if name in lists.RIGHT else tensors
    assert len(kept_in.RIGHT[name]) == len(kept_in.WRONG[name]) == 5
    for state, kept in (("right", kept_in.RIGHT), ("wrong", kept_in.WRONG)):
        for answer in kept[name]:
            said, words = verdict(EXERCISES[name], answer)
            assert said == state and "It stops with" not in words, (answer, words)


@pytest.mark.parametrize("name", [name for name, e in EXERCISES.items() if callable(e.solution)])
def test_every_function_is_held_against_the_library_on_input_of_general_size(name: str) -> None:
    """The last property; what is drawn for it has no axis of length one, and no two axes of one length."""
    last = EXERCISES[name].properties[-1]
    assert last.__name__.startswith("agrees_with")
    if name == "patch_heads":  # draws its sizes itself
        return
    cases = [last.drawn(np.random.default_rng(seed)) for seed in range(6)]  # type: ignore[attr-defined]
    for given in cases:
        for value in given:
            shape = tuple(value.shape) if isinstance(value, torch.Tensor | np.ndarray) else (2,)
            assert min(shape) > 1 or name == "gain_interval", shape
            assert len(set(shape)) == len(shape), shape
    assert any(repr(case) != repr(cases[0]) for case in cases)


@pytest.mark.parametrize("name", WHERE)
def test_the_stub_is_not_tried(name: str) -> None:
    stub = (lambda *_: ...) if callable(EXERCISES[name].solution) else ...
    assert verdict(EXERCISES[name], stub)[0] == "not tried"


@pytest.mark.parametrize(("path", "below"), WRITTEN)
def test_the_chapters_solution_in_place_of_the_stub(path, below) -> None:
    """With the cells that it needs: the imports, then the solution, then the check of the stub's cell."""
    imports = "\n".join(c.source for c in code_cells(read(path)) if "first-cell" not in tags(c) and _imports_only(c))
    checked = "\n".join(line for line in below.stub.splitlines() if "pb.check(" in line)
    names: dict = {"pl": pl, "pb": pb}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(f"{imports}\n{below.solution}\n{checked}", names)
    assert said.getvalue().endswith(": right.\n"), said.getvalue()


def _imports_only(cell) -> bool:
    with contextlib.suppress(SyntaxError):
        return all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(cell.source).body)
    return False


def test_every_exercise_stands_in_its_chapter_or_assignment() -> None:
    stands = {(f"chapter_{path.name[:2]}", w.name) for path in CHAPTERS for w in written_exercises(read(path))}
    stands |= {(path.stem, w.name) for path in ASSIGNMENTS for w in written_exercises(read(path))}
    assert stands == {(module_of(name), name) for name in EXERCISES}


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
