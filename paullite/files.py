"""Files that are whole or not there, and folders that are known to be writable."""

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from .errors import InputError

Row = dict[str, float]


def expanded(path: str | Path) -> Path:
    """A path with ``~`` written out, which a shell leaves as it is in ``--output=~/runs``.

    Where the user has no home folder, as in some containers, it is an `InputError`.

    >>> expanded("~/runs") == Path.home() / "runs"
    True
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        do = "write the path without ~, or set HOME"
        raise InputError(f"found {path} and no home folder", "expected one in place of ~", do) from None


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write to a temporary file beside ``path``; it takes the place of ``path`` only if all went well.

    The bytes are on the disk before the name changes, so that a power cut leaves the old file or the new one. A full
    disk, and a file that another program has open, on Windows, is an `InputError`; what stood at ``path`` stays.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, SafetensorError) as error:  # some disks say only at the end that they are full
        expected = "expected a folder with room that may be written, and no other program that has the file open"
        do = "free some room or choose another --output"
        raise InputError(f"cannot write {path} ({error})", expected, do) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove(paths: Iterable[Path]) -> None:
    """Remove files that may be there; an `InputError` if another program has one open, on Windows."""
    try:
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        found = f"cannot remove an older file ({error})"
        raise InputError(found, "expected it closed", "close it, try again") from None


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
    """Rows of a ``history.csv``, given as the file or its folder; empty cells are left out."""
    path = expanded(path)
    path = path / "history.csv" if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"found no file {path}", "expected the history.csv of a run", "give the --output of a run")
    with open(path, newline="", encoding="utf-8") as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]


def writable_folder(path: str | Path) -> Path:
    """Make a folder, ``~`` written out, and see that it can be written; an `InputError` if it cannot."""
    folder = expanded(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        found = f"cannot write to {folder} ({error.strerror})"
        raise InputError(found, "expected a folder that may be written", "choose another --output") from None
    return folder
