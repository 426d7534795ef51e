"""What lies in a folder, where in it a data set stands, and which of its files are no whole images."""

import os
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from ..errors import InputError
from .items import open_image

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm")


class Layout(NamedTuple):
    """How a data set lies on disk: the names that stand side by side, and the folders they may be nested in."""

    choices: tuple[tuple[str, ...], ...]
    nestings: tuple[str, ...]


FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")
MSMT17_FOLDERS = (("train", "test", *LISTS), ("mask_train_v2", "mask_test_v2", *LISTS))
MARKET_NESTINGS = ("Market-1501-v15.09.15", "Market-1501", "market1501", "market1501/Market-1501-v15.09.15")
LAYOUTS = {
    "market1501": Layout((FOLDERS,), MARKET_NESTINGS),
    "duke": Layout((FOLDERS,), ("DukeMTMC-reID", "dukemtmc-reid/DukeMTMC-reID", "dukemtmc-reid")),
    "msmt17": Layout(MSMT17_FOLDERS, ("MSMT17_V1", "msmt17/MSMT17_V1", "MSMT17_V2", "msmt17/MSMT17_V2", "msmt17")),
}


COUNTED = ("images", "identities", "cameras", "junk", "not junk", "distractors")
_NUMBERS: dict[str, dict[str, tuple[int, ...]]] = {
    "market1501": dict(train=(12936, 751, 6), query=(3368, 750, 6), gallery=(19732, 751, 6, 3819, 15913, 2798)),
    "duke": dict(train=(16522, 702, 8), query=(2228, 702, 8), gallery=(17661, 1110, 8)),
    "msmt17": dict(train=(32621, 1041, 15), query=(11659, 3060, 15), gallery=(82161, 3060, 15), all=(126441, 4101)),
}
# kind -> split -> what is counted -> how many. Identity 0 of Market-1501, all distractors, counts as one.
PUBLISHED = {
    kind: {split: dict(zip(COUNTED, numbers, strict=False)) for split, numbers in splits.items()}
    for kind, splits in _NUMBERS.items()
}
REMARKS = {
    "market1501": "Identity 0 of the gallery is the distractors: 2,798 files as released; the paper prints 2,793.",
    "duke": "The authors of DukeMTMC withdrew it in 2019, for the people in it had not consented.",
}


def check_command(kind: str, root: str | Path) -> str:
    """The command line of the data check."""
    return f"paullite data check {kind} {quoted(root)}"


def quoted(path: str | Path) -> str:
    """A path as it is typed in a shell."""
    return f'"{path}"' if " " in str(path) else str(path)


def listed(names: Iterable[str], most: int = 5) -> str:
    """The first few names for a message."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def visible(folder: Path) -> list[str]:
    """The names in a folder in order, folders with a slash, hidden ones left out."""
    with os.scandir(folder) as entries:
        return sorted(e.name + "/" * e.is_dir() for e in entries if not e.name.startswith("."))


def image_files(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of their names; all else (``Thumbs.db``) is passed over."""
    return [folder / name for name in visible(folder) if name.lower().endswith(IMAGE_ENDINGS)]


def existing_folder(kind: str, root: str | Path) -> Path:
    """The folder that the user named, or an error that says what is there instead."""
    folder = Path(root).expanduser()
    if folder.is_file():
        raise InputError(f"{root} is a file", "expected a folder", "unpack the archive first and give its folder")
    if not folder.is_dir():
        raise InputError(f"found no folder {root}", "expected the folder with the images", "check the path for typos")
    if not visible(folder):
        do = f"fill it, then {check_command(kind, root)}"
        raise InputError(f"the folder {root} is empty", "expected images in it", do)
    return folder


def locate(kind: str, root: str | Path) -> tuple[Path, tuple[str, ...]]:
    """The folder in which the data set stands (``root``, a usual nesting or one level below), and its layout."""
    choices, nestings = LAYOUTS[kind]
    top = existing_folder(kind, root)
    there = visible(top)
    for folder in [top, *(top / name for name in nestings), *(top / name for name in there if name.endswith("/"))]:
        for choice in choices:
            if all((folder / name).exists() for name in choice):
                return folder, choice
    expected = "expected " + " or ".join(", ".join(choice) for choice in choices)
    do = f"see what is missing with: {check_command(kind, root)}"
    raise InputError(f"found {listed(there)} in {root}", expected, do)


def find_unreadable(paths: Iterable[str], *, full: bool) -> dict[str, str]:
    """Files that are missing or empty, and with ``full`` (slow) those that cannot be decoded: path -> reason."""
    paths = list(paths)
    if not full:
        return {path: why for path in paths if (why := _fault(path, full=False))}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        faults = pool.map(partial(_fault, full=True), paths)
        bar = tqdm(faults, "reading images", len(paths), disable=None, leave=False)
        return {path: why for path, why in zip(paths, bar, strict=True) if why}


def _fault(path: str, *, full: bool) -> str:
    """What is wrong with a file; empty if nothing is."""
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return "not a file"
        if full and found.st_size:
            open_image(path)
    except InputError as error:
        return str(error.__context__ or "").replace(f" {path!r}", "") or "not a whole image"
    except OSError as error:
        return "missing" if isinstance(error, FileNotFoundError) else str(error.strerror)
    return "" if found.st_size else "0 bytes"
