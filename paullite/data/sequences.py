"""Images that are already in memory, or in a torch ``Dataset``, as a data set."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from ..errors import InputError
from .items import ReIDDataset, Row, Split, open_image, to_rgb, whole_number
from .layouts import SPLITS
from .rows import join

ROW = "give rows such as (image, 3, 0) for person 3 and camera 0; a torch Dataset must not turn images into tensors"


class RowSource(Protocol):
    """What has a length and gives row i for ``[i]``: a list, a tuple, a torch ``Dataset``."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: int, /) -> Any: ...


def picture_of(source: RowSource, places: Mapping[str, int], path: str) -> Image.Image:
    """A picture taken out of a sequence when it is asked for."""
    image = source[places[path]][0]
    check_image(image, path)
    if isinstance(image, str | Path):
        return open_image(image)
    return to_rgb(image if isinstance(image, Image.Image) else Image.fromarray(image))


def from_items(
    train: RowSource, query: RowSource | None = None, gallery: RowSource | None = None, *, name: str = "items"
) -> ReIDDataset:
    """A data set from sequences of (image or path, person, camera), a torch ``Dataset`` among them.

    A first pass over each reads who and where; pictures are taken from the sequence again when they are needed.

    An image is a PIL image, a uint8 array (height, width, 3) or (height, width), or the path of a file; one that is no
    file gets a made-up path. The person is a whole number, -1 for junk, ``None`` in every row of train if nobody is
    known; the camera a whole number, ``None`` or left out. Cameras count if every row has one: in train, and in the
    whole test.

    >>> picture = np.zeros((128, 64, 3), dtype=np.uint8)
    >>> from_items([(picture, 7, 0), (picture, 9, 1)]).train[1].path
    'item-train-000001'
    """
    sources = (train, () if query is None else query, () if gallery is None else gallery)
    rows = [_rows(split, source) for split, source in zip(SPLITS, sources, strict=True)]
    if any(camid is None for part in rows[1:] for _, _, camid in part):
        rows[1:] = [[(path, pid, None) for path, pid, _ in part] for part in rows[1:]]
    places = [{path: place for place, (path, _, _) in enumerate(part)} for part in rows]
    openers = map(partial, [picture_of] * 3, sources, places)  # they pickle if the sequences do
    return join(name, list(map(Split.from_rows, rows, openers)), "in the items", ROW)


def _rows(split: str, source: RowSource) -> list[Row]:
    """Path, person and camera of every row, checked."""
    if not (hasattr(source, "__len__") and hasattr(source, "__getitem__")):
        raise InputError(f"found a {type(source).__name__} as {split}", "expected len() and []", "make it a list")
    rows = [_row(source[place], f"{split}[{place}]", f"item-{split}-{place:06d}") for place in range(len(source))]
    unknown = [place for place, (_, pid, _) in enumerate(rows) if pid is None]
    if unknown and (split != "train" or len(unknown) < len(rows)):
        expected = "expected somebody in every row, or in no row of train"
        raise InputError(f"found no person in {split}[{unknown[0]}]", expected, ROW)
    return rows


def _row(row: Any, where: str, path: str) -> Row:
    if not isinstance(row, tuple | list) or len(row) not in (2, 3):
        found = f"found a {type(row).__name__}{f' of {len(row)}' if isinstance(row, tuple | list) else ''} in {where}"
        raise InputError(found, "expected (image, person) or (image, person, camera)", ROW)
    check_image(row[0], where)
    pid, camid = (whole_number(number, where) for number in (*row[1:], None)[:2])
    return (str(row[0]) if isinstance(row[0], str | Path) else path), pid, camid


def check_image(image: Any, where: str) -> None:
    """Refuse what no picture can be made of, a tensor for example."""
    if isinstance(image, np.ndarray):
        fits = image.dtype == np.uint8 and (image.ndim == 2 or image.shape[2:] == (3,))
    else:
        fits = isinstance(image, str | Path | Image.Image)
    if not fits:
        shape = f" of {image.dtype}, {tuple(image.shape)}" if hasattr(image, "dtype") else ""
        expected = "expected a PIL image, a uint8 array (height, width, 3) or (height, width), or a path"
        raise InputError(f"found a {type(image).__name__}{shape} as the image of {where}", expected, ROW)
