"""The solutions of the exercises as source text, and functions made of such text."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import paulbook as pb
from paulbook.exercise import Exercise

import paullite as pl
from tests.chapters import CHAPTERS, code_cells, read, written_exercises


class Source(NamedTuple):
    """A solution as text, with the names that it sees."""

    text: str
    names: dict[str, Any]


class Patch(NamedTuple):
    """A wrong answer: the solution with one piece of its text replaced, and words of the hint that it must get."""

    name: str
    old: str
    new: str
    hint: str


def sources(exercise: Exercise) -> Iterator[Source]:
    """The book's own answer, then the one that the chapter shows below the exercise."""
    text = textwrap.dedent(inspect.getsource(exercise.solution))
    yield Source(text, vars(inspect.getmodule(exercise.solution)))
    for path in CHAPTERS if exercise.chapter else ():
        notebook = read(path)
        for written in written_exercises(notebook):
            if written.name == exercise.name:
                yield Source(written.solution, _imports(notebook))


def _imports(notebook) -> dict[str, Any]:  # type: ignore[no-untyped-def]
    names: dict[str, Any] = {"pl": pl, "pb": pb}
    for cell in code_cells(notebook):
        for line in cell.source.splitlines():
            if line.startswith(("import ", "from ")) and "(" not in line:
                exec(line, names)
    return names


def built(text: str, names: dict[str, Any]) -> Callable[..., Any]:
    """The function that a text defines last."""
    own = dict(names)
    exec(compile(text, "<answer>", "exec"), own)
    return own[ast.parse(text).body[-1].name]  # type: ignore[attr-defined]


def patched(exercise: Exercise, patch: Patch) -> Callable[..., Any]:
    """The first solution that holds the piece, with the other one in its place."""
    source = next(source for source in sources(exercise) if patch.old in source.text)
    answer = built(source.text.replace(patch.old, patch.new), source.names)
    answer.__name__ = patch.name
    return answer
