"""The one error that a user is meant to read."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave does not fit: what was found, what was expected, what to do next.

    The message is one line. The command line prints it and exits with code 2; in Python it is a ``ValueError``.

    >>> from paullite.errors import InputError
    >>> print(InputError("found 3 images", "expected 8 or more", "use --batch 2"))
    found 3 images; expected 8 or more; use --batch 2
    """

    def __init__(self, found: str, expected: str = "", do: str = "") -> None:
        super().__init__("; ".join(" ".join(part.split()) for part in (found, expected, do) if part))


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> str:
    """The known names that look most like a mistyped one, joined for a message.

    >>> nearest_names("resnet5", ["resnet50", "vgg16", "resnet18"])
    'resnet50, resnet18'
    """
    return ", ".join(difflib.get_close_matches(name, list(known), n=count, cutoff=0.5)) or "no name looks like it"


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first few names for a message."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def at_least_one(**counts: int) -> None:
    """Raises an `InputError` that names the first count below 1.

    >>> at_least_one(batch=8, top=0)
    Traceback (most recent call last):
    paullite.errors.InputError: found top = 0; expected 1 or more
    """
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"found {name} = {count}", "expected 1 or more")
