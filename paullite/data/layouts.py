"""What lies in a folder, and where in it a data set stands."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm")


@dataclass(frozen=True)
class Layout:
    """How a data set lies on disk: the names that stand side by side, and the folders they may be nested in."""

    kind: str
    choices: tuple[tuple[str, ...], ...]
    nestings: tuple[str, ...]


FOLDERS = ("bounding_box_train", "query", "bounding_box_test")
LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")
MARKET = Layout(
    "market1501", (FOLDERS,), ("Market-1501-v15.09.15", "Market-1501", "market1501", "market1501/Market-1501-v15.09.15")
)
DUKE = Layout("duke", (FOLDERS,), ("DukeMTMC-reID", "dukemtmc-reid/DukeMTMC-reID", "dukemtmc-reid"))
MSMT = Layout(
    "msmt17",
    (("train", "test", *LISTS), ("mask_train_v2", "mask_test_v2", *LISTS)),
    ("MSMT17_V1", "msmt17/MSMT17_V1", "MSMT17_V2", "msmt17/MSMT17_V2", "msmt17"),
)
# kind -> split -> images, identities, cameras. Identity 0 of Market-1501, all distractors, counts as one.
PUBLISHED: dict[str, dict[str, dict[str, int]]] = {
    "market1501": {
        "train": {"images": 12936, "identities": 751, "cameras": 6},
        "query": {"images": 3368, "identities": 750, "cameras": 6},
        "gallery": {
            "images": 19732,
            "identities": 751,
            "cameras": 6,
            "junk": 3819,
            "not junk": 15913,
            "distractors": 2798,
        },
    },
    "duke": {
        "train": {"images": 16522, "identities": 702, "cameras": 8},
        "query": {"images": 2228, "identities": 702, "cameras": 8},
        "gallery": {"images": 17661, "identities": 1110, "cameras": 8},
    },
    "msmt17": {
        "train": {"images": 32621, "identities": 1041, "cameras": 15},
        "query": {"images": 11659, "identities": 3060, "cameras": 15},
        "gallery": {"images": 82161, "identities": 3060, "cameras": 15},
        "all": {"images": 126441, "identities": 4101},
    },
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
        raise InputError(
            f"the folder {root} is empty", "expected images in it", "fill it, then " + check_command(kind, root)
        )
    return folder


def locate(layout: Layout, root: str | Path) -> tuple[Path, tuple[str, ...]]:
    """The folder in which the data set stands (``root``, a usual nesting or one level below), and which of the layouts.

    Raises:
        InputError: the layout is nowhere; the message shows what stands at the top.
    """
    top = existing_folder(layout.kind, root)
    below = [top / name for name in visible(top) if name.endswith("/")]
    for folder in [top, *(top / name for name in layout.nestings), *below]:
        for choice in layout.choices:
            if all((folder / name).exists() for name in choice):
                return folder, choice
    raise InputError(
        f"found {listed(visible(top))} in {root}",
        "expected " + " or ".join(", ".join(choice) for choice in layout.choices),
        "see what is missing with: " + check_command(layout.kind, root),
    )
