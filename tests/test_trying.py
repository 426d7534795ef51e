"""A try spoils nothing: not what is checked later, not random numbers, not the page, and it comes to an end."""

import random
import threading
import time

import nbformat
import numpy as np
import paulbook as pb
import pytest
import torch
from nbclient import NotebookClient
from paulbook import checking, limits
from paulbook.checking import all_exercises, verdict
from paulbook.exercise import Exercise
from paulbook.trying import copied, plain

EXERCISES = all_exercises()
FUNCTIONS = [name for name, exercise in EXERCISES.items() if callable(exercise.solution)]


# What comes in must stay by the text of the exercise, for a gradient, or because the result is a view of it:
MUST_STAY = {
    "average_precision", "update_memory", "pedal", "hard_negatives", "image_loss", "step_loss",
    "depends_on_batch", "subtract_camera_means",
}  # fmt: skip


def destroy(value) -> None:
    """Overwrite everything that can be written to."""
    if isinstance(value, torch.nn.Module):
        destroy(list(value.buffers()))
    elif isinstance(value, torch.Tensor):
        with torch.no_grad():
            value.fill_(7)
    elif isinstance(value, np.ndarray):
        value.fill(7)
    elif isinstance(value, list | tuple):
        for part in value:
            destroy(part)
        if isinstance(value, list):
            value.clear()
    elif isinstance(value, dict | set):
        destroy(list(value.values()) if isinstance(value, dict) else [])
        value.clear()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("before", [True, False], ids=["first", "last"])
def test_an_answer_that_destroys_what_it_is_given_spoils_nothing(name: str, before: bool) -> None:
    exercise = EXERCISES[name]

    def vandal(*given, **named):
        found = 3 if before else exercise.solution(*given, **named)
        destroy([*given, *named.values()])
        return found

    assert verdict(exercise, vandal)[0] == ("wrong" if before or name in MUST_STAY else "right")
    assert verdict(exercise, exercise.solution) == ("right", "right.")


def test_the_destroyer_destroys() -> None:
    given = [1], {"a": torch.ones(2)}, np.ones(2), {3}, torch.nn.BatchNorm1d(2)
    inner = given[1]["a"]
    kept = copied(given)
    destroy(given)
    assert given[:2] == ([], {}) and inner.eq(7).all() and (given[2] == 7).all() and not given[3]
    assert given[4].running_mean.eq(7).all()
    assert kept[0] == [1] and kept[1]["a"].eq(1).all() and (kept[2] == 1).all() and kept[3] == {3}


def test_two_arguments_that_were_one_object_are_two() -> None:
    one = torch.ones(2)
    first, second = copied((one, one))
    first += 1
    assert second.eq(1).all() and one.eq(1).all()


def test_a_gradient_comes_back_through_the_copy() -> None:
    x = torch.ones(2, requires_grad=True)
    (slope,) = torch.autograd.grad(copied((x,))[0].sum(), x)
    assert slope.eq(1).all()


def test_only_the_first_printed_lines_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def loud(box, size, cells):
        print("box", box)
        return EXERCISES["box_theta"].solution(box, size, cells)

    pb.check("box_theta", loud)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "box_theta: right.",
        "Your code printed, in its first calls by the check:",
        "  box (20, 40, 40, 96)",
    ]
    assert len(lines) == 3 + checking.PRINTED and "more)" in lines[-1]
    pb.check("box_theta", EXERCISES["box_theta"].solution)
    assert capsys.readouterr().out == "box_theta: right.\n"


def test_random_numbers_and_switches_go_on_as_they_were() -> None:
    def meddler(patches, inputs, outputs):
        random.random(), np.random.rand(), torch.rand(3)
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        return torch.nn.Linear(inputs, outputs)

    def draws():
        return random.random(), np.random.rand(), float(torch.rand(1))

    for start in (random.seed, np.random.seed, torch.manual_seed):
        start(3)
    alone = draws()
    for start in (random.seed, np.random.seed, torch.manual_seed):
        start(3)
    assert verdict(EXERCISES["patch_heads"], meddler)[0] == "wrong"
    assert draws() == alone and torch.is_grad_enabled() and torch.get_default_dtype() is torch.float32


