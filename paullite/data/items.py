"""Images with who and where: the three small types that every data set is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

import numpy as np
from PIL import Image, ImageOps

from ..errors import InputError

Opener = Callable[[str], Image.Image]
Row = tuple[str, int | None, int | None]  # path, person (None: not known), camera (None: there is none)


def open_image(path: str | Path) -> Image.Image:
    """Read an image file as upright 8-bit RGB, whatever it was: lying, grey, palette, transparent or 16 bits deep.

    A file that is missing, empty, cut short or no image is an `InputError` that names it.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return to_rgb(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        found = f"cannot read the image {path} ({error or type(error).__name__})"
        do = "replace or delete it, or pass --skip-unreadable (skip_unreadable=True)"
        raise InputError(found, "expected a whole JPEG, PNG or other picture file", do) from None


def to_rgb(image: Image.Image) -> Image.Image:
    """Upright 8-bit RGB. 16-bit grey is scaled down (Pillow would clip it); transparent parts turn white."""
    with suppress(Exception):  # Pillow raises many kinds of error for a damaged EXIF block, whose pixels are whole
        image = ImageOps.exif_transpose(image)  # a phone held upright stores its pictures lying on their side
    if image.mode.startswith("I") or image.mode == "F":
        deep = np.asarray(image).astype(np.float64)
        top = 65535.0 if (deep > 255).any() else 255.0
        return Image.fromarray((deep.clip(0, top) * (255.0 / top)).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return image.convert("RGB")


@dataclass(frozen=True)
class Item:
    """One image of a split: its file (or a made-up name), and the numbers of person (-1: junk) and camera, if known.

    The pixels are read when ``image`` is asked for, not before; ``opener`` gives the picture that belongs to a path.
    """

    path: str
    pid: int | None
    camid: int | None
    opener: Opener = open_image

    @property
    def image(self) -> Image.Image:
        """The picture as PIL RGB, upright."""
        return self.opener(self.path)


@dataclass(frozen=True, repr=False)
class Split(Sequence[Item]):
    """A sequence of items with their columns at hand; ``pids`` or ``camids`` is ``None`` if not every image has one.

    >>> split = Split.from_rows([("a.jpg", 3, 0), ("b.jpg", 5, 1)])
    >>> len(split), split[1].pid, split.identities, split.unlabelled()[1].pid
    (2, 5, 2, None)
    """

    paths: tuple[str, ...]
    pids: tuple[int, ...] | None
    camids: tuple[int, ...] | None
    opener: Opener = open_image  # it travels to worker processes, so it must pickle

    @classmethod
    def from_rows(cls, rows: Iterable[Row], opener: Opener = open_image) -> Split:
        """Build from (path, pid, camid) rows. People, and cameras, are kept only if every row has one."""
        rows = list(rows)
        pids = tuple(int(pid) for _, pid, _ in rows if pid is not None)
        camids = tuple(int(camid) for _, _, camid in rows if camid is not None)
        cameras = camids if rows and len(camids) == len(rows) else None
        return cls(tuple(str(path) for path, _, _ in rows), pids if len(pids) == len(rows) else None, cameras, opener)

    def __len__(self) -> int:
        return len(self.paths)

    def __repr__(self) -> str:
        people = "people not known" if self.pids is None else f"{self.identities} people"
        return f"<{len(self)} images, {people}, {len(set(self.camids or ()))} cameras>"

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Split: ...
    def __getitem__(self, index: int | slice) -> Item | Split:
        if isinstance(index, slice):
            return self.take(range(len(self))[index])
        pid = None if self.pids is None else self.pids[index]
        camid = None if self.camids is None else self.camids[index]
        return Item(self.paths[index], pid, camid, self.opener)

    @property
    def identities(self) -> int:
        """How many people there are; junk (-1) is nobody."""
        return len(set(self.pids or ()) - {-1})

    def take(self, indices: Iterable[int]) -> Split:
        """The items at the given places, as a split of its own."""
        keep = list(indices)
        pids, camids = (column and tuple(column[i] for i in keep) for column in (self.pids, self.camids))
        return replace(self, paths=tuple(self.paths[i] for i in keep), pids=pids, camids=camids)

    def where(self, keep: Callable[[int], bool]) -> Split:
        """The items of the people whose number passes; all of them if the people are not known."""
        return self if self.pids is None else self.take(i for i, pid in enumerate(self.pids) if keep(pid))

    def unlabelled(self) -> Split:
        """The same images with the identities taken out."""
        return replace(self, pids=None)


@dataclass(frozen=True)
class ReIDDataset:
    """A re-identification data set: its name in tables, training images, and a test of query and gallery, or empty."""

    name: str
    train: Split
    query: Split
    gallery: Split

    def unlabelled(self) -> Split:
        """The training images with the identities out of reach: all that phase 2 may see."""
        return self.train.unlabelled()

    def first_people(self, count: int) -> ReIDDataset:
        """The first people of the training set and of the test, for a quick trial; junk and distractors stay.

        >>> split = Split.from_rows([("a", 1, 0), ("b", 2, 0), ("c", 2, 1)])
        >>> len(ReIDDataset("toy", split, split, split).first_people(1).train)
        1
        """
        for part in ("train", "query", "gallery"):
            if len(getattr(self, part)) and getattr(self, part).pids is None:
                found = f"found no identities in the {part} images of {self.name}"
                raise InputError(found, "expected them, to choose people by", "leave out --people (people=None)")
        train, test = (set(sorted(set(s.pids or ()) - {-1})[:count]) for s in (self.train, self.query))
        others = set(self.query.pids or ()) - test  # who is in no query, junk or distractor, is not among them
        parts = self.train.where(train.__contains__), self.query.where(test.__contains__)
        return ReIDDataset(f"{self.name}, {count} people", *parts, self.gallery.where(lambda pid: pid not in others))
