"""The command line: finds the command, and turns errors into one line and an exit code."""

import io
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..config import PRESETS, Preset
from ..errors import InputError, nearest_names
from ..version import __version__
from . import commands
from .parsing import HELP, Command, dispatch, parse
from .show import SHOW

ABOUT = (
    f"paullite {__version__}: learn to recognise people across cameras without labels (PAUL). "
    "Start with: paullite demo --output demo. Any command takes --debug, which shows where an error arose."
)
GROUPS = {"data": ({"check": commands.data_check}, "Look at a data set."), "show": (SHOW, "Draw a picture.")}
PHASES = {"pretrain": commands.make_pretrain, "adapt": commands.make_adapt}
MOVED = ("experiment", "compare", "marks")  # commands of version 1 that the book's package has now


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 on success, 2 for bad input, 1 for a fault of the program."""
    return guarded("paullite", run, argv)


def guarded(program: str, run: Callable[[list[str]], None], argv: Sequence[str] | None = None) -> int:
    """Call ``run`` with the arguments; an error becomes one line and an exit code. ``paulbook`` uses it, too."""
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        with messages_as_lines(program):
            run([a for a in args if a != "--debug"])
        return 0
    except BrokenPipeError:  # whoever read on, as head does, has seen enough; nothing is left for Python to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in args:
            traceback.print_exc()
        code = 2 if isinstance(error, InputError) else 130 if isinstance(error, KeyboardInterrupt) else 1
        fault = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}; run again with --debug for the place"
        line = fault if code == 1 else str(error) or "stopped"
        if commands.RANK == "0":
            print(f"{program}: {line}", file=sys.stderr)
        elif code != 130:  # one process says that all were stopped
            print(f"{program}, process {commands.RANK}: {line}", file=sys.stderr)
        return code


@contextmanager
def messages_as_lines(program: str) -> Iterator[None]:
    """While a command runs, the library's log and all warnings are lines on stderr; afterwards all is as it was.

    Letters that the terminal lacks, or that are no UTF-8, as in the names of files, are printed as backslash codes.
    """
    logger, shape = logging.getLogger("paullite"), warnings.formatwarning
    level, handler = logger.level, logging.StreamHandler()
    handler.setFormatter(logging.Formatter(f"{program}: %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    warnings.formatwarning = lambda message, *_: f"{program}: {message}\n"
    stdout: Any = sys.stdout if hasattr(sys.stdout, "reconfigure") else io.TextIOWrapper(io.BytesIO())  # a notebook's
    errors = stdout.errors
    stdout.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        stdout.reconfigure(errors=errors)
        warnings.formatwarning = shape
        logger.setLevel(level)
        logger.removeHandler(handler)


def run(args: list[str]) -> None:
    """Find the command and call it."""
    name = args[0] if args else ""
    if name in ("--version", "-V"):
        print(f"paullite {__version__}")
    elif name in MOVED:
        do = f"type: {' '.join(['paulbook', *args])}"
        raise InputError(f"found the command {name}", "expected it in the book's own package", do)
    elif name in GROUPS:
        dispatch(GROUPS[name][0], args[1:], f"paullite {name}", GROUPS[name][1])
    else:
        preset = chosen_preset(PHASES[name], args[1:]) if name in PHASES else PRESETS["market1501"]
        dispatch(top_level(preset), args, "paullite", ABOUT)


def top_level(preset: Preset) -> dict[str, Command]:
    """All commands by name, in the order of the help; the phases have a preset's values as defaults."""

    def data() -> None:
        """Look at a data set: paullite data check KIND ROOT."""

    def show() -> None:
        """Draw patches, ranking, embedding or curves: paullite show patches KIND ROOT."""

    phases = (make(preset) for make in PHASES.values())
    used = (commands.evaluate, commands.search, commands.group, commands.export)
    listed: tuple[Command, ...] = (commands.demo, commands.doctor, data, *phases, *used, show)
    return {command.__name__: command for command in listed}


def chosen_preset(make: Callable[[Preset], Command], args: Sequence[str]) -> Preset:
    """The preset of a phase: that of --preset, else of KIND, else market1501."""
    usual = PRESETS["market1501"]
    try:  # parsed once for these two alone, so that no folder and no option's value is taken for KIND
        call = parse(make(usual), [a for a in args if a not in HELP], "paullite")
    except InputError:
        return usual  # the parse that follows says what is wrong
    named = call.keywords["extra"].preset
    if named and named not in PRESETS:
        near = nearest_names(named, PRESETS)
        raise InputError(f"found the preset {named!r}", f"expected one of {', '.join(PRESETS)}", f"nearest: {near}")
    return PRESETS.get(named or call.args[0].removesuffix("-source").removesuffix("-target"), usual)
