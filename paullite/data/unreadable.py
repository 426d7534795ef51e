"""Image files that are missing, empty or broken, found before training meets them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tqdm import tqdm

from ..errors import InputError
from .items import open_image


def find_unreadable(paths: Iterable[str], *, full: bool) -> dict[str, str]:
    """Files that are missing or empty, and with ``full`` (slow) those that cannot be decoded: path -> reason."""
    paths = list(paths)
    if not full:
        return {path: why for path in paths if (why := _size_fault(path))}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        faults = tqdm(pool.map(_fault, paths), "reading images", len(paths), disable=None, leave=False)
        return {path: why for path, why in zip(paths, faults, strict=True) if why}


def _size_fault(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError as error:
        return "missing" if isinstance(error, FileNotFoundError) else str(error.strerror)
    return "not a file" if not stat.S_ISREG(found.st_mode) else "" if found.st_size else "0 bytes"


def _fault(path: str) -> str:
    if why := _size_fault(path):
        return why
    try:
        open_image(path)
    except InputError as error:
        return str(error.__context__ or "").replace(f" {path!r}", "") or "not a whole image"
    return ""
