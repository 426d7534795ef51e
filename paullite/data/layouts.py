"""What lies in a folder, where in it a data set stands, and which of its files are no whole images."""

import os
import re
import shlex
import subprocess
import warnings
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from ..errors import InputError, listed
from .items import open_image

NOT_DRAWN = ("BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF")  # Pillow knows their names, and not how to read them alone
IMAGE_ENDINGS = tuple(e for e, f in Image.registered_extensions().items() if f in Image.OPEN and f not in NOT_DRAWN)
HIDDEN = (".", "__MACOSX")  # what a Mac puts into a zip beside the images bears their names
SPLITS = ("train", "query", "gallery")
SPLIT_NAME = re.compile(r"(?:images?|imgs?|set)*(train|query|gallery)(?:ing)?(?:images?|imgs?|set)*")
FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")
LAYOUTS: dict[str, tuple[tuple[str, ...], ...]] = {  # kind -> names that stand side by side, in one form or another
    "market1501": (FOLDERS,),
    "duke": (FOLDERS,),
    "msmt17": (("train", "test", *LISTS), ("mask_train_v2", "mask_test_v2", *LISTS)),
}
DEPTH = 3  # folders that may lie around a data set
COUNTED = ("images", "identities", "cameras", "junk", "not junk", "distractors")
_NUMBERS: dict[str, dict[str, tuple[int, ...]]] = {
    "market1501": dict(train=(12936, 751, 6), query=(3368, 750, 6), gallery=(19732, 751, 6, 3819, 15913, 2798)),
    "duke": dict(train=(16522, 702, 8), query=(2228, 702, 8), gallery=(17661, 1110, 8)),
    "msmt17": dict(train=(32621, 1041, 15), query=(11659, 3060, 15), gallery=(82161, 3060, 15), all=(126441, 4101)),
}
PUBLISHED = {  # kind -> split -> what is counted -> how many. Identity 0 of Market-1501, all distractors, counts as one
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
    return subprocess.list2cmdline([str(path)]) if os.name == "nt" else shlex.quote(str(path))


def visible(folder: Path) -> list[str]:
    """The names in a folder in order, folders with a slash, hidden ones left out."""
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name + "/" * e.is_dir() for e in entries if not e.name.startswith(HIDDEN))
    except OSError as error:
        found = f"cannot read the folder {folder} ({error.strerror})"
        raise InputError(found, "expected one that may be read", "ask for access, or move it elsewhere") from None


