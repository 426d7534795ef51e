"""Images listed in a CSV file as a data set."""

from __future__ import annotations

import csv
from pathlib import Path

from ..errors import InputError
from .items import ReIDDataset
from .rows import SPLITS, Entries, Rows, build, rows_of

COLUMNS = ("path", "pid", "camid", "split")
HEADER = ",".join(COLUMNS)


def csv_rows(table: str | Path) -> Rows:
    """The rows of ``from_csv``."""
    path = Path(table).expanduser()
    entries: Entries = {split: [] for split in SPLITS}
    first: dict[tuple[str, str], tuple[int, bool]] = {}  # line of the first one in a group, and whether it has a value
    for line, row in _lines(path):
        where = f"{table} line {line}"
        _check(row, where)
        for column, group in (("camid", "all"), ("pid", row["split"])):
            start, had = first.setdefault((column, group), (line, bool(row[column])))
            if bool(row[column]) != had:
                found = f"{where} has {'no' if had else 'a'} {column}, unlike line {start}"
                expected = f"expected a {column} in every line or in none"
                raise InputError(found, expected, "fill it in, or empty the column")
        entries[row["split"]].append((str(path.parent / row["path"]), row["pid"], row["camid"]))
    return rows_of(entries)


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and values of every row; blank lines are passed over."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            lines = [(reader.line_num, [value.strip() for value in row]) for row in reader if any(row)]
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
    return [(line, dict(zip(names, values, strict=True))) for line, values in lines]


def _check(row: dict[str, str], where: str) -> None:
    camid = row["camid"]
    if not row["path"]:
        raise InputError(f"{where} has no path", "expected an image file", "write it relative to the table")
    if row["split"] not in SPLITS:
        raise InputError(f"{where} has the split {row['split']!r}", f"expected {', '.join(SPLITS)}", "correct the line")
    if camid and not (camid.isascii() and camid.isdecimal()):
        raise InputError(f"{where} has the camid {camid!r}", "expected a number or nothing", "number the cameras")
    if not row["pid"] and row["split"] != "train":
        raise InputError(f"{where} has no pid", f"expected who is on it, as it is in {row['split']}", "fill it in")


def from_csv(path: str | Path, *, skip_unreadable: bool = False) -> ReIDDataset:
    """A data set from a table with the columns ``path,pid,camid,split`` (in any order; others are passed over).

    Args:
        path: the CSV file, with commas and UTF-8. In it, ``path`` is an image, relative to the table's own folder;
            ``pid`` a number or a name (-1 is junk; empty in every line of train: unlabelled); ``camid`` a number,
            or empty in every line; ``split`` is train, query or gallery.
        skip_unreadable: open every image now and leave out, with a warning, those that are broken or missing.

    Returns:
        The data set, in the order of the table.

    Raises:
        InputError: a wrong header or line (with its number), missing or empty image files, one person only.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("1.png", "2.png"):
    ...         Image.new("RGB", (8, 16)).save(Path(root, name))
    ...     table = Path(root, "people.csv")
    ...     _ = table.write_text("path,pid,camid,split\\n1.png,adam,1,train\\n2.png,eve,2,train\\n")
    ...     data = from_csv(table)
    >>> data.train.pids, data.train.camids
    ((0, 1), (1, 2))
    """
    return build(Path(path).stem, "csv", path, csv_rows(path), skip_unreadable=skip_unreadable)
