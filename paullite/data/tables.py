"""Images listed in a CSV file as a data set."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from ..errors import InputError
from .items import ReIDDataset
from .rows import SPLITS, Entry, Rows, build, to_rows

COLUMNS = ("path", "pid", "camid", "split")


def csv_rows(path: str | Path) -> Rows:
    """The rows of ``from_csv``."""
    entries: dict[str, list[Entry]] = {split: [] for split in SPLITS}
    first: dict[str, tuple[int, bool]] = {}
    for line, row in _csv_lines(Path(path).expanduser()):
        where = f"{path} line {line}"
        _check_row(row, where)
        _same_as_first("a camid", bool(row["camid"]), line, first, "all", where)
        _same_as_first("a pid", bool(row["pid"]), line, first, row["split"], where)
        file = Path(path).expanduser().parent / row["path"]
        entries[row["split"]].append(Entry(str(file), row["pid"], row["camid"]))
    return to_rows("csv", Path(path), entries)


def _csv_lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and values of every row; blank lines are passed over."""
    header = ",".join(COLUMNS)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            lines = [(reader.line_num, [value.strip() for value in row]) for row in reader if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        found = f"cannot read the table {path} ({getattr(error, 'strerror', None) or error})"
        raise InputError(found, f"expected a CSV file in UTF-8 with {header}", "check path and form") from None
    return [(line, _by_column(path, line, names, values)) for line, values in [(1, names), *lines]][1:]


def _by_column(path: Path, line: int, names: list[str], values: list[str]) -> dict[str, str]:
    if missing := [name for name in COLUMNS if name not in names]:
        found = f"{path} line 1 is {','.join(names)[:80] or 'empty'}"
        do = f"add {', '.join(missing)}, with commas between"
        raise InputError(found, f"expected the columns {','.join(COLUMNS)}", do)
    if len(values) != len(names):
        found = f"{path} line {line} has {len(values)} values"
        raise InputError(found, f"expected {len(names)}: {','.join(names)}", "put names with a comma in quotes")
    return dict(zip(names, values, strict=True))


def _check_row(row: dict[str, str], where: str) -> None:
    if not row["path"]:
        raise InputError(f"{where} has no path", "expected an image file", "write it relative to the table")
    if row["split"] not in SPLITS:
        raise InputError(f"{where} has the split {row['split']!r}", f"expected {', '.join(SPLITS)}", "correct the line")
    if row["camid"] and not re.fullmatch(r"[0-9]+", row["camid"]):
        raise InputError(
            f"{where} has the camid {row['camid']!r}", "expected a number or nothing", "number the cameras"
        )
    if not row["pid"] and row["split"] != "train":
        raise InputError(f"{where} has no pid", f"expected who is on it, as it is in {row['split']}", "fill it in")


def _same_as_first(what: str, has: bool, line: int, first: dict[str, tuple[int, bool]], group: str, where: str) -> None:
    """Raise unless this line has (or lacks) the value as the first line of its group does."""
    start, had = first.setdefault(f"{what} {group}", (line, has))
    if has != had:
        found = f"{where} has {what if has else 'no' + what[1:]}, unlike line {start}"
        raise InputError(found, f"expected {what} in every line or in none", "fill it in, or empty the column")


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
    return build(Path(path).stem, csv_rows(path), skip_unreadable=skip_unreadable)
