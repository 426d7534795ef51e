"""From words to a call: finds the command, checks its options, and turns what the parser says into one line."""

import functools
import inspect
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import fields, is_dataclass
from typing import Any

import tyro

from ..errors import InputError, nearest_names

Command = Callable[..., None]
HELP = ("--help", "-h")


def dispatch(commands: Mapping[str, Command], args: Sequence[str], prog: str, about: str) -> None:
    """Call the command that the first word names; without a word, show the help.

    Raises:
        InputError: an unknown command or option, a missing argument, or a value that cannot be read.
        SystemExit: with code 0, after the help.
    """
    if not args or args[0] in HELP:
        tyro.extras.subcommand_cli_from_dict(dict(commands), args=["--help"], prog=prog, description=about)
    elif args[0] not in commands:
        near = nearest_names(args[0], commands)
        raise InputError(f"found {args[0]!r}", f"expected {prog} with one of {', '.join(commands)}", f"nearest: {near}")
    else:
        parse(commands[args[0]], args[1:], f"{prog} {args[0]}")()


def parse(command: Command, args: Sequence[str], prog: str) -> functools.partial[None]:
    """The call that the words after a command ask for, not made yet.

    >>> def add(a: int, /, to: int = 0) -> None:
    ...     print(a + to)
    >>> parse(add, ["1", "--to", "2"], "add")()
    3
    >>> parse(add, ["1", "--too", "2"], "add")
    Traceback (most recent call last):
    paullite.errors.InputError: found --too; expected an option of add; nearest: --to; all: add --help
    """
    # ~ is the home folder, also in --output=~/runs, where the shell leaves it as it is
    args = [re.sub(r"^(--[\w-]+=)?(~.*)", lambda m: (m[1] or "") + os.path.expanduser(m[2]), word) for word in args]
    _check_names(list(_option_names(command)), args, prog)

    @functools.wraps(command)
    def bind(*values: Any, **options: Any) -> functools.partial[None]:
        return functools.partial(command, *values, **options)

    said = io.StringIO()
    try:
        with redirect_stderr(said):
            return tyro.cli(bind, args=args, prog=prog, config=(tyro.conf.OmitArgPrefixes,))
    except SystemExit as stop:
        if not stop.code:  # the help was asked for
            raise
        raise _one_line(said.getvalue(), prog) from None


def _option_names(command: Command) -> Iterator[str]:
    """Without dashes in front: a command's arguments, and the fields of its settings."""
    for name, parameter in inspect.signature(command).parameters.items():
        if is_dataclass(parameter.default):
            yield from (field.name.replace("_", "-") for field in fields(parameter.default))
        elif parameter.kind is not parameter.POSITIONAL_ONLY:
            yield name.replace("_", "-")


def _check_names(known: Sequence[str], args: Sequence[str], prog: str) -> None:
    for word in args:
        name = word[2:].split("=")[0].replace("_", "-")
        if word.startswith("--") and name.removeprefix("no-") not in known and word not in HELP:
            alike = [f"--{k}" for k in known if name and name in k]
            near = ", ".join(alike) or nearest_names(word, (f"--{k}" for k in known))
            raise InputError(f"found {word}", f"expected an option of {prog}", f"nearest: {near}; all: {prog} --help")


def _one_line(box: str, prog: str) -> InputError:
    """What the parser says in a box of several lines, as one. The frame is of lines; on some terminals of dashes."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", box).replace("│", " ")
    body = plain.partition("\n")[2]  # below the title
    said, *more = [part for part in re.split(r"^[ ╰╯─-]+$", body, flags=re.MULTILINE) if part.strip()]
    see = f"see {prog} --help"
    missing = re.findall(r"^ {6}(\S+)", said, re.MULTILINE)  # names are indented by four, what they mean by more
    if missing:
        return InputError(f"found no {', no '.join(missing)}", f"expected {prog} {' '.join(missing)}", see)
    said = re.sub(r"\('(--[\w-]+)',\)", r"\1", " ".join(said.split()))  # tyro 1.0.0 names an option as a tuple
    option = re.match(r"(?:Error parsing |Missing value .*?'|invalid choice .* argument ')(--[\w-]+)", said)
    if not option:
        found = re.sub(r"^Error parsing [\w.]+: ", "", said)  # a setting that checks itself says it all
        found = re.sub(r"^Unrecognized options: (.*)", r"found \1; expected nothing there", found)
        return InputError(found.rstrip(" ."), "", see)
    value = re.search(r"\['.*?'\]|'(?!--)[^']*'", said)
    found = f"found {option[1]} {value[0].strip('[]') if value else 'without its value'}"
    if value and (choices := re.search(r"one of \((.*?),?\)", said)):
        names = choices[1].replace("'", "").split(", ")
        return InputError(found, f"expected one of {', '.join(names)}", f"nearest: {nearest_names(value[0], names)}")
    form = re.search(r"Argument helptext:\s+(\S.*)", "".join(more)) or re.search(r"Expected (\d+ values?)", said)
    return InputError(found, f"expected {form[1].strip()}" if form else "", see)
