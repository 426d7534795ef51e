"""Images listed in a CSV file as a data set."""

import csv
import os
import re
from pathlib import Path

from ..errors import InputError
from .items import EMPTY, ReIDDataset
from .layouts import SPLITS
from .rows import Entries, Rows, build, path_of, rows_of

COLUMNS = ("path", "pid", "camid", "split")
HEADER = ",".join(COLUMNS)


def from_csv(path: str | Path, *, skip_unreadable: bool = False) -> ReIDDataset:
    """A data set from a table with the columns ``path,pid,camid,split``, in any order; others are passed over.

    Args:
        path: the CSV file, with commas and UTF-8. In it, ``path`` is an image, relative to the table's own folder;
            ``pid`` and ``camid`` are numbers or names (pid -1 is junk; pids may be empty in every line of train,
            cameras in every line); ``split`` is train, query or gallery.
        skip_unreadable: open every image now and leave out, with a warning, those that are broken or missing.

    Raises:
        InputError: a wrong header or line (with its number), missing or empty image files, one person only.

    >>> from_csv("gone.csv")
    Traceback (most recent call last):
    paullite.errors.InputError: cannot read the table gone.csv (No such file or directory);
        expected a CSV file in UTF-8 with path,pid,camid,split; check path and form
    """
    return build(Path(path).stem, "csv", path, csv_rows(path), skip_unreadable=skip_unreadable)


def csv_rows(table: str | Path) -> Rows:
    """The rows of ``from_csv``."""
    path = Path(os.path.expanduser(table))
    entries: Entries = {split: [] for split in SPLITS}
    first: dict[str, tuple[int, bool]] = {}  # line of the first one in a group, and whether it has a value
    for line, row in _lines(path):
        where = f"{table} line {line}"
        _check(row, where)
        for column, group in (("camid", "all"), ("pid", row["split"])):
            start, had = first.setdefault(group, (line, bool(row[column])))
            if bool(row[column]) != had:
                found = f"{where} has {'no' if had else 'a'} {column}, unlike line {start}"
                raise InputError(found, f"expected a {column} in every line or in none", "fill it in, or empty all")
        entries[row["split"]].append((path_of(path.parent, row["path"]), row["pid"], row["camid"]))
    return rows_of(entries)


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and values of every row; blank lines are passed over."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            lines = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        found = f"cannot read the table {path} ({getattr(error, 'strerror', None) or error})"
        raise InputError(found, f"expected a CSV file in UTF-8 with {HEADER}", "check path and form") from None
    if missing := [name for name in COLUMNS if name not in names]:
        found = f"{path} line 1 is {','.join(names)[:80] or 'empty'}"
        raise InputError(found, f"expected the columns {HEADER}", f"add {', '.join(missing)}, with commas between")
    for line, values in lines:
        if len(values) != len(names):
            found = f"{path} line {line} has {len(values)} values"
            raise InputError(found, f"expected {len(names)}: {','.join(names)}", "put names with a comma in quotes")
    return [(line, _row(dict(zip(names, values, strict=True)))) for line, values in lines]


def _row(row: dict[str, str]) -> dict[str, str]:
    """The four values; in pid and camid nothing, or a whole number, in the ways in which other programs write it."""
    path, *names, split = (row[column].strip() for column in COLUMNS)
    pid, camid = ("" if name in EMPTY else re.sub(r"^(-?[0-9]+)\.0*$", r"\1", name) for name in names)
    return {"path": path, "pid": pid, "camid": camid, "split": split}


def _check(row: dict[str, str], where: str) -> None:
    if not row["path"]:
        raise InputError(f"{where} has no path", "expected an image file", "write it relative to the table")
    if row["split"] not in SPLITS:
        raise InputError(f"{where} has the split {row['split']!r}", f"expected {', '.join(SPLITS)}", "correct the line")
    if not row["pid"] and row["split"] != "train":
        raise InputError(f"{where} has no pid", f"expected who is on it, as it is in {row['split']}", "fill it in")
