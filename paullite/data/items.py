"""Images with who and where: the three small types that every data set is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import InputError

Opener = Callable[[str], Image.Image]


def open_image(path: str | Path) -> Image.Image:
    """Read an image file as 8-bit RGB, whatever it was: grey, palette, transparent or 16 bits deep.

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
    """Convert to 8-bit RGB. 16-bit grey is scaled down (Pillow would clip it); transparent parts turn white."""
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
    """One image of a split. The pixels are read when ``image`` is asked for, not before.

    Attributes:
        path: file, or a made-up name for a drawn image.
        pid: number of the person; -1 is junk, ``None`` is not known or not told.
        camid: number of the camera; ``None`` if the data set has none.
    """

    path: str
    pid: int | None
    camid: int | None
    opener: Opener = open_image

    @property
    def image(self) -> Image.Image:
        """The picture as PIL RGB."""
        return self.opener(self.path)


@dataclass(frozen=True, repr=False)
class Split(Sequence[Item]):
    """A sequence of items with the columns ``paths``, ``pids`` and ``camids`` at hand.

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
    def from_rows(cls, rows: Iterable[tuple[str, int, int | None]], opener: Opener = open_image) -> Split:
        """Build from (path, pid, camid) rows. Camera numbers are kept only if every row has one."""
        rows = list(rows)
        cameras = tuple(camid for _, _, camid in rows if camid is not None)
        whole = len(cameras) == len(rows) and bool(rows)
        return cls(tuple(str(r[0]) for r in rows), tuple(int(r[1]) for r in rows), cameras if whole else None, opener)

    def __len__(self) -> int:
        return len(self.paths)

    def __repr__(self) -> str:
        people = "people not told" if self.pids is None else f"{self.identities} people"
        return f"<{len(self)} images, {people}, {len(set(self.camids or ()))} cameras>"

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # int -> Item, slice -> Split
        if isinstance(index, slice):
            return self.take(range(len(self))[index])
        pid = None if self.pids is None else self.pids[index]
        return Item(self.paths[index], pid, None if self.camids is None else self.camids[index], self.opener)

    def __iter__(self) -> Iterator[Item]:
        return (self[i] for i in range(len(self)))

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

        >>> rows = [("a", 1, 0), ("b", 2, 0), ("c", 2, 1)]
        >>> split = Split.from_rows(rows)
        >>> len(ReIDDataset("toy", split, split, split).first_people(1).train)
        1
        """
        asked = _first_pids(self.query, count)
        others = set(self.query.pids or ()) - asked
        train = _of_people(self.train, _first_pids(self.train, count))
        gallery = self.gallery.take(i for i, pid in enumerate(self.gallery.pids or ()) if pid not in others)
        return ReIDDataset(f"{self.name}, {count} people", train, _of_people(self.query, asked), gallery)


def _first_pids(split: Split, count: int) -> set[int]:
    return set(sorted(set(split.pids or ()) - {-1})[:count])


def _of_people(split: Split, pids: set[int]) -> Split:
    return split.take(i for i, pid in enumerate(split.pids or ()) if pid in pids)
