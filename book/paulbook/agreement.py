"""The last property of a function's exercise: it gives what the library gives, on random input of general size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .exercise import Property, expect
from .trying import Guarded, copied

Draw = np.random.Generator
Given = tuple[Any, ...]
Compare = Callable[[Any, Any], bool]
TIMES = 12  # cases of an exercise


def agrees(
    reference: Callable[..., Any],
    drawn: Callable[[Draw], Given],
    *,
    given: Callable[..., Given] = lambda *drawn: drawn,
    view: Callable[..., Any] = lambda found, *drawn: found,
    slopes: Sequence[int] = (),
    alike: Compare | None = None,
    times: int = TIMES,
    hint: str = "Try it with sizes that all differ, and follow one number.",
) -> Property:
    """The property that an answer agrees with the library wherever it is asked.

    Args:
        reference: the library's function (or one that is written another way than the solution, where the library has
            none); it is called with what is drawn.
        drawn: makes a case from a generator; in it no two sizes are equal, and none is one.
        given: what the answer is called with, made from what is drawn; the same by default.
        view: what of a result is compared, called with the result and what is drawn.
        slopes: which of the drawn tensors get a gradient. It is compared as well: that of the sum of the result.
        alike: whether two results are equal; `close` by default.
        times: how many cases.
        hint: what to look for.

    >>> double = agrees(lambda x: 2 * x, lambda draw: (numbers(draw, 3, 4),), hint="Look at one row.")
    >>> double(lambda x: x + x)
    >>> double(lambda x: x * x)
    Traceback (most recent call last):
    paulbook.exercise.Wrong: On random input, x (3, 4), yours gives another result than the library. Look at one row.
    """

    def agrees_with_the_library(answer: Callable[..., Any]) -> None:
        for seed in range(times):
            mine, theirs = (_leaves(drawn(np.random.default_rng(seed)), slopes) for _ in range(2))
            asked = given(*mine)
            found, wanted = answer(*asked), reference(*theirs)
            pairs = [(view(found, *mine), view(wanted, *theirs))]
            said = f"On random input, {described(answer, asked)}, yours gives"
            shown = _shown(*pairs[0])
            expect((alike or close)(*pairs[0]), f"{said} {shown}. {hint}")
            for place in slopes:
                equal = close(_slope(found, mine[place]), _slope(wanted, theirs[place]))
                name = list(signature(reference).parameters)[place]
                expect(
                    equal, f"{said} the library's value, but another gradient by `{name}`. What is detached, or not?"
                )

    vars(agrees_with_the_library).update(drawn=drawn, given=given, slopes=tuple(slopes))  # tests draw cases as well
    return agrees_with_the_library


def close(found: Any, wanted: Any, atol: float = 1e-4) -> bool:
    """Equal up to rounding in single precision: numbers, tensors, and collections of them.

    >>> close((0.5, {1: torch.ones(2)}), [torch.tensor(0.5), {1: [1.0, 1.0]}]), close([1.0, 2.0], [1.0])
    (True, False)
    """
    if isinstance(wanted, dict):
        same = isinstance(found, dict) and found.keys() == wanted.keys()
        return same and all(close(found[key], wanted[key], atol) for key in wanted)
    if wanted is None or isinstance(wanted, str | set | frozenset):
        return type(found) is type(wanted) and bool(found == wanted)
    if isinstance(wanted, tuple | list):
        whole = hasattr(found, "__len__") and len(found) == len(wanted)
        return whole and all(close(a, b, atol) for a, b in zip(found, wanted, strict=True))
    try:
        a, b = (torch.as_tensor(value).detach().double() for value in (found, wanted))
    except (TypeError, ValueError, RuntimeError):
        return False
    return a.shape == b.shape and torch.allclose(a, b, rtol=1e-4, atol=atol)


def numbers(draw: Draw, *shape: int) -> Tensor:
    """Normal random numbers in single precision."""
    return torch.from_numpy(draw.standard_normal(shape, dtype=np.float32))


def sizes(draw: Draw, count: int, low: int = 2) -> list[int]:
    """So many sizes, no two of them equal and none below ``low``.

    >>> found = sizes(np.random.default_rng(0), 4)
    >>> len(set(found)), min(found) > 1
    (4, True)
    """
    return [int(size) for size in low + draw.permutation(count + 2)[:count]]


def described(answer: Callable[..., Any], given: Given) -> str:
    """The arguments by the names that the answer has for them, with their sizes or values.

    >>> described(lambda memory, pids, k: None, (torch.ones(3, 2), [4, 5], 7))
    'memory (3, 2), pids of 2, k = 7'
    """
    function = answer.function if isinstance(answer, Guarded) else answer
    names = list(signature(function).parameters)
    return ", ".join(_described(name, value) for name, value in zip(names, given, strict=False))


def _described(name: str, value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return f"{name} {tuple(value.shape)}"
    if isinstance(value, list | tuple | dict | set):
        return f"{name} of {len(value)}"
    if isinstance(value, float):
        return f"{name} = {value:.4g}"
    return f"{name} = {value}" if isinstance(value, int | str) else name


def _shown(found: Any, wanted: Any) -> str:
    """The two results if they are single numbers."""
    sizes = [
        torch.as_tensor(value).numel() if isinstance(value, Tensor | float | int) else 0 for value in (found, wanted)
    ]
    if sizes != [1, 1]:
        return "another result than the library"
    return f"{float(torch.as_tensor(found).detach()):.4g}, the library {float(torch.as_tensor(wanted).detach()):.4g}"


def _leaves(drawn: Given, slopes: Sequence[int]) -> Given:
    """What was drawn, with a gradient for some of it."""
    return tuple(v.requires_grad_() if place in slopes else v for place, v in enumerate(copied(drawn)))


def _slope(result: Any, leaf: Tensor) -> Tensor:
    """Gradient of the summed result by a leaf; zero where none comes back."""
    results = [part for part in (result if isinstance(result, tuple | list) else [result]) if _learns(part)]
    if not results:
        return torch.zeros_like(leaf)
    total = torch.stack([part.sum() for part in results]).sum()
    (slope,) = torch.autograd.grad(total, leaf, allow_unused=True, retain_graph=True)
    return torch.zeros_like(leaf) if slope is None else slope


def _learns(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad
