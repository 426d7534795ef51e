"""Batches for the two phases. The number of workers changes the speed, never a pixel."""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import InputError
from .items import Split
from .transforms import Transform, seed_of, seeded

Key = tuple[int, int]  # (epoch, place in the split)
Share = Callable[[list[int]], list[int]]


class AnchorPairs(Dataset[tuple[int, Tensor, Tensor, int]]):
    """Phase 1: the place of an image, the image, another image of the same person, the person's class number.

    Args:
        split: labelled images; junk (-1) must be gone.
        transform: random transform of both.
        seed: every choice depends on (seed, epoch, place) alone.
        may_be_itself: let the other image be the anchor itself, as the reference does; else only if there is no other.
    """

    def __init__(self, split: Split, transform: Transform, seed: int, *, may_be_itself: bool = False) -> None:
        self.split, self.transform, self.seed, self.may_be_itself = split, transform, seed, may_be_itself
        self.classes = class_numbers(split)
        self.mates: dict[int, list[int]] = defaultdict(list)  # places of each person, found once
        for place, number in enumerate(self.classes):
            self.mates[number].append(place)

    def __getitem__(self, key: Key) -> tuple[int, Tensor, Tensor, int]:
        epoch, place = key
        mates = self.mates[self.classes[place]]
        choices = mates if self.may_be_itself else [m for m in mates if m != place] or mates
        with seeded(self.seed, epoch, place):
            other = choices[int(torch.randint(len(choices), ()))]
            anchor, positive = (self.transform(self.split[i].image) for i in (place, other))
            return place, anchor, positive, self.classes[place]


class ViewPairs(Dataset[tuple[int, Tensor, Tensor]]):
    """Phase 2: the place of an image, the image, and its surrogate positive, made from the unflipped original."""

    def __init__(self, split: Split, original: Transform, surrogate: Transform, seed: int) -> None:
        self.split, self.original, self.surrogate, self.seed = split, original, surrogate, seed

    def __getitem__(self, key: Key) -> tuple[int, Tensor, Tensor]:
        epoch, place = key
        image = self.split[place].image
        with seeded(self.seed, epoch, place):
            return place, self.original(image), self.surrogate(image)


class Plain(Dataset[Tensor]):
    """One image at a time, with a transform that has nothing random."""

    def __init__(self, split: Split, transform: Transform) -> None:
        self.split, self.transform = split, transform

    def __getitem__(self, place: int) -> Tensor:
        return self.transform(self.split[place].image)


class EpochBatches:
    """Batches of (epoch, place) keys in an order that depends on (seed, epoch) alone. The last batch may be short.

    Args:
        size: number of places.
        batch: places in a batch.
        seed: the order follows from it and the epoch.
        share: picks this process's part of a batch. Where it is empty, the first place fills in, for the look of it.
    """

    def __init__(self, size: int, batch: int, seed: int, share: Share = list) -> None:
        self.size, self.batch, self.seed, self.share = size, batch, seed, share
        self.epoch = self.first = 0

    def __len__(self) -> int:
        return -(-self.size // self.batch)

    def places(self, epoch: int) -> list[list[int]]:
        """The places of every batch of an epoch, those of all processes together."""
        draws = torch.Generator().manual_seed(seed_of(self.seed, "order", epoch))
        return [part.tolist() for part in torch.randperm(self.size, generator=draws).split(self.batch)]

    def __iter__(self) -> Iterator[list[Key]]:
        for whole in self.places(self.epoch)[self.first :]:
            yield [(self.epoch, place) for place in self.share(whole) or whole[:1]]


def class_numbers(split: Split) -> list[int]:
    """Identities renumbered 0, 1, ... in ascending order, so the same in every process."""
    if split.pids is None:
        raise InputError("found images without identities", "expected a labelled source for phase 1")
    number = {pid: i for i, pid in enumerate(sorted(set(split.pids)))}
    return [number[pid] for pid in split.pids]


class EpochLoader:
    """The batches of AnchorPairs or ViewPairs, epoch by epoch; workers are started once and stay.

    Args:
        dataset: what a key (epoch, place) is turned into.
        size: number of places.
        batch: images in a batch, those of all processes together.
        seed: the order of an epoch depends on (seed, epoch) alone.
        workers: processes that read images; 0 reads here.
        share: picks this process's part of a batch; all of it if there is one process.
    """

    def __init__(self, dataset: Any, size: int, *, batch: int, seed: int, workers: int, share: Share = list) -> None:
        self.batches = EpochBatches(size, batch, seed, share)
        self.loader = _loader(dataset, self.batches, workers, stay=workers > 0)

    def epoch(self, number: int, first: int = 0) -> Iterator[Any]:
        """The batches of one epoch from ``first`` on; of each, this process's share."""
        self.batches.epoch, self.batches.first = number, first
        return plainly(self.loader)


def plain_batches(
    split: Split, transform: Transform, *, batch: int, workers: int, least: int = 2, share: Share = list
) -> Iterator[tuple[list[int], Tensor]]:
    """All images of a split in order: places of a batch, and the images (B, 3, height, width) of this process's share.

    A last batch of fewer than ``least`` joins the one before: batch-norm cannot learn from a single image.
    """
    parts = parts_of(len(split), batch, least)
    loader = _loader(Plain(split, transform), [share(part) or part[:1] for part in parts], workers)
    return zip(parts, plainly(loader), strict=True)


def parts_of(count: int, batch: int, least: int) -> list[list[int]]:
    """0..count-1 in parts of ``batch``; a last part of fewer than ``least`` joins the one before.

    >>> [len(part) for part in parts_of(9, 4, 2)]
    [4, 5]
    """
    parts = [part.tolist() for part in torch.arange(count).split(batch)] if count else []
    if len(parts) > 1 and len(parts[-1]) < least:
        last = parts.pop()
        parts[-1] += last
    return parts


def _loader(dataset: Any, batches: Any, workers: int, *, stay: bool = False) -> DataLoader[Any]:
    """A loader that draws no number from the run's own random state, so that looking at a test changes no dropout."""
    return DataLoader(
        dataset,
        batch_sampler=batches,
        num_workers=workers,
        persistent_workers=stay,
        worker_init_fn=_as_a_worker,
        generator=torch.Generator().manual_seed(0),
    )


def _as_a_worker(_: int) -> None:
    """Ctrl-C is for the training process, which ends its workers; they inherit its way with signals otherwise."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def plainly(loader: DataLoader[Any]) -> Iterator[Any]:
    """The batches of a loader, whose workers' errors read as if there were no workers.

    Raises:
        InputError: an image that cannot be read, or a worker that died.
    """
    broken = ""
    try:
        yield from loader
    except InputError as error:  # a worker sends its whole traceback as the message
        broken = str(error).rsplit("InputError: ", 1)[-1]
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        broken = (
            f"a process that reads images died ({' '.join(str(error).split())[:100]}); expected it to live, "
            "and a machine with little memory may have ended it; use fewer --workers, or --workers 0"
        )
    if broken:  # raised out here, so that nothing holds on to the workers, and they end at once
        raise InputError(broken)
