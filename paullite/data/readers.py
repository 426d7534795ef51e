"""Folders of real people as data sets: Market-1501, DukeMTMC-reID and MSMT17, laid out as their authors did.

Only file names and file sizes are looked at when a data set is made; the pixels are read when they are asked for.
Camera numbers and identities are kept as they are printed in the names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from ..errors import InputError, at_least_one, nearest_names
from .csv import csv_rows, from_csv
from .items import ReIDDataset, Row
from .layouts import existing_folder, image_files, listed, locate, visible
from .paperdolls.dataset import PaperDolls
from .rows import PATTERN, SPLITS, Entries, Entry, Rows, build, entry_of, name_pattern, rows_of


def bounding_box_rows(kind: str, root: str | Path) -> Rows:
    """The rows of a data set with the three folders of Market-1501."""
    folder, names = locate(kind, root)
    return {split: _named_rows(folder / name, kind) for split, name in zip(SPLITS, names, strict=True)}


def _named_rows(folder: Path, kind: str) -> list[Row]:
    """Rows from names such as ``0002_c1s1_000451_03.jpg``: identity 2, camera 1."""
    named = [(file, re.match(PATTERN, file.name)) for file in image_files(folder)]
    if not named:
        raise InputError(f"found no images in {folder}", "expected names such as 0002_c1_f01.jpg", "unpack it again")
    for file, match in named:
        if match is None:
            expected = "expected a name such as 0002_c1s1_000451_03.jpg (identity 2, camera 1)"
            raise InputError(f"found the image {file}", expected, f"rename or remove it; it is no image of {kind}")
    return [(str(file), int(match["pid"]), int(match["camid"])) for file, match in named if match]


def msmt17_rows(root: str | Path, lists: str = "train") -> Rows:
    """The rows of MSMT17; with ``lists="all"`` everybody is in train, the people of the test numbered on."""
    folder, (train_folder, test_folder, *tables) = locate("msmt17", root)
    places = (train_folder, train_folder, test_folder, test_folder)
    train, val, query, gallery = (_list_rows(folder / a, folder / b) for a, b in zip(places, tables, strict=True))
    if lists == "train":
        return {"train": [*train, *val], "query": [*query], "gallery": [*gallery]}
    first = 1 + max((pid for _, pid, _ in train + val), default=-1)
    test = [(path, first + pid, camid) for path, pid, camid in query + gallery]
    return {"train": [*train, *val, *test], "query": [], "gallery": []}


def _list_rows(images: Path, table: Path) -> list[tuple[str, int, int]]:
    """Rows from lines such as ``0000/0000_000_01_0303morning_0008_0.jpg 0``: identity 0, camera 1."""
    rows: list[tuple[str, int, int]] = []
    for number, line in enumerate(table.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = re.fullmatch(r"((?:.*/)?[^/_]+_[^/_]+_(\d+)[^/]*)\s+(\d+)", line.strip())
        if line.strip() and match is None:
            expected = "expected FILE and identity, such as 0000/0000_000_01_0303morning_0008_0.jpg 0"
            raise InputError(f"{table} line {number} is {line[:80]!r}", expected, "unpack the list again")
        if match:
            rows.append((str(images / match[1]), int(match[3]), int(match[2])))
    return rows


def folder_rows(root: str | Path, pattern: str = PATTERN) -> Rows:
    """The rows of ``ImageFolder``."""
    top = existing_folder("folder", root)
    form = name_pattern(pattern)
    there = [split for split in SPLITS if (top / split).is_dir()]
    entries: Entries = {split: _folder_entries(top / split, form) if split in there else [] for split in SPLITS}
    if not there:
        entries["train"] = _folder_entries(top, form)
    for split in ("query", "gallery"):
        for path in (path for path, pid, _ in entries[split] if not pid):
            expected = f"expected a name that begins like {pattern}, or one folder per person"
            raise InputError(f"found no identity in the name of {path}", expected, f"rename it, {split} needs it")
    return rows_of(entries)


def _folder_entries(folder: Path, form: re.Pattern[str]) -> list[Entry]:
    """The images of one split: all in the folder itself, or in one folder per person."""
    people = {name[:-1]: image_files(folder / name) for name in visible(folder) if name.endswith("/")}
    people = {name: files for name, files in people.items() if files}
    images = [entry_of(file, form) for file in image_files(folder)]
    if images and people:
        found = f"found images in {folder} and also in its folders {listed(people)}"
        do = "move the images, or write a table and use from_csv"
        raise InputError(found, "expected either images or one folder of images per person", do)
    unknown = [path for path, pid, _ in images if not pid]
    if 0 < len(unknown) < len(images):
        expected = f"expected every name in {folder} to begin like {form.pattern}, or none"
        do = "rename it, move it, or use from_csv"
        raise InputError(f"found no identity in the name of {unknown[0]}", expected, do)
    return images + [(str(f), name, entry_of(f, form)[2]) for name, files in people.items() for f in files]


def Market1501(root: str | Path, *, skip_unreadable: bool = False) -> ReIDDataset:
    """Market-1501: 1,501 people before a supermarket, 6 cameras.

    Identities and cameras (1 to 6) are those printed in the names: ``0002_c1s1_000451_03.jpg`` is person 2 in camera 1.
    In the gallery -1 is junk, and 0 stands for all distractors.

    Args:
        root: the folder with ``bounding_box_train``, ``query`` and ``bounding_box_test``, or one above it.
        skip_unreadable: open every image now (half a minute) and leave out, with a warning, those that are broken.

    Returns:
        The data set, in the order of the file names.

    Raises:
        InputError: wrong folder, empty image files, or names of another form.

    Source: Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for folder in ("bounding_box_train", "query", "bounding_box_test"):
    ...         Path(root, folder).mkdir()
    ...         for name in ("0001_c1s1_000001_00.jpg", "0002_c3s1_000002_00.jpg"):
    ...             Image.new("RGB", (8, 16)).save(Path(root, folder, name))
    ...     data = Market1501(root)
    >>> len(data.train), data.query[1].pid, data.query[1].camid
    (2, 2, 3)
    """
    return build(
        "Market-1501", "market1501", root, bounding_box_rows("market1501", root), skip_unreadable=skip_unreadable
    )


def DukeMTMCreID(root: str | Path, *, skip_unreadable: bool = False) -> ReIDDataset:
    """DukeMTMC-reID: 8 cameras on a campus. Its authors withdrew it in 2019, for the people in it had not consented.

    It is read here for those who hold a copy and have the right to use it; new work should choose another data set.
    Names are such as ``0001_c2_f0046182.jpg``: person 1 in camera 2 (1 to 8).

    Args:
        root: the folder with ``bounding_box_train``, ``query`` and ``bounding_box_test``, or one above it.
        skip_unreadable: open every image now and leave out, with a warning, those that are broken.

    Returns:
        The data set, in the order of the file names.

    Raises:
        InputError: wrong folder, empty image files, or names of another form.

    Source: Zheng et al., Unlabeled Samples Generated by GAN Improve the Person Re-identification Baseline, ICCV 2017.

    >>> DukeMTMCreID("no/such/folder")
    Traceback (most recent call last):
    paullite.errors.InputError: found no folder no/such/folder; expected the folder with the images;
        check the path for typos
    """
    return build("DukeMTMC-reID", "duke", root, bounding_box_rows("duke", root), skip_unreadable=skip_unreadable)


def MSMT17(root: str | Path, lists: Literal["train", "all"] = "train", *, skip_unreadable: bool = False) -> ReIDDataset:
    """MSMT17: 4,101 people, 15 cameras (numbered 1 to 15), version 1 or 2. Identity 0 is a person like any other.

    Args:
        root: the folder with the four lists, or one above it. If both versions are there, the first is taken.
        lists: ``"train"`` is the usual protocol: train and val lists to learn from, query and gallery to score on.
            ``"all"`` is the labelled source of the paper: all four lists (126,441 images) are the training images and
            the test is empty, so that nothing is ever scored on images it was trained on. The lists number the people
            of the test from 0 again; here they are numbered on from the last of the training people.
            Mind the default: ``paullite pretrain msmt17`` takes ``"all"``, this function ``"train"``.
        skip_unreadable: open every image now (minutes) and leave out, with a warning, those that are broken or missing.

    Returns:
        The data set, in the order of the lists.

    Raises:
        InputError: wrong folder, a bad line in a list, missing or empty image files.

    Source: Wei et al., Person Transfer GAN to Bridge Domain Gap for Person Re-identification, CVPR 2018.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for number, part in enumerate(("train", "val", "query", "gallery")):
    ...         folder = Path(root, "train" if number < 2 else "test", "0000")
    ...         folder.mkdir(parents=True, exist_ok=True)
    ...         Image.new("RGB", (8, 16)).save(folder / f"0000_000_0{number + 1}_0303morning_0008_0.jpg")
    ...         _ = Path(root, f"list_{part}.txt").write_text(f"0000/0000_000_0{number + 1}_0303morning_0008_0.jpg 0")
    ...     data = MSMT17(root, lists="all")
    >>> data.train.pids, data.train.camids
    ((0, 0, 1, 1), (1, 2, 3, 4))
    """
    if lists not in ("train", "all"):
        raise InputError(f"found lists={lists!r}", 'expected "train" or "all"', 'use lists="train" for the usual test')
    return build("MSMT17", "msmt17", root, msmt17_rows(root, lists), skip_unreadable=skip_unreadable)


def ImageFolder(root: str | Path, pattern: str = PATTERN, *, skip_unreadable: bool = False) -> ReIDDataset:
    """A folder of one's own images: ``train``, ``query`` and ``gallery`` folders, or just images, all for training.

    Who is on an image is known from the folder that it lies in, if there is one folder per person (names are numbered
    in alphabetic order), and otherwise from its own name: ``0002_c3_17.jpg`` is person 2 in camera 3; -1 is junk.

    If no training image shows who it is, the images are unlabelled: good for ``adapt`` and ``search``. If not every
    name has a camera, there are no cameras: a warning says what that means for the scores.

    Args:
        root: the folder.
        pattern: regular expression that the beginning of a name matches, with groups ``pid`` and perhaps ``camid``.
        skip_unreadable: open every image now and leave out, with a warning, those that are broken.

    Returns:
        The data set; query and gallery are empty if there are none.

    Raises:
        InputError: no images, images half with and half without identity, one person only, empty files, a bad pattern.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("adam", "eve"):
    ...         Path(root, name).mkdir()
    ...         Image.new("RGB", (8, 16)).save(Path(root, name, "monday.jpg"))
    ...     data = ImageFolder(root)
    >>> data.train.pids, data.train.camids, len(data.query)
    ((0, 1), None, 0)
    """
    return build(
        Path(root).name or "folder", "folder", root, folder_rows(root, pattern), skip_unreadable=skip_unreadable
    )


ROWS: dict[str, Callable[[str | Path], Rows]] = {
    "market1501": partial(bounding_box_rows, "market1501"),
    "duke": partial(bounding_box_rows, "duke"),
    "msmt17": msmt17_rows,
    "folder": folder_rows,
    "csv": csv_rows,
}
READERS: dict[str, Callable[..., ReIDDataset]] = {
    "market1501": Market1501, "duke": DukeMTMCreID, "msmt17": MSMT17, "folder": ImageFolder, "csv": from_csv,
}  # fmt: skip
KINDS = (*READERS, "paperdolls-source", "paperdolls-target")


def unknown_kind(kind: str) -> InputError:
    """The error for a kind of data set that does not exist."""
    near = f"did you mean {nearest_names(kind, KINDS)}?"
    return InputError(f"found the data set {kind!r}", f"expected {', '.join(KINDS)}", near)


def load_dataset(
    kind: str,
    root: str | Path = "",
    *,
    lists: Literal["train", "all"] = "train",
    skip_unreadable: bool = False,
    people: int | None = None,
) -> ReIDDataset:
    """A data set by the name of its kind, as on the command line.

    Args:
        kind: market1501, duke, msmt17, folder, csv, paperdolls-source or paperdolls-target.
        root: its folder, or the CSV file; not used for drawn people.
        lists: for msmt17 alone, see there.
        skip_unreadable: open every image now and leave out, with a warning, those that are broken.
        people: only the first so many people of the training set and of the test.

    Returns:
        The data set.

    Raises:
        InputError: an unknown kind, a folder for drawn people, fewer than one person, or what the reader of that
            kind raises.

    >>> load_dataset("market")
    Traceback (most recent call last):
    paullite.errors.InputError: found the data set 'market'; expected market1501, duke, msmt17, folder, csv,
        paperdolls-source, paperdolls-target; did you mean market1501?
    """
    at_least_one(people=1 if people is None else people)
    dataset = _load(kind, root, lists, skip_unreadable)
    return dataset if people is None else dataset.first_people(people)


def _load(kind: str, root: str | Path, lists: Literal["train", "all"], skip_unreadable: bool) -> ReIDDataset:
    if kind not in KINDS:
        raise unknown_kind(kind)
    if kind not in READERS:
        if str(root):
            raise InputError(f"found {root} after {kind}", "expected nothing there, since drawn people need no folder")
        return PaperDolls(kind.removeprefix("paperdolls-"))
    if not str(root):
        raise InputError(f"found no folder for {kind}", "expected where it lies", f"for example: {kind} my/folder")
    options = {"lists": lists} if kind == "msmt17" else {}
    return READERS[kind](root, skip_unreadable=skip_unreadable, **options)
