"""What values a setting may have: a type, a range, a choice. `checks_of` reads them from a dataclass's own hints."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable
from dataclasses import fields
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from .errors import InputError


class Range(NamedTuple):
    """The allowed values of a number, both ends included unless ``over`` excludes the lower one."""

    low: float
    high: float = math.inf
    over: bool = False

    def __contains__(self, value: object) -> bool:
        """Whether a number lies inside; NaN does not."""
        assert isinstance(value, int | float)
        return (self.low < value if self.over else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        low = f"over {self.low:g}" if self.over else f"{self.low:g} or more"
        return low if self.high == math.inf else f"{low}, at most {self.high:g}"


Count = Annotated[int, Range(1)]
Natural = Annotated[int, Range(0)]
Positive = Annotated[float, Range(0, over=True)]
NonNegative = Annotated[float, Range(0)]
Share = Annotated[float, Range(0, 1)]
PositiveShare = Annotated[float, Range(0, 1, over=True)]


Check = Callable[[str, Any], Any]  # what is checked, in words, and its value -> the value in its type


def checks_of(kind: type) -> dict[str, Check]:
    """For each field a function that brings a value to the field's type, or raises an `InputError`."""
    hints = get_type_hints(kind, include_extras=True)
    return {one.name: _check_of(hints[one.name]) for one in fields(kind)}


def _check_of(hint: Any) -> Check:
    """The check of one type hint."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return lambda what, value: _in_range(what, _check_of(args[0])(what, value), args[1])
    if origin is Literal:
        return lambda what, value: _choice(what, value, args)
    if origin is tuple:
        return lambda what, value: _tuple(what, value, [_check_of(a) for a in args])
    if NoneType in args:
        return lambda what, value: None if value is None else _check_of(args[0])(what, value)
    return lambda what, value: _converted(what, value, *CONVERSIONS[origin or hint])


# What brings a value to a type, and that type in words. numpy's integers pass, 3.5 does not; a Path becomes text.
CONVERSIONS: dict[Any, tuple[Callable[[Any], Any], str]] = {
    int: (operator.index, "a whole number"),
    float: (float, "a number"),
    bool: (lambda value: {True: True, False: False}[value], "True or False"),
    str: (lambda value: str(os.fspath(value)), "text or a path"),
    dict: (dict, "names with values"),
}


def _converted(what: str, value: Any, convert: Callable[[Any], Any], expected: str) -> Any:
    try:
        found = convert(value)
    except (TypeError, ValueError, KeyError):
        found = math.nan
    if found != found or found in (math.inf, -math.inf):
        raise InputError(f"found {what}", f"expected {expected}")
    return found


def _in_range(what: str, value: float, allowed: Range) -> float:
    if value not in allowed:
        raise InputError(f"found {what}", f"expected {allowed}")
    return value


def _choice(what: str, value: object, choices: tuple[str, ...]) -> object:
    if value not in choices:
        raise InputError(f"found {what}", f"expected one of {', '.join(choices)}")
    return value


def _tuple(what: str, value: Any, checks: list[Check]) -> tuple[Any, ...]:
    try:
        parts = tuple(value)
    except TypeError:
        parts = ()
    if isinstance(value, str) or len(parts) != len(checks):
        raise InputError(f"found {what}", f"expected {len(checks)} numbers")
    return tuple(check(what, part) for check, part in zip(checks, parts, strict=True))
