"""``paulbook``: run a study, compare two receipts, evaluate a network into a receipt, collect marks."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from paullite.app.cli import guarded
from paullite.app.parsing import dispatch
from paullite.version import __version__

from .commands import marks
from .studies.commands import compare, evaluate, experiment

ABOUT = f"paulbook {__version__}: the studies of the book about PAUL, and the marks of a class."


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 on success, 2 for bad input, 1 for a fault of the program."""
    return guarded("paulbook", run, argv)


def run(args: list[str]) -> None:
    """Find the command and call it."""
    if args[:1] in (["--version"], ["-V"]):
        print(f"paulbook {__version__}")
        return
    commands = {command.__name__: command for command in (experiment, compare, evaluate, marks)}
    dispatch(commands, args, "paulbook", ABOUT)


if __name__ == "__main__":
    sys.exit(main())
