"""Batches for the two phases: which images, and their views, made for the whole batch on the device."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import torch
from torch import Tensor

from ..config import AdaptConfig, PretrainConfig
from ..errors import InputError
from .items import Split
from .reading import ImageStore
from .transforms import Statistics, shuffled_places
from .views import originals, surrogates, uniforms

Config = TypeVar("Config", PretrainConfig, AdaptConfig)


@dataclass(eq=False)
class TrainingImages(Generic[Config]):
    """The images of a phase: which are in which batch, and their pixels. The pairs of both phases build on it."""

    split: Split
    size: tuple[int, int]  # height and width that the network wants
    normalisation: Statistics
    config: Config  # batch, seed, workers and image_memory are used here
    device: torch.device | None = None  # where views are made; the CPU if none is given
    share: Callable[[list[int]], list[int]] = list  # picks this process's part of a batch; all of it if there is one
    store: ImageStore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        place, config = self.device or torch.device("cpu"), self.config
        self.store = ImageStore(self.split, self.size, place, workers=config.workers, memory=config.image_memory)

    def __len__(self) -> int:
        """Batches in an epoch. The last may be short."""
        return -(-len(self.split) // self.config.batch)

    def order(self, epoch: int, first: int = 0) -> list[list[int]]:
        """The places of the batches of an epoch, those of all processes together: (seed, epoch) decide alone."""
        places = shuffled_places(len(self.split), self.config.seed, "order", epoch)
        return [part.tolist() for part in places.split(self.config.batch)[first:]]

    def mine(self, whole: list[int]) -> list[int]:
        """This process's part of a batch. Where it is empty, the first image fills in, and counts for nothing."""
        return self.share(whole) or whole[:1]

    def plain(self, places: Iterable[list[int]]) -> Iterator[Tensor]:
        """The images at these places with nothing random done to them: (b, 3, h, w), this process's share of each."""
        for pixels, _ in self.store.batches(self.mine(part) for part in places):
            yield originals(pixels, self.size, self.normalisation)


@dataclass(eq=False)
class SurrogatePairs(TrainingImages[AdaptConfig]):
    """Phase 2: every image with its surrogate positive.

    >>> from paullite.config import PRESETS
    >>> from paullite.data.paperdolls import PaperDolls
    >>> images = PaperDolls("target", identities=2, test_identities=2).unlabelled()
    >>> pairs = SurrogatePairs(images, (128, 64), ([0.5] * 3, [0.5] * 3), PRESETS["paperdolls"].adapt)
    >>> [batch.shape[1:] for batch in next(pairs.epoch(0))]
    [torch.Size([]), torch.Size([3, 128, 64]), torch.Size([3, 128, 64])]
    """

    def epoch(self, number: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The batches of an epoch from ``first`` on, as index, originals, surrogates.

        These are (B,) places of the whole batch, on the CPU, and (b, 3, h, w) of this process's share, on the device.
        """
        whole = self.order(number, first)
        mine = list(map(self.mine, whole))
        for index, places, (pixels, forms) in zip(whole, mine, self.store.batches(mine), strict=True):
            u = uniforms(self.config.seed, number, places)
            plain = originals(pixels, self.size, self.normalisation, u[:, -2] < 0.5)
            others = surrogates(pixels, forms, u, self.size, self.normalisation, self.config)
            yield torch.tensor(index), plain, others


@dataclass(eq=False)
class IdentityPairs(TrainingImages[PretrainConfig]):
    """Phase 1: every labelled image with another image of the same person; junk (-1) must be gone."""

    classes: list[int] = field(init=False, repr=False)
    mates: dict[int, list[int]] = field(init=False, repr=False)  # places of each person, found once

    def __post_init__(self) -> None:
        super().__post_init__()
        self.classes, self.mates = class_numbers(self.split), defaultdict(list)
        for place, number in enumerate(self.classes):
            self.mates[number].append(place)

    def epoch(self, number: int, first: int = 0) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """The batches of an epoch from ``first`` on, as index, anchors, positives, labels.

        As in `SurrogatePairs.epoch`; the labels (B,) are the class numbers of the whole batch, on the device.
        """
        whole = self.order(number, first)
        mine = list(map(self.mine, whole))
        both = (places + self.positives(number, places) for places in mine)
        for index, places, (pixels, _) in zip(whole, mine, self.store.batches(both), strict=True):
            u = uniforms(self.config.seed, number, places, 3)
            views = originals(pixels, self.size, self.normalisation, torch.cat((u[:, 0], u[:, 1])) < 0.5)
            anchors, positives = views.chunk(2)
            labels = torch.tensor([self.classes[place] for place in index])
            yield torch.tensor(index), anchors, positives, labels.to(views.device, non_blocking=True)

    def positives(self, epoch: int, places: list[int]) -> list[int]:
        """For each place one of the same person, drawn at random; another one, if there is one and settings say so."""
        chosen = []
        for place, number in zip(places, uniforms(self.config.seed, epoch, places, 3)[:, 2].tolist(), strict=True):
            mates = self.mates[self.classes[place]]
            others = mates if self.config.positive_may_be_anchor else [m for m in mates if m != place] or mates
            chosen.append(others[int(number * len(others))])
        return chosen


def class_numbers(split: Split) -> list[int]:
    """Identities renumbered 0, 1, ... in ascending order, so the same in every process."""
    if split.pids is None:
        raise InputError("found images without identities", "expected a labelled source for phase 1")
    return torch.tensor(split.pids).unique(return_inverse=True)[1].tolist()
