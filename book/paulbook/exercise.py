"""What an exercise is: its solution, and the properties of a right answer, each with a hint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Property = Callable[[Any], None]  # looks at the answer; raises Wrong if it does not hold


class Wrong(Exception):
    """An answer lacks a property; the message is the hint that the reader sees."""


def expect(holds: bool, hint: str) -> None:
    """Raises `Wrong` with the hint unless the property holds."""
    if not holds:
        raise Wrong(hint)


@dataclass(frozen=True)
class Exercise:
    """What a check knows of an exercise.

    Attributes:
        name: as in ``pb.check(name, answer)``.
        chapter: where it stands; 0 for an exercise of an assignment.
        solution: what is handed back while the reader's answer is not right.
        properties: looked at in order; the first that does not hold gives the hint.
        example: makes arguments that a function is called with once, to see whether it is still the stub.
        plain: whether what the answer is, or hands back, is read as plain Python, whatever holds its numbers. False
            where a tensor is asked for.
        assignment: where it stands, if not in a chapter.
        points: for a right answer.
    """

    name: str
    chapter: int
    solution: Any
    properties: tuple[Property, ...]
    example: Callable[[], tuple[Any, ...]] = tuple
    assignment: str = ""
    points: float = 1
    plain: bool = False

    @property
    def place(self) -> str:
        """The number of its chapter, or the name of its assignment."""
        return self.assignment or str(self.chapter)