def image_files(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of their names; all else is passed over (see `warn_passed_over`)."""
    return [folder / name for name in visible(folder) if name.lower().endswith(IMAGE_ENDINGS)]


def images_below(folder: Path) -> int:
    """How many pictures lie in a folder and in the folders inside it."""
    count = 0
    for _, folders, names in os.walk(folder):  # what may not be read counts for nothing
        folders[:] = [name for name in folders if not name.startswith(HIDDEN)]
        count += sum(name.lower().endswith(IMAGE_ENDINGS) and not name.startswith(HIDDEN) for name in names)
    return count


def warn_passed_over(folders: Iterable[Path]) -> None:
    """A warning that counts by ending what else lies there; what a system leaves behind goes without saying."""
    names = (name.lower() for folder in folders for name in visible(folder))
    others = (name for name in names if not name.endswith(("/", "thumbs.db", "desktop.ini", *IMAGE_ENDINGS)))
    if kinds := Counter(Path(name).suffix or "without ending" for name in others):
        files = "1 file" if kinds.total() == 1 else f"{kinds.total():,} files"
        each = listed(f"{count:,} {kind}" for kind, count in kinds.items())
        warnings.warn(f"{files} passed over: {each}", stacklevel=4)


def existing_folder(kind: str, root: str | Path) -> Path:
    """The folder that the user named, or an error that says what is there instead."""
    folder = Path(os.path.expanduser(root))
    if folder.is_file():
        raise InputError(f"{root} is a file", "expected a folder", "unpack the archive first and give its folder")
    if not folder.is_dir():
        raise InputError(f"found no folder {root}", "expected the folder with the images", "check the path for typos")
    if not visible(folder):
        raise InputError(f"the folder {root} is empty", "expected images", f"fill it, then {check_command(kind, root)}")
    return folder


def locate(kind: str, root: str | Path) -> tuple[Path, tuple[str, ...]]:
    """The folder in which the data set stands (``root`` or one below), and the names of its parts as written there."""
    top = existing_folder(kind, root)
    if place := _search(kind, top, DEPTH):
        return place
    refuse_other(kind, root, top)
    expected, do = " or ".join(map(", ".join, LAYOUTS[kind])), f"see what is missing with: {check_command(kind, root)}"
    raise InputError(f"found {listed(visible(top))} in {root}", f"expected {expected}", do)


def refuse_other(kind: str, root: str | Path, top: Path) -> None:
    """An `InputError` if a folder is laid out like a data set of another kind."""
    others = [other for other in LAYOUTS if LAYOUTS[other] != LAYOUTS.get(kind) and _search(other, top, 1)]
    others += ["folder"] * (kind != "folder" and len(split_folders(top)) == len(SPLITS))
    if others:
        found = f"found {listed(visible(top))} in {root}, as in a data set of the kind {others[0]}"
        raise InputError(found, f"expected one of the kind {kind}", f"try {check_command(others[0], root)}")


def _search(kind: str, top: Path, depth: int) -> tuple[Path, tuple[str, ...]] | None:
    """Where the names of a layout stand side by side, in capitals or not; first of all below a name like the kind's."""
    found, level, word = [], [top], kind.rstrip("0123456789")
    for _ in range(depth):
        below = []
        for folder in level:
            names = {name.rstrip("/").lower(): name for name in visible(folder)}
            fits = [choice for choice in LAYOUTS[kind] if names.keys() >= set(choice)]
            found += [(folder, tuple(names[name].rstrip("/") for name in choice)) for choice in fits]
            below += [] if fits else [folder / name for name in names.values() if name.endswith("/")]
        level = [folder for folder in below if os.access(folder, os.R_OK | os.X_OK)]  # lost+found may not be read
    return min(found, key=lambda place: word not in str(place[0].relative_to(top)).lower(), default=None)


def split_folders(top: Path) -> dict[str, Path]:
    """The folders of train, query and gallery, in any spelling (``TRAIN``, ``query_images``); only those there are."""
    folders = [name[:-1] for name in visible(top) if name.endswith("/")]
    words = {name: SPLIT_NAME.fullmatch(re.sub("[^a-z]", "", name.lower())) for name in folders}
    found = {split: [name for name in folders if (match := words[name]) and match[1] == split] for split in SPLITS}
    for split, names in found.items():
        if len(names) > 1 and split not in names:
            raise InputError(f"found {listed(names)} in {top}", f"expected one folder for {split}", "rename the others")
    return {split: top / (split if split in names else names[0]) for split, names in found.items() if names}


def find_unreadable(paths: Iterable[str], *, full: bool) -> dict[str, str]:
    """Files that are missing or empty, and with ``full`` (slow) those that cannot be decoded: path -> reason."""
    paths = list(paths)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        bar = tqdm(pool.map(partial(_fault, full=full), paths), "reading images", len(paths), disable=None, leave=False)
        return {path: why for path, why in zip(paths, bar, strict=True) if why}


def _fault(path: str, *, full: bool) -> str:
    """What is wrong with a file; empty if nothing is."""
    try:
        if not os.path.getsize(path):
            return "0 bytes"
        if full:
            open_image(path)
    except InputError as error:
        return str(error.__context__ or "").replace(f" {path!r}", "") or "not a whole image"
    except OSError as error:
        return "missing" if isinstance(error, FileNotFoundError) else str(error.strerror)
    return ""
