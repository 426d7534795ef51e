"""Folders of real people as data sets, with identities and cameras as their names or lists have them, in that order.

Only names and sizes are looked at when a data set is made. A wrong folder, a name or line of another form, and missing
or empty images are an `InputError`. ``skip_unreadable`` opens every image at once (half a minute to minutes) and leaves
out, with a warning, those that are broken.
"""

import re
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from ..errors import InputError, at_least_one, listed, nearest_names
from . import layouts
from .csv import csv_rows, from_csv
from .items import ReIDDataset
from .layouts import SPLITS, image_files, images_below, visible
from .paperdolls.dataset import PaperDolls
from .rows import PATTERN, Entries, Entry, Rows, build, entry_of, name_pattern, path_of, rows_of

Root = str | Path  # a folder, or one above it
Lists = Literal["train", "all"]
PARTS = re.compile("(test|val|valid|validation|probe)(ing)?[ _-]*(images?|set)?")  # sound like no person's name


def bounding_box_rows(kind: str, root: Root) -> Rows:
    """The rows of Market-1501 or of what is laid out like it."""
    folder, names = layouts.locate(kind, root)
    layouts.warn_passed_over(folder / name for name in names)
    expected = "expected a name such as 0002_c1s1_000451_03.jpg (identity 2, camera 1)"
    entries: Entries = {}
    for split, name in zip(SPLITS, names, strict=True):
        entries[split] = [entry_of(file, re.compile(PATTERN)) for file in image_files(folder / name)]
        if not entries[split]:
            raise InputError(f"found no images in {folder / name}", expected, "unpack it again")
        _check_known(entries[split], expected, "rename or remove it")
    return rows_of(entries)


def _check_known(entries: list[Entry], expected: str, do: str) -> None:
    for path in (path for path, pid, _ in entries if not pid):
        raise InputError(f"found no identity in the name of {path}", expected, do)


def msmt17_rows(root: Root, lists: str = "train") -> Rows:
    """The rows of ``MSMT17``."""
    folder, (first, last, *tables) = layouts.locate("msmt17", root)  # folders of the training and of the test images
    places = zip((first, first, last, last), tables, strict=True)
    train, val, query, gallery = (_list_rows(folder / images, folder / table) for images, table in places)
    if lists == "train":
        return {"train": [*train, *val], "query": [*query], "gallery": [*gallery]}
    people = 1 + max((pid for _, pid, _ in train + val), default=-1)
    test = [(path, people + pid, camid) for path, pid, camid in query + gallery]
    return {"train": [*train, *val, *test], "query": [], "gallery": []}


