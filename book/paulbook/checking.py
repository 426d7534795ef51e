"""Checking an answer: a few properties each, and a hint that points at the cause."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from importlib import import_module
from pkgutil import iter_modules
from textwrap import fill
from typing import Any, NamedTuple

from paullite.errors import InputError, nearest_names

from . import exercises
from .exercise import Exercise, Wrong, expect
from .limits import TimeIsUp, time_limit
from .trying import Guarded, copied, plain, undisturbed

WIDTH = 84  # what fits on the page beside its side bars
PRINTED = 3  # how many lines of what an answer prints are shown
LIMIT = 30.0  # seconds for all calls of an answer; the slowest right one of the tests took 3 on a busy machine


class Standing(NamedTuple):
    """How an exercise stands: "not tried", "wrong" or "right", after so many answers that were no stub."""

    state: str
    tries: int


standings: dict[str, Standing] = {}  # of each exercise that was checked in this session, by name


def check(name: str | Exercise, answer: Any) -> Any:
    """Check the answer to an exercise, say what is wrong with it, and hand back one that works.

    The answer is called many times, with copies, so it cannot spoil what it is given. Of what it prints the first lines
    are shown. Random numbers go on afterwards as if it had not been called, and an answer that does not come to an end
    is stopped (see `paulbook.limits.time_limit` for what cannot be).

    Args:
        name: of the exercise, as the chapter gives it; or an exercise of your own.
        answer: the reader's function (or value, where the exercise asks for one).

    Returns:
        The answer if it is right, else the library's, so that a notebook always runs to its end.

    Raises:
        InputError: there is no exercise of that name.

    >>> def my_average_precision(matches, junk):
    ...     return ...
    >>> average_precision = check("average_precision", my_average_precision)
    average_precision: not tried yet. Replace the ... and run the cell again.
    Until then the chapter goes on with the book's version.
    >>> float(average_precision([True, False], [False, False]))
    1.0
    """
    exercise, printed = name if isinstance(name, Exercise) else find(name), io.StringIO()
    name = exercise.name
    with redirect_stdout(printed):
        state, words = verdict(exercise, answer)
    before = standings[name].tries if name in standings else 0
    standings[name] = Standing(state, before + (state != "not tried"))
    print(fill(f"{name}: {words}", WIDTH))
    _show(printed.getvalue().splitlines())
    return answer if state == "right" else exercise.solution


def _show(lines: list[str]) -> None:
    """The first lines that an answer printed, and how many more there are."""
    if not lines:
        return
    print("Your code printed, in its first calls by the check:")
    for line in lines[:PRINTED]:
        print(f"  {line}")
    if len(lines) > PRINTED:
        print(f"  ... ({len(lines) - PRINTED} more)")


def verdict(exercise: Exercise, answer: Any, seconds: float = LIMIT) -> tuple[str, str]:
    """The state of an answer ("not tried", "wrong" or "right") and the line for the reader."""
    instead = f"Until then the {'assignment' if exercise.assignment else 'chapter'} goes on with the book's version."
    try:
        with undisturbed(), time_limit(seconds):
            state, words, _ = refusal(exercise, answer)
    except TimeIsUp:
        state = "wrong"
        words = f"It was stopped after {seconds:g} seconds, because it had not come to an end. Does a loop run forever?"
    if state == "right":
        return state, "right."
    return state, f"{'not yet. ' if state == 'wrong' else ''}{words} {instead}"


def refusal(exercise: Exercise, answer: Any) -> tuple[str, str, str]:
    """The state of an answer, the hint, and the name of the property that does not hold.

    The name is empty where the answer is right or not tried, and where the reader's code stops with an error of its
    own.
    """
    guarded: Any = Guarded(answer, exercise.plain) if callable(answer) else copied(answer)
    name = ""
    try:
        if _untried(exercise, guarded):
            return "not tried", "not tried yet. Replace the ... and run the cell again.", name
        for holds in exercise.properties:
            name = holds.__name__
            holds(guarded if callable(answer) or not exercise.plain else plain(guarded))
    except Wrong as hint:
        return "wrong", str(hint), name
    except (Exception, SystemExit) as error:  # whatever the reader's code raises is told, never thrown at them
        first = (str(error).splitlines() or ["no message"])[0].rstrip(".")
        given = ", ".join(type(value).__name__ for value in exercise.example())
        words = f"It stops with {type(error).__name__}: {first}." + (f" It is given: {given}." if given else "")
        return "wrong", words, ""
    return "right", "", ""


def _untried(exercise: Exercise, answer: Any) -> bool:
    """The stub is ``...`` itself, or a function that returns ``...``."""
    if not callable(answer):
        return answer is ...
    try:
        result = answer(*exercise.example())
    except NotImplementedError:
        return True
    except Exception:  # the properties will meet it again, and may know the cause
        return False
    expect(result is not None, "It returns None. Does its last line begin with return?")
    return result is ...


def find(name: str) -> Exercise:
    """The exercise of that name."""
    known = all_exercises()
    if name not in known:
        raise InputError(f"found no exercise {name!r}", "expected a name from a chapter", nearest_names(name, known))
    return known[name]


def all_exercises() -> dict[str, Exercise]:
    """Every exercise by name: those of the chapters in their order, then those of the assignments."""
    modules = [import_module(f"{exercises.__name__}.{m.name}") for m in iter_modules(exercises.__path__)]
    found = [e for m in sorted(modules, key=lambda m: m.__name__) for e in getattr(m, "EXERCISES", ())]
    return {e.name: e for e in sorted(found, key=lambda e: (e.assignment, e.chapter))}
