"""Images with who and where: the three small types that every data set is made of, and which images are the same."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
from PIL import Image, ImageOps

from ..errors import InputError

Opener = Callable[[str], Image.Image]
Row = tuple[str, int | None, int | None]  # path, person (None: not known), camera (None: there is none)
EMPTY = {"", "NaN", "nan", "NA", "<NA>", "N/A", "n/a", "#N/A", "None", "NULL", "null"}  # as pandas reads and writes it
IMAGES_EACH = 20  # images that stand for a person where people are not known; Market-1501 has 17


def open_image(path: str | Path) -> Image.Image:
    """Read any image file as upright 8-bit RGB. One that is missing, empty or cut short is an `InputError`."""
    try:
        with Image.open(path) as image:
            image.load()
            return to_rgb(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        found = f"cannot read the image {path} ({error or type(error).__name__})"
        do = "replace or delete it, or pass --skip-unreadable (skip_unreadable=True)"
        raise InputError(found, "expected a whole JPEG, PNG or other picture file", do) from None


def to_rgb(image: Image.Image) -> Image.Image:
    """Upright 8-bit RGB. Deep grey is scaled down (Pillow would clip it); transparent parts turn white."""
    white = _white(image) if image.mode.startswith(("I", "F")) else 0
    with suppress(Exception):  # Pillow raises many kinds of error for a damaged EXIF block, whose pixels are whole
        image = ImageOps.exif_transpose(image)  # a phone held upright stores its pictures lying on their side
    if white:
        share = np.nan_to_num(np.asarray(image).astype(np.float64)) / white
        return Image.fromarray((share.clip(0, 1) * 255).round().astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return image.convert("RGB")


def _white(image: Image.Image) -> float:
    """The value of white in deep grey, the same for every frame of a camera, whatever it shows.

    So a picture that uses less than 1/16 of its range, and may have fewer bits than it says, is an `InputError`.
    """
    bits = getattr(image, "tag_v2", {}).get(258, (16,))[0]  # 12 in some TIFFs; 32 in others that hold 16
    whites = (1.0, 255.0, 65535.0) if image.mode == "F" else (2.0 ** min(bits, 16) - 1,)
    values = np.asarray(image).astype(np.float64)
    low, top = (find(values[np.isfinite(values)], initial=0) for find in (np.min, np.max))
    for white in whites:
        if -white / 16 < low and (top == 0 or white / 16 < top <= white):
            return white
    expected = f"expected 0 to {' or '.join(map('{:g}'.format, whites))}, with more than 1/16 of it used"
    raise InputError(f"found deep grey from {low:g} to {top:g}", expected, "save all with 8 bits, scaled alike")


def whole_number(value: Any, where: str) -> int | None:
    """A person or a camera as a number of 64 bits; ``None`` for what tables write where there is nothing.

    >>> whole_number(5001.0, "row 1"), whole_number(float("nan"), "row 2")
    (5001, None)
    """
    if str(value).strip() in EMPTY:
        return None
    with suppress(TypeError, ValueError, OverflowError):
        if int(value) == value and abs(int(value)) < 2**63:
            return int(value)
    raise InputError(f"found {value!r} in {where}", "expected whole numbers for person and camera", "number them")


@dataclass(frozen=True)
class Item:
    """One image of a split. The pixels are read when ``image`` is asked for, not before."""

    path: str  # a file, or a made-up name that the opener knows
    pid: int | None  # -1 is junk; None is not known, or out of reach
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
        """From (path, pid, camid) rows. People, and cameras, are kept only if every row has one."""
        rows = list(rows)
        pids, camids = (tuple(whole_number(row[i], f"the row {row!r}") for row in rows) for i in (1, 2))
        columns = None if None in pids else pids, camids if camids and None not in camids else None
        return cls(tuple(str(path) for path, _, _ in rows), *columns, opener)  # type: ignore[arg-type]

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
        pid, camid = (None if column is None else column[index] for column in (self.pids, self.camids))
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

    def spread(self, count: int) -> Split:
        """So many items, evenly over the split; all of them if there are no more."""
        return self.take(np.linspace(0, len(self) - 1, min(count, len(self))).astype(int).tolist())

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

        Of training images without identities, 20 for each of them, spread over all.

        >>> split = Split.from_rows([("a", 1, 0), ("b", 2, 0), ("c", 2, 1)])
        >>> len(ReIDDataset("toy", split, split, split).first_people(1).train)
        1
        """
        chosen, test = (set(sorted(set(s.pids or ()) - {-1})[:count]) for s in (self.train, self.query))
        others = set(self.query.pids or ()) - test - {-1}  # who is in no query, junk or distractor, is not among them
        unknown = self.train.pids is None
        train = self.train.spread(IMAGES_EACH * count) if unknown else self.train.where(chosen.__contains__)
        gallery = self.gallery.where(lambda pid: pid not in others)
        return ReIDDataset(f"{self.name}, {count} people", train, self.query.where(test.__contains__), gallery)


def expect_dataset(given: object, what: str, *kinds: type) -> None:
    """Raises an `InputError` if ``given``, the ``what`` of a training, is none of these kinds of data."""
    if not isinstance(given, kinds):
        do = "make one with pl.data.from_items, pl.data.from_csv or pl.data.ImageFolder"
        raise InputError(f"found a {type(given).__name__} as {what}", "expected a data set of paullite.data", do)


def content_keys(*splits: Split) -> list[list[str]]:
    """A key for each image of each split; two are equal if their images are. Files that cannot be equal stay unread.

    >>> files = Split(("README.md", "./README.md", "LICENSE"), None, None)
    >>> [keys[0] == key for keys in content_keys(files) for key in keys]
    [True, True, False]
    """
    sizes = [[_content_size(split, path) for path in split.paths] for split in splits]
    often = Counter(size for part in sizes for size in part)
    pairs = (zip(split, part, strict=True) for split, part in zip(splits, sizes, strict=True))
    return [[_content_key(item) if often[size] > 1 else item.path for item, size in part] for part in pairs]


def _content_size(split: Split, path: str) -> int | str:
    """What differs between pictures that cannot be equal: bytes of a file; the name of a file that is missing."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return path if split.opener is open_image else -1


def _content_key(item: Item) -> str:
    if os.path.isfile(item.path):
        return hashlib.blake2b(Path(item.path).read_bytes()).hexdigest()
    if item.opener is open_image:
        return item.path
    return hashlib.blake2b(item.image.tobytes(), key=repr(item.image.size).encode()).hexdigest()
