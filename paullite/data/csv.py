"""Images listed in a CSV file as a data set."""

import csv
import os
import re
from pathlib import Path

from ..errors import InputError, listed
from .items import EMPTY, ReIDDataset
from .layouts import SPLITS
from .rows import Entries, Rows, build, path_of, rows_of

COLUMNS = ("path", "pid", "camid", "split")
HEADER = ",".join(COLUMNS)


def from_csv(path: str | Path, *, skip_unreadable: bool = False) -> ReIDDataset:
    """A data set from a CSV file with the columns ``path,pid,camid,split``, in any order; others are passed over.

    In it, ``path`` is an image, relative to the table's own folder; ``pid`` and ``camid`` are numbers or names (pid -1
    is junk; pids may be empty in every line of train, cameras in every line); ``split`` is train, query or gallery.
    With ``skip_unreadable`` every image is opened, and the broken ones are left out. An `InputError` has the line.

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
    for line, values in _lines(path):
        where = f"{table} line {line}"
        file, pid, camid, split = (values[column] for column in COLUMNS)
        pid, camid = ("" if name in EMPTY else re.sub(r"^(-?[0-9]+)\.0*$", r"\1", name) for name in (pid, camid))
        if not file:
            raise InputError(f"{where} has no path", "expected an image file", "write it relative to the table")
        if split not in SPLITS:
            raise InputError(f"{where} has the split {split!r}", f"expected {', '.join(SPLITS)}", "correct the line")
        if not pid and split != "train":
            raise InputError(f"{where} has no pid", f"expected who is on it, as it is in {split}", "fill it in")
        if re.fullmatch(r"-?[0-9]\.[0-9]+[eE]\+[0-9]+", pid):
            raise InputError(f"{where} has the rounded pid {pid}", "expected all of its digits", "write it as text")
        for column, name, group in (("camid", camid, "all"), ("pid", pid, split)):
            start, had = first.setdefault(group, (line, bool(name)))
            if bool(name) != had:
                found = f"{where} has {'no' if had else 'a'} {column}, unlike line {start}"
                raise InputError(found, f"expected a {column} in every line or in none", "fill it in, or empty all")
        entries[split].append((path_of(path.parent, file), pid, camid))
    return rows_of(entries)


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and values of every row; blank lines are passed over."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, [value.strip() for value in row]) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        found = f"cannot read the table {path} ({getattr(error, 'strerror', None) or error})"
        raise InputError(found, f"expected a CSV file in UTF-8 with {HEADER}", "check path and form") from None
    (_, names), *lines = rows or [(1, [])]
    if missing := [name for name in COLUMNS if name not in names]:
        found = f"{path} line 1 is {','.join(names)[:80] or 'empty'}"
        raise InputError(found, f"expected the columns {HEADER}", f"add {', '.join(missing)}, with commas between")
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise InputError(f"{path} line 1 has {listed(twice)} twice", f"expected the columns {HEADER}", "rename one")
    for line, values in lines:
        if any(values) and len(values) != len(names):
            found = f"{path} line {line} has {len(values)} values"
            raise InputError(found, f"expected {len(names)}: {','.join(names)}", "put names with a comma in quotes")
    return [(line, dict(zip(names, values, strict=True))) for line, values in lines if any(values)]
