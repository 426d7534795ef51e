"""A folder of images of one's own as a data set."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import InputError
from .items import ReIDDataset
from .layouts import existing_folder, image_files, listed, visible
from .rows import SPLITS, Entry, Rows, build, to_rows

PATTERN = r"(?P<pid>-?\d+)_c(?P<camid>\d+)"


def folder_rows(root: str | Path, pattern: str = PATTERN) -> Rows:
    """The rows of ``ImageFolder``."""
    top = existing_folder("folder", root)
    form = _compiled(pattern)
    folders = {split: top / split for split in SPLITS if (top / split).is_dir()} or {"train": top}
    entries = {split: _folder_entries(folder, form) for split, folder in folders.items()}
    for split in ("query", "gallery"):
        for entry in entries.get(split, []):
            if not entry.pid:
                expected = f"expected a name that begins like {pattern}, or one folder per person"
                raise InputError(
                    f"found no identity in the name of {entry.path}", expected, f"rename it, {split} needs it"
                )
    return to_rows("folder", Path(root), entries)


def _compiled(pattern: str) -> re.Pattern[str]:
    """The user's name pattern, checked."""
    do = f"the usual pattern is {PATTERN}"
    try:
        form = re.compile(pattern)
    except re.error as error:
        raise InputError(
            f"the pattern {pattern} has a mistake ({error})", "expected a regular expression", do
        ) from None
    if "pid" not in form.groupindex:
        raise InputError(
            f"found no group (?P<pid>...) in the pattern {pattern}", "expected it to name the identity", do
        )
    return form


def _folder_entries(folder: Path, form: re.Pattern[str]) -> list[Entry]:
    """The images of one split: all in the folder itself, or in one folder per person."""
    people = {name[:-1]: image_files(folder / name) for name in visible(folder) if name.endswith("/")}
    people = {name: files for name, files in people.items() if files}
    files = image_files(folder)
    if files and people:
        found = f"found images in {folder} and also in its folders {listed(people)}"
        do = "move the images, or write a table and use from_csv"
        raise InputError(found, "expected either images or one folder of images per person", do)
    named = [_parsed(file, form) for file in files]
    if any(e.pid for e in named) and not all(e.pid for e in named):
        odd = next(e.path for e in named if not e.pid)
        expected = f"expected every name in {folder} to begin like {form.pattern}, or none"
        raise InputError(f"found no identity in the name of {odd}", expected, "rename it, move it, or use from_csv")
    return named + [_parsed(f, form)._replace(pid=name) for name, files in people.items() for f in files]


def _parsed(file: Path, form: re.Pattern[str]) -> Entry:
    match = form.match(file.name)
    groups = match.groupdict() if match else {}
    camid = groups.get("camid") or ""
    if camid and not camid.isdecimal():
        found = f"found the camera {camid!r} in the name of {file}"
        raise InputError(found, "expected a number", "change the group (?P<camid>...) of the pattern")
    return Entry(str(file), groups.get("pid") or "", camid)


def ImageFolder(root: str | Path, pattern: str = PATTERN, *, skip_unreadable: bool = False) -> ReIDDataset:
    """A folder of one's own images.

    The folder holds ``train``, ``query`` and ``gallery`` folders, or just the images, which are then all for training.
    In each, who is on an image is told by one of two things:

    - the folder that it lies in, if there is one folder per person (names are numbered in alphabetic order);
    - otherwise the beginning of its name: ``0002_c3_17.jpg`` is person 2 in camera 3. -1 is junk.

    If no training image tells who it shows, the images are unlabelled: good for ``adapt`` and ``search``. If not every
    name tells the camera, there are no cameras: a warning says what that means for the scores.

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
    return build(Path(root).name or "folder", folder_rows(root, pattern), skip_unreadable=skip_unreadable)
