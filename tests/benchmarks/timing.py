"""Medians of repeated runs, all variants in turn so that a noisy machine hits them alike; and the one table of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

Work = Callable[[], object]
COLUMNS = f"{'':<40}{'ms':>10}{'ratio':>7}  {'goal':<11}note"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: was measured.
        seconds: median; ``None`` where no time was taken.
        ratio: to the base that the note of another line names.
        goal: the ratio that is asked for: at most this much, or ``at_least``.
        note: base, limit, or what was counted.
    """

    what: str
    seconds: float | None = None
    ratio: float | None = None
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the goal was reached in this run."""
        assert self.ratio is not None and self.goal is not None
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def __str__(self) -> str:
        ms = "" if self.seconds is None else f"{1000 * self.seconds:,.1f}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        asked = "" if self.goal is None else f"{'>=' if self.at_least else '<='}{self.goal:g}"
        goal = asked and f"{asked:<7}{'yes' if self.reached else 'NO'}"
        return f"  {self.what:<38}{ms:>10}{ratio:>7}  {goal:<11}{self.note}".rstrip()


def medians(variants: Mapping[str, Work], repeats: int) -> dict[str, float]:
    """Median seconds of each variant after one run to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for run in range(repeats + 1):
        for name, variant in variants.items():
            wait()
            began = time.perf_counter()
            variant()
            wait()
            if run:
                seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def wait() -> None:
    """A GPU works on while the program goes on: a clock is only right after it has finished."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def rows(seconds: Mapping[str, float], base: str, goals: Mapping[str, float] | None = None) -> list[Row]:
    """A line for each variant, with its ratio to one of them."""
    goals = goals or {}
    return [
        Row(name, value, value / seconds[base], goals.get(name), note="base" if name == base else "")
        for name, value in seconds.items()
    ]


def table(title: str, lines: list[Row]) -> str:
    """A section of the table."""
    return "\n".join([f"\n{title}", *map(str, lines)])
