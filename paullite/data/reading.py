"""Images as bytes: read by workers, or kept on the device if they fit."""

import re
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_start_method
from typing import TypeVar

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import InputError
from .items import Split
from .transforms import pixel_transform

Batch = TypeVar("Batch")
SAMPLE = 16  # images whose sizes are looked at before one size is chosen for all


@dataclass(eq=False)
class Transformed(Dataset[tuple[Tensor, float]]):
    """Every image of a split after a transform, and its form, height over width, before that."""

    split: Split
    transform: Callable[[Image.Image], Tensor]

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, place: int) -> tuple[Tensor, float]:
        image = self.split[place].image
        return self.transform(image), image.height / image.width


def Pixels(split: Split, size: tuple[int, int]) -> Transformed:
    """Every image of a split as (3, height, width) uint8 of one size, and its form before it was resized.

    >>> from paullite.data.paperdolls import PaperDolls
    >>> Pixels(PaperDolls("target", identities=2, test_identities=2).train, (64, 32))[0][0].shape
    torch.Size([3, 64, 32])
    """
    return Transformed(split, pixel_transform(size))


class PixelReader:
    """Reads given places of a split, in one size (height, width), onto a device. Workers are started once and stay."""

    def __init__(self, split: Split, size: tuple[int, int], device: torch.device, *, workers: int = 0) -> None:
        self.device = device
        self.places: list[list[int]] = []  # the loader keeps its workers, so it is this list that changes
        self.loader = DataLoader(
            Pixels(split, size),
            batch_sampler=self.places,
            num_workers=workers,
            persistent_workers=workers > 0,
            pin_memory=device.type == "cuda",  # from pinned memory a copy does not wait for the device
            worker_init_fn=_as_a_worker,
            generator=torch.Generator().manual_seed(0),  # a loader draws nothing from the run's own random state
        )

    def batches(self, places: Iterable[list[int]]) -> Iterator[tuple[Tensor, Tensor]]:
        """The images at these places: (B, 3, height, width) uint8 on the device, and their forms, (B,) on the CPU."""
        self.places[:] = places
        for pixels, forms in with_plain_errors(self.loader):
            yield pixels.to(self.device, non_blocking=True), forms.float()


class ImageStore(PixelReader):
    """The training images, kept on the device as one tensor of bytes if ``memory`` (MiB) is enough, and read if not.

    ``size`` is that of the network's input. Images that are all smaller and of one size keep that size.
    """

    def __init__(
        self, split: Split, size: tuple[int, int], device: torch.device, *, workers: int = 0, memory: int = 1024
    ) -> None:
        kept = stored_size(split, size)
        super().__init__(split, kept, device, workers=workers)
        self.pixels, self.forms = None, torch.empty(0)
        if len(split) * 3 * kept[0] * kept[1] <= memory * 2**20:
            read = zip(*super().batches(parts_of(len(split), 64, 1)), strict=True)
            self.pixels, self.forms = map(torch.cat, read)  # N 3 h0 w0, N
            del self.loader  # lets the workers go

    def batches(self, places: Iterable[list[int]]) -> Iterator[tuple[Tensor, Tensor]]:
        """As `PixelReader.batches`."""
        if self.pixels is None:
            yield from super().batches(places)
            return
        for part in places:
            rows = torch.tensor(part)
            yield self.pixels[rows.to(self.device, non_blocking=True)], self.forms[rows]


def stored_size(split: Split, size: tuple[int, int]) -> tuple[int, int]:
    """The size in which images are kept: their own if all that were looked at share one no larger than ``size``."""
    (own, *others) = {split[place].image.size[::-1] for place in range(0, len(split), max(len(split) // SAMPLE, 1))}
    return own if not others and own[0] <= size[0] and own[1] <= size[1] else size


def parts_of(count: int, batch: int, least: int) -> list[list[int]]:
    """0..count-1 in parts of ``batch``. Fewer than ``least`` at the end join the part before: batch-norm needs company.

    >>> [len(part) for part in parts_of(9, 4, 2)]
    [4, 5]
    """
    starts = [0, *range(batch, count - least + 1, batch)] if count else []
    return [list(range(*ends)) for ends in pairwise([*starts, count])]


def _as_a_worker(_: int) -> None:
    """Ctrl-C and a closed window are for the training process, which ends its workers."""
    for name in {"SIGINT", "SIGHUP"} & set(dir(signal)):  # Windows knows no SIGHUP
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def with_plain_errors(loader: Iterable[Batch]) -> Iterator[Batch]:
    """The batches of a loader; an error in a worker, or its death, is an `InputError` that says why."""
    broken = ""
    try:
        yield from loader
    except Exception as error:
        cut_off = isinstance(error, OSError | EOFError) and bool(getattr(loader, "num_workers", 0))  # died handing over
        broken = str(error) or type(error).__name__
        if not cut_off and "DataLoader worker" not in broken:
            raise
        error.__traceback__ = None  # a circle: the error, its frames, and in one of torch's frames the error
    if broken:  # raised out here, so that nothing holds on to the workers, and they end at once
        raise why_a_worker_failed(broken)


def why_a_worker_failed(said: str) -> InputError:
    """What torch says of a worker, which may be the worker's whole traceback, as one line.

    >>> print(why_a_worker_failed("Caught KeyError in DataLoader worker process 0.\\n  File ...\\nKeyError: 'a'"))
    a process that reads images failed (KeyError: 'a'); expected it to go on; --workers 0 shows where it arises
    """
    last = re.split(r"\n[ \t].*", said.strip())[-1].strip()  # below the lines of the traceback
    if "InputError: " in last:
        return InputError(last.partition("InputError: ")[2])
    found = f"a process that reads images {'failed' if said.startswith('Caught ') else 'died'} ({last[:300]})"
    guard = 'add if __name__ == "__main__": to your script or, ' * (get_start_method() != "fork")
    do = f"{guard}if memory is short, use fewer --workers, or --workers 0"
    if re.search(r"shared memory|Bus error|/torch_", said) and "open files" not in said:
        do = "make /dev/shm larger (docker run --shm-size=2g), or use --workers 0"
    elif said.startswith("Caught "):
        do = "--workers 0 shows where it arises"
    return InputError(found, "expected it to go on", do)
