"""Images with who and where: the three small types that every data set is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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

    Raises:
        InputError: the file is missing, empty, cut short or not an image; the message names it.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return to_rgb(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"cannot read the image {path} ({error or type(error).__name__})",
            "expected a whole JPEG, PNG or other picture file",
            "replace or delete it, or pass --skip-unreadable (skip_unreadable=True)",
        ) from None


def to_rgb(image: Image.Image) -> Image.Image:
    """Upright 8-bit RGB. 16-bit grey is scaled down (Pillow would clip it); transparent parts turn white."""
    image = _upright(image)
    if image.mode.startswith("I") or image.mode == "F":
        deep = np.asarray(image).astype(np.float64)
        top = 65535.0 if (deep > 255).any() else 255.0
        return Image.fromarray((deep.clip(0, top) * (255.0 / top)).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return image.convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF block says: a phone held upright stores its pictures lying on their side."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # Pillow raises many kinds of error for a damaged EXIF block, whose pixels are whole
        return image


@dataclass(frozen=True)
class Item:
    """One image of a split. The pixels are read when ``image`` is asked for, not before.

    Attributes:
        path: file, or a made-up name for an image that is none.
        pid: number of the person; -1 is junk, ``None`` is not known or out of reach.
        camid: number of the camera; ``None`` if the data set has none.
        opener: gives the picture that belongs to a path.
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
    """A sequence of items with the columns ``paths``, ``pids`` and ``camids`` at hand.

    Attributes:
        paths, pids, camids: one entry an image; ``pids`` or ``camids`` is ``None`` if not every image has one.
        opener: gives the picture that belongs to a path; it travels to worker processes, so it must pickle.

    >>> split = Split.from_rows([("a.jpg", 3, 0), ("b.jpg", 5, 1)])
    >>> len(split), split[1].pid, split.identities
    (2, 5, 2)
    >>> split.unlabelled()[1].pid is None
    True
    """

    paths: tuple[str, ...]
    pids: tuple[int, ...] | None
    camids: tuple[int, ...] | None
    opener: Opener = open_image

    @classmethod
    def from_rows(cls, rows: Iterable[Row], opener: Opener = open_image) -> Split:
        """Build from (path, pid, camid) rows. People, and cameras, are kept only if every row has one."""
        rows = list(rows)
        pids = tuple(int(pid) for _, pid, _ in rows if pid is not None)
        camids = tuple(int(camid) for _, _, camid in rows if camid is not None)
        return cls(
            tuple(str(path) for path, _, _ in rows),
            pids if len(pids) == len(rows) else None,
            camids if rows and len(camids) == len(rows) else None,
            opener,
        )

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
        return replace(
            self,
            paths=tuple(self.paths[i] for i in keep),
            pids=None if self.pids is None else tuple(self.pids[i] for i in keep),
            camids=None if self.camids is None else tuple(self.camids[i] for i in keep),
        )

    def where(self, keep: Callable[[int], bool]) -> Split:
        """The items of the people whose number passes; all of them if the people are not known."""
        return self if self.pids is None else self.take(i for i, pid in enumerate(self.pids) if keep(pid))

    def unlabelled(self) -> Split:
        """The same images with the identities taken out."""
        return replace(self, pids=None)


@dataclass(frozen=True)
class ReIDDataset:
    """A re-identification data set: training images, and a test made of query and gallery.

    Attributes:
        name: what to call it in tables.
        train: images to learn from.
        query, gallery: the test; empty if there is none.
    """

    name: str
    train: Split
    query: Split
    gallery: Split

    def unlabelled(self) -> Split:
        """The training images with the identities out of reach: all that phase 2 may see."""
        return self.train.unlabelled()

    def first_people(self, count: int) -> ReIDDataset:
        """The first people of the training set and of the test, for a quick trial; junk and distractors stay.

        Raises:
            InputError: the people of a part are not known.

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
        return ReIDDataset(
            f"{self.name}, {count} people",
            self.train.where(train.__contains__),
            self.query.where(test.__contains__),
            self.gallery.where(lambda pid: pid not in others),
        )
