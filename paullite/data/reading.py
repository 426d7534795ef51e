"""Images as bytes: read by workers, or kept on the device if they fit."""

import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
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
    step = max(len(split) // SAMPLE, 1)
    (own, *others) = {split[place].image.size[::-1] for place in range(0, len(split), step)}
    return own if not others and own[0] <= size[0] and own[1] <= size[1] else size


def parts_of(count: int, batch: int, least: int) -> list[list[int]]:
    """0..count-1 in parts of ``batch``. Fewer than ``least`` at the end join the part before: batch-norm needs company.

    >>> [len(part) for part in parts_of(9, 4, 2)]
    [4, 5]
    """
    starts = [0, *range(batch, count - least + 1, batch)] if count else []
    return [list(range(*ends)) for ends in pairwise([*starts, count])]


def _as_a_worker(_: int) -> None:  # Ctrl-C is for the training process, which ends its workers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def with_plain_errors(loader: Iterable[Batch]) -> Iterator[Batch]:
    """The batches of a loader; an error in a worker, or its death, is an `InputError` as if there were no workers."""
    broken = ""
    try:
        yield from loader
    except Exception as error:  # a worker sends its whole traceback as the message; the reason is the last line
        text = str(error).strip()
        if "DataLoader worker" not in text:
            raise
        broken = text.splitlines()[-1].rsplit("InputError: ", 1)[-1]
        if not isinstance(error, InputError):
            found = f"a process that reads images {'failed' if text.startswith('Caught') else 'died'} ({broken})"
            do = 'add if __name__ == "__main__": to your script; short of memory, use fewer --workers, or --workers 0'
            if "shared memory" in text or "</torch_" in text:
                do = "make /dev/shm larger (docker run --shm-size=2g), or use --workers 0"
            broken = f"{found}; expected it to go on; {do}"
    if broken:  # raised out here, so that nothing holds on to the workers, and they end at once
        raise InputError(broken)
