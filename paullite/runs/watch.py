"""Whether losses are finite, read one step late, so that the program never waits for the device within a step."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor


class Fault(NamedTuple):
    """A batch whose numbers are not finite: where it was, its images, and the first name that is not finite."""

    where: str
    places: list[int]
    name: str


class Watch:
    """Notes of each step whether its numbers are finite, and reads the note of the step before.

    >>> watch = Watch()
    >>> watch.note("step 1", torch.tensor([4]), {"loss": torch.tensor(torch.nan)})
    >>> watch.note("step 2", torch.tensor([5]), {"loss": torch.tensor(1.0)})
    Fault(where='step 1', places=[4], name='loss')
    """

    def __init__(self) -> None:
        self.pending: tuple[str, Tensor, list[str], Tensor, torch.cuda.Event | None] | None = None

    def note(self, where: str, places: Tensor, numbers: Mapping[str, Tensor]) -> Fault | None:
        """Look at some numbers, and say what was wrong with those of the last call."""
        flags = torch.stack([torch.isfinite(number).all() for number in numbers.values()])
        arrived = torch.cuda.Event() if flags.is_cuda else None
        flags = flags.to("cpu", non_blocking=flags.is_cuda)  # queued behind the step, into pinned memory
        if arrived:
            arrived.record()
        last = self.settle()
        self.pending = where, places, list(numbers), flags, arrived
        return last

    def settle(self) -> Fault | None:
        """Say what was wrong with the numbers of the last call, now."""
        if self.pending is None:
            return None
        where, places, names, flags, arrived = self.pending
        self.pending = None
        if arrived:
            arrived.synchronize()  # waits for the step before this one, which has long been over
        wrong = [name for name, fine in zip(names, flags.numpy().tolist(), strict=True) if not fine]
        return Fault(where, places.tolist(), wrong[0]) if wrong else None
