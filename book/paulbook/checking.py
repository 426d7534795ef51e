"""Exercises check themselves: a few properties each, and a hint that points at the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from textwrap import fill
from typing import Any, NamedTuple

from paullite.errors import InputError, nearest_names

WIDTH = 84  # what fits on the page beside its side bars

Property = Callable[[Any], None]  # looks at the answer; raises Wrong if it does not hold


class Wrong(Exception):
    """An answer lacks a property; the message is the hint that the reader sees."""


def expect(holds: bool, hint: str) -> None:
    """Raises `Wrong` with the hint unless the property holds."""
    if not holds:
        raise Wrong(hint)


@dataclass(frozen=True)
class Exercise:
    """What `check` knows of an exercise.

    Attributes:
        name: as in ``pb.check(name, answer)``.
        chapter: where it stands; 0 for an exercise of an assignment.
        solution: what is handed back while the reader's answer is not right.
        properties: looked at in order; the first that does not hold gives the hint.
        example: arguments that a function is called with once, to see whether it is still the stub.
        assignment: where it stands, if not in a chapter.
        points: for a right answer.
    """

    name: str
    chapter: int
    solution: Any
    properties: tuple[Property, ...]
    example: tuple[Any, ...] = ()
    assignment: str = ""
    points: float = 1

    @property
    def place(self) -> str:
        """The number of its chapter, or the name of its assignment."""
        return self.assignment or str(self.chapter)


class Standing(NamedTuple):
    """How an exercise stands: "not tried", "wrong" or "right", after so many answers that were no stub."""

    state: str
    tries: int


_results: dict[str, Standing] = {}  # of each exercise that was checked in this session, by name


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
    before = _results[name].tries if name in _results else 0
    _results[name] = Standing(state, before + (state != "not tried"))
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
    from . import exercises

    modules = [import_module(f"{exercises.__name__}.{m.name}") for m in iter_modules(exercises.__path__)]
    found = [e for module in sorted(modules, key=lambda m: m.__name__) for e in module.EXERCISES]
    return {e.name: e for e in sorted(found, key=lambda e: (e.assignment, e.chapter))}


def check_report(
    path: str | Path | None = None,
    *,
    student: str = "",
    assignment: str = "",
    chapters: Iterable[int] = (),
    exercises: Iterable[str] = (),
    weights: Mapping[str, float] | None = None,
) -> None:
    """Print how the exercises of this session stand, or write them to a file of marks.

    A right exercise brings its points, 1 unless said otherwise; any other brings 0. An exercise that was asked for and
    never checked is "not tried". If the file is there already, what it says of exercises that were not tried in this
    session stays.

    **A file of marks proves nothing**: whoever has it can edit it, and the answers come with this package. Who needs
    to be sure runs the notebook again (``paulbook marks FOLDER --run``) and talks with its author.

    Args:
        path: file to write, ending in .json or .csv; none: only print.
        student: a name or number, needed with a path.
        assignment: name of an assignment, whose exercises are reported.
        chapters: numbers of the chapters whose exercises are reported.
        exercises: names of exercises that are reported. Without these three: what was checked in this session.
        weights: points by name of exercise, where they are not the exercise's own.

    Raises:
        InputError: no student, an unknown name, a path with another ending, or a file that is somebody else's.

    >>> check_report()  # doctest: +ELLIPSIS
    chapter  exercise ...
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_report(Path(folder) / "marks.json", student="Ada", exercises=["late_ranking"])  # doctest: +ELLIPSIS
    Ada: ... of 1 points, ... of 1 exercises right. Written: ...marks.json
    """
    from .marks import asked_for, write_report

    if path is None and not (assignment or chapters or exercises or weights):
        _print_report()
        return
    wanted = asked_for(assignment, chapters, exercises, weights or {})
    if path is None:
        _print_report(wanted)
    else:
        write_report(path, student, assignment, wanted, weights or {})


def _print_report(wanted: Iterable[str] = ()) -> None:
    print(f"{'chapter':<9}{'exercise':<28}state")
    shown = {name: _results.get(name, Standing("not tried", 0)) for name in wanted or _results}
    for name, exercise in all_exercises().items():
        if name in shown:
            print(f"{exercise.chapter or '-':<9}{name:<28}{shown[name].state}")
    right = sum(standing.state == "right" for standing in shown.values())
    print(f"right: {right} of {len(shown)} {'asked for' if wanted else 'tried here'}")
