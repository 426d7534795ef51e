"""What values a setting may have: a type, a range, a choice. `checks_of` reads them from a dataclass's own hints."""

import math
import operator
import os
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from .errors import InputError


class Range(NamedTuple):
    """The allowed values of a number, both ends included unless ``over`` excludes the lower one."""

    low: float
    high: float = math.inf
    over: bool = False

    def __call__(self, what: str, value: float) -> float:
        """The value, or an `InputError` if it lies outside."""
        if value < self.low or value > self.high or (self.over and value == self.low):
            raise InputError(f"found {what}", f"expected {self}")
        return value

    def __str__(self) -> str:
        low = f"over {self.low:g}" if self.over else f"{self.low:g} or more"
        return low if self.high == math.inf else f"{low}, at most {self.high:g}"


Count = Annotated[int, Range(1)]
Natural = Annotated[int, Range(0)]
Positive = Annotated[float, Range(0, over=True)]
NonNegative = Annotated[float, Range(0)]
Share = Annotated[float, Range(0, 1)]
PositiveShare = Annotated[float, Range(0, 1, over=True)]

# What brings a value to a type, and that type in words. numpy's integers pass, 3.5 does not; a Path becomes text.
CONVERSIONS: dict[Any, tuple[Callable[[Any], Any], str]] = {
    int: (lambda value: int(operator.index(value)), "a whole number"),
    float: (float, "a number"),
    bool: (lambda value: {True: True, False: False}[value], "True or False"),
    str: (lambda value: str(os.fsdecode(value)), "text or a path"),
    dict: (dict, "names with values"),
}


def checks_of(kind: type) -> dict[str, Callable[[str, Any], Any]]:
    """For each field a function of what is checked, in words, and of its value: the value in the field's type.

    Where there is none, it raises an `InputError`. What stands second in an `Annotated` hint is such a function, too.
    """
    hints = get_type_hints(kind, include_extras=True)
    return {one.name: partial(_checked, hints[one.name]) for one in fields(kind)}


def _checked(hint: Any, what: str, value: Any) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return args[1](what, _checked(args[0], what, value))
    if NoneType in args:
        return None if value is None else _checked(args[0], what, value)
    if origin is Literal:
        convert, expected = {choice: choice for choice in args}.__getitem__, f"one of {', '.join(args)}"
    elif origin is tuple:
        convert, expected = partial(_parts, len(args)), f"{len(args)} numbers"
    else:
        convert, expected = CONVERSIONS[origin or hint]
    try:
        found = convert(value)
    except (TypeError, ValueError, KeyError, OverflowError):
        found = math.nan
    if isinstance(found, float) and not math.isfinite(found):
        raise InputError(f"found {what}", f"expected {expected}")
    return tuple(_checked(a, what, part) for a, part in zip(args, found, strict=True)) if origin is tuple else found


def _parts(count: int, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str) or len(parts := tuple(value)) != count:
        raise ValueError
    return parts
