"""Which images are the same: files of equal content, and pictures of equal pixels where there are no files."""

import hashlib
import os
from collections import Counter
from pathlib import Path

from .items import Item, Split, open_image


def content_keys(*splits: Split) -> list[list[str]]:
    """A key for each image of each split; two are equal if their images are. Files that cannot be equal stay unread.

    >>> files = Split(("README.md", "./README.md", "LICENSE"), None, None)
    >>> [keys[0] == key for keys in content_keys(files) for key in keys]
    [True, True, False]
    """
    sizes = [[_size(split, path) for path in split.paths] for split in splits]
    often = Counter(size for part in sizes for size in part)
    pairs = (zip(split, part, strict=True) for split, part in zip(splits, sizes, strict=True))
    return [[_key(item) if often[size] > 1 else item.path for item, size in part] for part in pairs]


def _size(split: Split, path: str) -> int | str:
    """What differs between pictures that cannot be equal: bytes of a file; the name of a file that is missing."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return path if split.opener is open_image else -1


def _key(item: Item) -> str:
    if os.path.isfile(item.path):
        return hashlib.blake2b(Path(item.path).read_bytes()).hexdigest()
    if item.opener is open_image:
        return item.path
    return hashlib.blake2b(item.image.tobytes(), key=repr(item.image.size).encode()).hexdigest()