def test_a_verdict_is_the_same_twice() -> None:
    shaky = lambda *_: torch.full((2, 3), random.random() + np.random.rand() + float(torch.rand(1)))  # noqa: E731
    assert verdict(EXERCISES["box_theta"], shaky) == verdict(EXERCISES["box_theta"], shaky)


def endless(*_):
    while True:
        try:
            sum(range(100))
        except Exception:
            continue


@pytest.mark.parametrize("limit", [limits.alarm, limits.watchdog], ids=["signal", "thread"])
def test_an_answer_that_hangs_is_stopped_with_a_hint(limit, monkeypatch: pytest.MonkeyPatch) -> None:
    if limit is limits.alarm and not hasattr(limits.signal, "setitimer"):
        pytest.skip("no such signal on this system")
    monkeypatch.setattr(checking, "time_limit", limit)
    began = time.perf_counter()
    state, words = verdict(EXERCISES["box_theta"], endless, 0.2)
    assert state == "wrong" and "stopped after 0.2 seconds" in words and time.perf_counter() - began < 5
    time.sleep(limits.AGAIN + 0.2)  # nothing is thrown into what runs afterwards
    assert verdict(EXERCISES["box_theta"], EXERCISES["box_theta"].solution, 5.0)[0] == "right"


def test_in_another_thread_it_is_stopped_as_well() -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(verdict(EXERCISES["box_theta"], endless, 0.2)))
    thread.start()
    thread.join(10)
    assert found and "stopped" in found[0][1]


def test_the_alarm_of_somebody_else_comes_back() -> None:
    if not hasattr(limits.signal, "setitimer"):
        pytest.skip("no such signal on this system")
    before = limits.signal.getsignal(limits.signal.SIGALRM)
    limits.signal.setitimer(limits.signal.ITIMER_REAL, 500)
    try:
        verdict(EXERCISES["box_theta"], endless, 0.1)
        assert limits.signal.getitimer(limits.signal.ITIMER_REAL)[0] > 400
        assert limits.signal.getsignal(limits.signal.SIGALRM) == before
    finally:
        limits.signal.setitimer(limits.signal.ITIMER_REAL, 0)


def test_leaving_python_is_an_error_of_the_answer() -> None:
    state, words = verdict(EXERCISES["box_theta"], lambda *_: exit())
    assert state == "wrong" and "SystemExit" in words


@pytest.mark.kernel
def test_it_is_stopped_in_a_kernel() -> None:
    source = """
    from paulbook.checking import find, verdict
    def endless(*_):
        while True: pass
    print(verdict(find("box_theta"), endless, 0.5)[1])"""
    source = "\n".join(line.removeprefix("    ") for line in source.splitlines())
    cells = [nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("print('the kernel goes on')")]
    done = NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=100, kernel_name="python3").execute()
    assert "stopped after 0.5 seconds" in done.cells[0].outputs[0].text
    assert done.cells[1].outputs[0].text == "the kernel goes on\n"


def test_every_example_is_made_anew() -> None:
    for exercise in EXERCISES.values():
        assert isinstance(exercise, Exercise)
        one, two = exercise.example(), exercise.example()
        writable = (list, dict, set, torch.Tensor, np.ndarray, torch.nn.Module)
        pairs = [(a, b) for a, b in zip(one, two, strict=True) if isinstance(a, writable)]
        assert all(a is not b for a, b in pairs), exercise.name


def test_plain_reads_what_numbers_are_kept_in() -> None:
    assert plain([torch.tensor(2), np.float32(0.5), {torch.tensor(1)}]) == [2, 0.5, {1}]
    assert plain({1: 2}.values()) == [2] and plain(x for x in (1, 2)) == [1, 2]
    assert plain("text") == "text" and plain(None) is None