def _list_rows(images: Path, table: Path) -> list[tuple[str, int, int]]:
    """Rows from lines such as ``0000/0000_000_01_0303morning_0008_0.jpg 0``: identity 0, camera 1."""
    rows = []
    for number, line in enumerate(table.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if match := re.fullmatch(r"((?:.*[/\\])?[^/\\_]+_[^/\\_]+_(\d+)[^/\\]*)\s+(\d+)", line.strip()):
            rows.append((path_of(images, match[1]), int(match[3]), int(match[2])))
        elif line.strip():
            expected = "expected FILE and identity, such as 0000/0000_000_01_0303morning_0008_0.jpg 0"
            raise InputError(f"{table} line {number} is {line[:80]!r}", expected, "unpack the list again")
    return rows


def folder_rows(root: Root, pattern: str = PATTERN) -> Rows:
    """The rows of ``ImageFolder``."""
    top, form = layouts.existing_folder("folder", root), name_pattern(pattern)
    layouts.refuse_other("folder", root, top)
    there = layouts.split_folders(top)
    rest = [name for name in visible(top) if top / name not in there.values()] if there else []
    if unread := [name for name in rest if name.lower().endswith(layouts.IMAGE_ENDINGS) or images_below(top / name)]:
        text = f"not read in {top}, as it is in no folder train, query or gallery: {listed(unread)}"
        warnings.warn(text, stacklevel=3)
    there = there or {"train": top}
    layouts.warn_passed_over(there.values())
    entries = {split: _folder_entries(there[split], form) if split in there else [] for split in SPLITS}
    expected = f"expected a name that begins like {pattern}, or one folder per person"
    for split in ("query", "gallery"):
        _check_known(entries[split], expected, f"rename it, {split} needs it")
    return rows_of(entries)


def _folder_entries(folder: Path, form: re.Pattern[str]) -> list[Entry]:
    """The images of one split: all in the folder itself, or in one folder per person."""
    below = {name[:-1]: image_files(folder / name) for name in visible(folder) if name.endswith("/")}
    expected, use = "expected either images or one folder of images per person", "write a table and use from_csv"
    for name in (name for name, files in below.items() if images_below(folder / name) > len(files)):
        do = f"give {folder / name}" if len(below) == 1 else "move them up"
        raise InputError(f"found images in folders inside {folder / name}", expected, f"{do}, or {use}")
    people = [(str(file), name, entry_of(file, form)[2]) for name, files in below.items() for file in files]
    images = [entry_of(file, form) for file in image_files(folder)]
    names = [name for name, files in below.items() if files]
    if images and people:
        found = f"found images in {folder} and also in its folders {listed(names)}"
        raise InputError(found, expected, f"move the images, or {use}")
    if people and all(PARTS.fullmatch(name.lower()) for name in names):
        found = f"found the folders {listed(names)} in {folder}, which are no people's names"
        raise InputError(found, "expected train, query and gallery, or one folder per person", "rename them")
    if any(pid for _, pid, _ in images):
        _check_known(images, f"expected every name in {folder} to begin like {form.pattern}, or none", "rename it")
    return images + people


def Market1501(root: Root, *, skip_unreadable: bool = False) -> ReIDDataset:
    """Market-1501: 1,501 people before a supermarket, 6 cameras; ``0002_c1s1_000451_03.jpg``: person 2 in camera 1.

    ``root`` holds ``bounding_box_train``, ``query`` and ``bounding_box_test``. In the gallery -1 is junk, and 0 stands
    for all distractors. Source: Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015.
    """
    rows = bounding_box_rows("market1501", root)
    return build("Market-1501", "market1501", root, rows, skip_unreadable=skip_unreadable)


def DukeMTMCreID(root: Root, *, skip_unreadable: bool = False) -> ReIDDataset:
    """DukeMTMC-reID: 8 cameras on a campus; ``0001_c2_f0046182.jpg``: person 1 in camera 2. Read as `Market1501` is.

    Its authors withdrew it in 2019, for the people in it had not consented. New work should choose another data set.
    Source: Zheng et al., Unlabeled Samples Generated by GAN Improve the Person Re-identification Baseline, ICCV 2017.
    """
    return build("DukeMTMC-reID", "duke", root, bounding_box_rows("duke", root), skip_unreadable=skip_unreadable)


def MSMT17(root: Root, lists: Lists = "train", *, skip_unreadable: bool = False) -> ReIDDataset:
    """MSMT17: 4,101 people, 15 cameras (numbered 1 to 15), version 1 or 2. Identity 0 is a person like any other.

    Args:
        root: the folder with the four lists. If both versions are there, the first is taken.
        lists: ``"train"`` is the usual protocol: train and val lists to learn from, query and gallery to score on.
            ``"all"`` is the labelled source of the paper (and the default of ``paullite pretrain msmt17``): all four
            lists are training images, the people of the test numbered on, and the test is empty.

    Source: Wei et al., Person Transfer GAN to Bridge Domain Gap for Person Re-identification, CVPR 2018.
    """
    if lists not in ("train", "all"):
        raise InputError(f"found lists={lists!r}", 'expected "train" or "all"', 'use lists="train" for the usual test')
    return build("MSMT17", "msmt17", root, msmt17_rows(root, lists), skip_unreadable=skip_unreadable)


def ImageFolder(root: Root, pattern: str = PATTERN, *, skip_unreadable: bool = False) -> ReIDDataset:
    """A folder of one's own images: ``train``, ``query`` and ``gallery`` folders, or just images, all for training.

    Who is on an image is known from the folder that it lies in, if there is one folder per person (names are numbered
    in alphabetic order), and otherwise from its own name, whose beginning matches ``pattern``, a regular expression
    with groups ``pid`` and perhaps ``camid``: ``0002_c3_17.jpg`` is person 2 in camera 3; -1 is junk. If no training
    image shows who it is, all are unlabelled: good for ``adapt`` and ``search``. Cameras count if every name has one.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("0001_c1_a.png", "0002_c3_b.png"): Image.new("RGB", (8, 16)).save(Path(root, name))
    ...     ImageFolder(root).train
    <2 images, 2 people, 2 cameras>
    """
    rows = folder_rows(root, pattern)
    return build(Path(root).name or "folder", "folder", root, rows, skip_unreadable=skip_unreadable)


ROWS: dict[str, Callable[[Root], Rows]] = {
    "market1501": partial(bounding_box_rows, "market1501"),
    "duke": partial(bounding_box_rows, "duke"),
    "msmt17": msmt17_rows,
    "folder": folder_rows,
    "csv": csv_rows,
}
READERS: dict[str, Callable[..., ReIDDataset]] = dict(
    zip(ROWS, (Market1501, DukeMTMCreID, MSMT17, ImageFolder, from_csv), strict=True)
)
KINDS = (*ROWS, "paperdolls-source", "paperdolls-target")


def check_kind(kind: str) -> None:
    """Raises an `InputError` that names those that look like it, if there is no such kind of data set."""
    if kind not in KINDS:
        near = f"did you mean {nearest_names(kind, KINDS)}?"
        raise InputError(f"found the data set {kind!r}", f"expected {', '.join(KINDS)}", near)


def load_dataset(
    kind: str, root: Root = "", *, lists: Lists = "train", skip_unreadable: bool = False, people: int | None = None
) -> ReIDDataset:
    """A data set by the name of its kind, as on the command line: one of ``KINDS``.

    Args:
        root: its folder, or the CSV file; drawn people (paperdolls) have none.
        lists: for `MSMT17` alone.
        people: only the first so many people of the training set and of the test.

    >>> load_dataset("market")
    Traceback (most recent call last):
    paullite.errors.InputError: found the data set 'market'; expected market1501, duke, msmt17, folder, csv,
        paperdolls-source, paperdolls-target; did you mean market1501?
    """
    at_least_one(people=1 if people is None else people)
    check_kind(kind)
    if str(root) and kind not in ROWS:
        raise InputError(f"found {root} after {kind}", "expected nothing there, since drawn people need no folder")
    if not str(root) and kind in ROWS:
        raise InputError(f"found no folder for {kind}", "expected where it lies", f"for example: {kind} my/folder")
    if kind in ROWS:
        more = {"lists": lists} if kind == "msmt17" else {}
        dataset = READERS[kind](root, skip_unreadable=skip_unreadable, **more)
    else:
        dataset = PaperDolls(kind.removeprefix("paperdolls-"))
    return dataset if people is None else dataset.first_people(people)
