"""Batches for the two phases. The number of workers changes the speed, never a pixel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..errors import InputError
from .items import Split
from .transforms import Transform, seed_of, seeded

Key = tuple[int, int]  # (epoch, place in the split)


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
    """Batches of (epoch, place) keys in an order that depends on (seed, epoch) alone. The last batch may be short."""

    def __init__(self, size: int, batch: int, seed: int) -> None:
        self.size, self.batch, self.seed, self.epoch = size, batch, seed, 0

    def __len__(self) -> int:
        return -(-self.size // self.batch)

    def __iter__(self) -> Iterator[list[Key]]:
        draws = torch.Generator().manual_seed(seed_of(self.seed, "order", self.epoch))
        for part in torch.randperm(self.size, generator=draws).split(self.batch):
            yield [(self.epoch, place) for place in part.tolist()]


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
        batch: images in a batch.
        seed: the order of an epoch depends on (seed, epoch) alone.
        workers: processes that read images; 0 reads here.
    """

    def __init__(self, dataset: Any, size: int, *, batch: int, seed: int, workers: int) -> None:
        self.batches = EpochBatches(size, batch, seed)
        self.loader: DataLoader[Any] = DataLoader(
            dataset, batch_sampler=self.batches, num_workers=workers, persistent_workers=workers > 0
        )

    def epoch(self, number: int) -> Iterator[Any]:
        """The batches of one epoch."""
        self.batches.epoch = number
        return plainly(self.loader)


def plain_batches(split: Split, transform: Transform, *, batch: int, workers: int) -> Iterator[Tensor]:
    """All images of a split in order, (B, 3, height, width) at a time.

    An image that would be alone in the last batch joins the one before: batch-norm cannot learn from a single image.
    """
    parts = [part.tolist() for part in torch.arange(len(split)).split(batch)]
    if len(parts) > 1 and len(parts[-1]) == 1:
        lone = parts.pop()
        parts[-1] += lone
    return plainly(DataLoader(Plain(split, transform), batch_sampler=parts, num_workers=workers))


def plainly(loader: DataLoader[Any]) -> Iterator[Any]:
    """The batches of a loader, whose workers' errors read as if there were no workers."""
    broken = ""
    try:
        yield from loader
    except InputError as error:  # a worker sends its whole traceback as the message
        broken = str(error).rsplit("InputError: ", 1)[-1]
    if broken:  # raised out here, so that nothing holds on to the workers, and they end at once
        raise InputError(broken)
