"""Calling the reader's code so that nothing outside of it changes, and reading what it hands back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, KeysView, Mapping, ValuesView
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Guarded:
    """A reader's function that is handed copies, so that no call can spoil what a later one is given.

    Attributes:
        function: as the reader wrote it.
        plain: whether what it hands back is made `plain`.
    """

    function: Callable[..., Any]
    plain: bool = False

    def __call__(self, *given: Any, **named: Any) -> Any:
        found = self.function(*copied(given), **copied(named))
        return plain(found) if self.plain else found


def copied(value: Any) -> Any:
    """A deep copy of tensors, arrays and collections, no two of which share their numbers.

    A tensor's copy is its ``clone``, through which a gradient still comes back. Modules are no copies: a memory is
    given to be updated. Whoever checks such an answer makes a new module for each call.

    >>> ones = [1, 1]
    >>> first, second = copied((ones, ones))
    >>> first.append(2)
    >>> second, ones
    ([1, 1], [1, 1])
    """
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(copied, value))
    if type(value) in (list, tuple, set):
        return type(value)(copied(part) for part in value)
    return value


def changes(answer: Callable[..., Any], *given: Any) -> list[bool]:
    """For each argument, whether a call changes it.

    >>> changes(lambda numbers, more: numbers.extend(more), [1], [2])
    [True, False]
    """
    function = answer.function if isinstance(answer, Guarded) else answer
    mine = copied(given)
    function(*mine)
    return [not same(after, before) for after, before in zip(mine, given, strict=True)]


def same(one: Any, two: Any) -> bool:
    """Equal to the last bit, NaN being equal to itself."""
    if isinstance(one, Tensor | np.ndarray):
        return bool(np.array_equal(torch.as_tensor(one).detach().numpy(), torch.as_tensor(two).detach().numpy(), True))
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)


def plain(value: Any) -> Any:
    """The same in Python's own types: tensors, arrays and their numbers as lists and numbers, keys and members as well.

    >>> plain({torch.tensor(3): np.float32(0.5)}), plain((torch.tensor([1, 2]), {np.int64(4)}))
    ({3: 0.5}, ([1, 2], {4}))
    >>> plain(dict.fromkeys((2, 5)).keys()), plain(torch.tensor([0.25]))
    ([2, 5], [0.25])
    """
    if isinstance(value, Tensor):
        return value.detach().cpu().tolist()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {plain(key): plain(part) for key, part in value.items()}
    if isinstance(value, KeysView | ValuesView | range | Iterator):
        return [plain(part) for part in value]
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(plain(part) for part in value)
    return value


@contextmanager
def undisturbed() -> Iterator[None]:
    """Random numbers, gradients and the default type go on afterwards as if nothing had happened in between.

    Inside, random numbers start from the same seed each time, so a check says twice the same of one answer.

    >>> state = torch.get_rng_state()
    >>> with undisturbed():
    ...     _ = torch.rand(100)
    >>> torch.equal(torch.get_rng_state(), state)
    True
    """
    states = random.getstate(), np.random.get_state()
    learns, kind = torch.is_grad_enabled(), torch.get_default_dtype()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
            torch.set_grad_enabled(learns)
            torch.set_default_dtype(kind)
