"""Files that are whole or not there, and folders that are known to be writable."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from .errors import InputError

Row = dict[str, float]


class replacing:  # reads as a verb: with replacing(path) as temporary
    """Write to a temporary file beside ``path``; it takes the place of ``path`` only if all went well.

    The bytes are on the disk before the name changes, so that a power cut leaves the old file or the new one.

    Raises:
        InputError: the disk is full or the folder cannot be written. What stood at ``path`` stays.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.temporary = path, path.with_name(path.name + ".part")

    def __enter__(self) -> Path:
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                flush(self.temporary)
                self.temporary.replace(self.path)
                return
        except OSError as late:  # some disks say only now that they are full
            error = late
        self.temporary.unlink(missing_ok=True)
        if isinstance(error, OSError | SafetensorError):
            raise InputError(
                f"cannot write {self.path} ({error})",
                "expected a folder with room that may be written",
                "free some room or choose another --output",
            ) from None


def flush(path: Path) -> None:
    """See that what was written to a file is on the disk."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def remove(paths: Iterable[Path]) -> None:
    """Remove files that may be there.

    Raises:
        InputError: another program has one open, on Windows.
    """
    try:
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot remove an older file ({error})", "expected it closed", "close it, try again"
        ) from None


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Rows as CSV with the columns given and those that the rows have beside; the file is replaced whole.

    A file name that is no UTF-8 keeps its bytes.
    """
    names = dict.fromkeys([*columns, *(name for row in rows for name in row)])
    with (
        replacing(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.DictWriter(file, list(names))
        writer.writeheader()
        writer.writerows(rows)


def read_history(path: str | Path) -> list[Row]:
    """Rows of a ``history.csv``, given as the file or its folder; empty cells are left out.

    Raises:
        InputError: there is no such file.
    """
    path = Path(path) / "history.csv" if Path(path).is_dir() else Path(path)
    if not path.is_file():
        raise InputError(f"found no file {path}", "expected the history.csv of a run", "give the --output of a run")
    with open(path, newline="", encoding="utf-8") as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]


def writable_folder(path: str | Path) -> Path:
    """Make a folder and see that it can be written.

    Raises:
        InputError: it cannot.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".write-test").touch()
        (folder / ".write-test").unlink()
    except OSError as error:
        raise InputError(
            f"cannot write to {folder} ({error.strerror})",
            "expected a folder that may be written",
            "choose another --output",
        ) from None
    return folder
