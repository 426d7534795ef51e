"""Checking an answer: a few properties each, and a hint that points at the cause."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from textwrap import fill
from typing import Any, NamedTuple

from paullite.errors import InputError, nearest_names

from . import exercises
from .exercise import Exercise, Wrong, expect

WIDTH = 84  # what fits on the page beside its side bars


class Standing(NamedTuple):
    """How an exercise stands: "not tried", "wrong" or "right", after so many answers that were no stub."""

    state: str
    tries: int


standings: dict[str, Standing] = {}  # of each exercise that was checked in this session, by name


def check(name: str, answer: Any) -> Any:
    """Check the answer to an exercise, say what is wrong with it, and hand back one that works.

    Args:
        name: of the exercise, as the chapter gives it.
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
    exercise = find(name)
    state, words = verdict(exercise, answer)
    before = standings[name].tries if name in standings else 0
    standings[name] = Standing(state, before + (state != "not tried"))
    print(fill(f"{name}: {words}", WIDTH))
    return answer if state == "right" else exercise.solution


def verdict(exercise: Exercise, answer: Any) -> tuple[str, str]:
    """The state of an answer ("not tried", "wrong" or "right") and the line for the reader."""
    instead = f"Until then the {'assignment' if exercise.assignment else 'chapter'} goes on with the book's version."
    try:
        if _untried(exercise, answer):
            return "not tried", f"not tried yet. Replace the ... and run the cell again. {instead}"
        for holds in exercise.properties:
            holds(answer)
    except Wrong as hint:
        return "wrong", f"not yet. {hint} {instead}"
    except Exception as error:  # whatever the reader's code raises is told, never thrown at them
        first = (str(error).splitlines() or ["no message"])[0].rstrip(".")
        given = ", ".join(type(value).__name__ for value in exercise.example)
        words = f"It stops with {type(error).__name__}: {first}." + (f" It is given: {given}." if given else "")
        return "wrong", f"not yet. {words} {instead}"
    return "right", "right."


def _untried(exercise: Exercise, answer: Any) -> bool:
    """The stub is ``...`` itself, or a function that returns ``...``."""
    if not callable(answer):
        return answer is ...
    try:
        result = answer(*exercise.example)
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
    found = [e for module in sorted(modules, key=lambda m: m.__name__) for e in module.EXERCISES]
    return {e.name: e for e in sorted(found, key=lambda e: (e.assignment, e.chapter))}
