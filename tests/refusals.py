"""Which property refuses which wrong answer: the hint that each kept one must get.

    python -m tests.refusals           # properties that no kept answer needs, and answers that another property refuses
    python -m tests.refusals --write   # takes what is found for what must be, into tests/data/refusals.json

A property that refuses no kept answer could be dropped, and no test would notice.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paulbook.checking import all_exercises, refusal
from paulbook.trying import undisturbed

from tests.fresh_answers import lists, tensors
from tests.patches import PATCHES
from tests.solutions import patched

FILE = Path(__file__).parent / "data" / "refusals.json"
Refusals = dict[str, dict[str, str]]  # exercise: answer: property


def module_of(name: str) -> str:
    """Name of the module with an exercise's chapter or assignment, and of the one with its wrong answers."""
    exercise = all_exercises()[name]
    return exercise.assignment or f"chapter_{exercise.chapter:02d}"


def written(name: str, kind: str) -> tuple[Any, ...]:
    """The wrong (or other right) answers that are written out for an exercise."""
    return getattr(importlib.import_module(f"tests.wrong_answers.{module_of(name)}"), kind, {}).get(name, ())


def wrong_answers(name: str) -> dict[str, Callable[..., Any]]:
    """All kept wrong answers to an exercise by name: written out, written without having seen the checks, patches."""
    functions = [*written(name, "WRONG"), *lists.WRONG.get(name, ()), *tensors.WRONG.get(name, ())]
    functions += [patched(all_exercises()[name], patch) for patch in PATCHES.get(name, ())]
    return {getattr(answer, "__name__", repr(answer)): answer for answer in functions}


def found() -> Refusals:
    """The property that refuses each kept answer, as the checks are now."""
    every: Refusals = {}
    for name, exercise in all_exercises().items():
        every[name] = {}
        for label, answer in wrong_answers(name).items():
            with undisturbed():
                every[name][label] = refusal(exercise, answer)[2]
    return every


def silent(refusals: Refusals) -> dict[str, list[str]]:
    """By exercise, the properties that refuse none of its kept answers."""
    every = {name: [p.__name__ for p in exercise.properties] for name, exercise in all_exercises().items()}
    without = {name: [p for p in names if p not in refusals[name].values()] for name, names in every.items()}
    return {name: names for name, names in without.items() if names}


def main(write: bool) -> None:
    """Compare, and perhaps take over."""
    now = found()
    for name, properties in silent(now).items():
        print(f"{name}: no answer needs {', '.join(properties)}")
    kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    for name, answers in now.items():
        for label, prop in answers.items():
            before = kept.get(name, {}).get(label, "(new)")
            if before != prop:
                print(f"{name}: {label} is refused by {prop or 'an error'}, before by {before}")
    if write:
        FILE.write_text(json.dumps(now, indent=1) + "\n")


if __name__ == "__main__":
    main("--write" in sys.argv)
