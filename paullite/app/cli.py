"""The command line: finds the command, and turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import tyro

from ..config import PRESETS, Preset
from ..errors import InputError, nearest_names
from ..version import __version__
from . import commands
from .show import SHOW

MOVED = ("experiment", "compare", "marks")  # commands of version 1 that the book's package has now
RANK = os.environ.get("RANK", "0")  # which of the processes that torchrun started


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 on success, 2 for bad input, 1 for a fault of the program."""
    return guarded("paullite", run, argv)


def guarded(program: str, run: Callable[[list[str]], None], argv: Sequence[str] | None = None) -> int:
    """Call ``run`` with the arguments; an error becomes one line and an exit code. ``paulbook`` uses it, too."""
    args = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in args
    warnings.formatwarning = lambda message, *_: f"{program}: {message}\n"
    try:
        run([a for a in args if a != "--debug"])
        return 0
    except InputError as error:
        return _complain(f"{program}: {error}" if RANK == "0" else f"{program}, process {RANK}: {error}", 2, debug)
    except KeyboardInterrupt as error:
        return _complain(f"{program}: {error or 'stopped'}" if RANK == "0" else "", 130, debug)
    except Exception as error:
        first = " ".join(str(error).split())[:300]
        return _complain(f"{program}: {type(error).__name__}: {first}; run again with --debug for the place", 1, debug)


def run(args: list[str]) -> None:
    """Find the command and call it."""
    if args[:1] in (["--version"], ["-V"]):
        print(f"paullite {__version__}")
        return
    groups = {"data": (commands.DATA, "Look at a data set."), "show": (SHOW, "Draw a picture.")}
    if args and args[0] in MOVED:
        new = " ".join(["paulbook", *args])
        raise InputError(f"found the command {args[0]}", "expected it in the book's own package", f"type: {new}")
    if args and args[0] in groups:
        found, text = groups[args[0]]
        prog, args = f"paullite {args[0]}", args[1:]
    else:
        found, text, prog = top_level(_sniff_preset(args)), ABOUT, "paullite"
    tyro.extras.subcommand_cli_from_dict(found, args=args or ["--help"], prog=prog, description=text)


ABOUT = (
    f"paullite {__version__}: learn to recognise people across cameras without labels (PAUL). "
    "Start with: paullite demo --output demo. Any command takes --debug, which shows where an error arose."
)


def top_level(preset: Preset) -> dict[str, Callable[..., Any]]:
    """All commands by name, in the order of the help; the phases have a preset's values as defaults."""

    def data() -> None:
        """Look at a data set: paullite data check KIND ROOT."""

    def show() -> None:
        """Draw patches, ranking, embedding or curves: paullite show patches KIND ROOT."""

    phases = commands.make_pretrain(preset), commands.make_adapt(preset)
    listed = (commands.demo, commands.doctor, data, *phases, commands.evaluate, commands.search, show)
    return {command.__name__: command for command in listed}


def _sniff_preset(args: Sequence[str]) -> Preset:
    """The defaults shown and used are the ones of --preset, else of the data's kind, else of market1501."""
    named = [b for a, b in pairwise(args) if a == "--preset"]
    named += [a.split("=", 1)[1] for a in args if a.startswith("--preset=")]
    if named and named[0] not in PRESETS:
        raise InputError(
            f"found the preset {named[0]!r}",
            f"expected one of {', '.join(PRESETS)}",
            f"nearest: {nearest_names(named[0], PRESETS)}",
        )
    kinds = [a.replace("-source", "").replace("-target", "") for a in args if not a.startswith("-")]
    return PRESETS[next((name for name in [*named, *kinds] if name in PRESETS), "market1501")]


def _complain(line: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    if line:
        print(line, file=sys.stderr)
    return code
