"""Is the data set whole? What lies in a folder beside what should, counts beside the published ones, broken images."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..data.folder import folder_rows
from ..data.items import ReIDDataset, Split
from ..data.layouts import DUKE, IMAGE_ENDINGS, MARKET, MSMT, PUBLISHED, REMARKS, check_command, locate, quoted, visible
from ..data.readers import bounding_box_rows, msmt17_rows, unknown_kind
from ..data.rows import SKIP, SPLITS, Rows, assemble
from ..data.tables import csv_rows
from ..data.unreadable import find_unreadable
from ..errors import InputError

ROWS: dict[str, Callable[[str | Path], Rows]] = {
    "market1501": lambda root: bounding_box_rows(MARKET, root),
    "duke": lambda root: bounding_box_rows(DUKE, root),
    "msmt17": msmt17_rows,
    "folder": folder_rows,
    "csv": csv_rows,
}
LAYOUTS = {"market1501": MARKET, "duke": DUKE, "msmt17": MSMT}


class Count(NamedTuple):
    """One number of a split, and what was published (``None``: nothing)."""

    split: str
    what: str
    found: int
    published: int | None


@dataclass(frozen=True)
class CheckReport:
    """What a check found. ``str()`` of it is the text to print.

    Attributes:
        kind, root: what was checked.
        tree: lines that show the folders found beside those expected.
        counts: images, identities and cameras of each split.
        unreadable: broken files, path -> reason.
        notes: warnings and remarks.
        problem: why it cannot be read as this kind; empty if it can.
        do: the command to type next.
        opened: how many images were opened; 0 if only names and sizes were looked at.
    """

    kind: str
    root: str
    tree: tuple[str, ...]
    counts: tuple[Count, ...]
    unreadable: dict[str, str]
    notes: tuple[str, ...]
    problem: str
    do: str
    opened: int

    @property
    def ok(self) -> bool:
        """Whether training can start: the layout is right and no image is broken."""
        return not self.problem and not self.unreadable

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def check_dataset(kind: str, root: str | Path, *, full: bool = True) -> CheckReport:
    """Look at a data set from end to end before hours of training are spent on it.

    Counts that differ from the published ones are shown as such and are no fault: a subset is fine.

    Args:
        kind: market1501, duke, msmt17, folder or csv.
        root: its folder, or the CSV file.
        full: open every image (ten seconds to some minutes); otherwise only names and sizes are looked at.

    Returns:
        The report. A wrong layout is no exception here; it stands in the report, whose ``ok`` is then False.

    Raises:
        InputError: an unknown kind.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as root:
    ...     for name in ("0001_c1.png", "0002_c2.png"):
    ...         Image.new("RGB", (8, 16)).save(Path(root, name))
    ...     report = check_dataset("folder", root)
    >>> report.ok, report.counts[0]
    (True, Count(split='train', what='images', found=2, published=None))
    """
    if kind.startswith("paperdolls-"):
        raise InputError(f"{kind} is drawn, not read", f"expected {', '.join(ROWS)}", "go on, nothing needs a check")
    if kind not in ROWS:
        raise unknown_kind(kind)
    bad: dict[str, str] = {}
    counts: tuple[Count, ...] = ()
    problem, opened = "", 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            rows = ROWS[kind](root)
            opened = len(rows.paths) if full else 0
            bad = find_unreadable(rows.paths, full=full)
            counts = tuple(_counts(kind, assemble(kind, rows)))
        except InputError as error:
            problem = str(error)
    notes = tuple(str(w.message) for w in caught) + ((REMARKS[kind],) if counts and kind in REMARKS else ())
    do = _next_command(kind, root, counts, bool(bad), bool(problem))
    return CheckReport(kind, str(root), tuple(_tree(kind, root)), counts, bad, notes, problem, do, opened)


def _counts(kind: str, data: ReIDDataset) -> Iterator[Count]:
    published = PUBLISHED.get(kind, {})
    queried = set(data.query.pids or ())
    for name in SPLITS:
        found = _numbers(getattr(data, name), queried if name == "gallery" else None)
        yield from (Count(name, what, number, published.get(name, {}).get(what)) for what, number in found.items())
    if kind == "msmt17":  # all lists together are the paper's source; train and test both number people from 0
        images = len(data.train) + len(data.query) + len(data.gallery)
        people = data.train.identities + len(queried.union(data.gallery.pids or ()))
        yield Count("all", "images", images, published["all"]["images"])
        yield Count("all", "identities", people, published["all"]["identities"])


def _numbers(split: Split, queried: set[int] | None) -> dict[str, int]:
    """Images, identities and cameras of a split; of a gallery also those that no query looks for."""
    if not len(split):
        return {}
    pids = split.pids or ()
    found = {"images": len(split), "identities": split.identities, "cameras": len(set(split.camids or ()))}
    if queried is None:
        return found
    junk = pids.count(-1)
    others = sum(pid != -1 and pid not in queried for pid in pids)
    return found | {"junk": junk, "not junk": len(pids) - junk, "distractors": others}


def _next_command(kind: str, root: str | Path, counts: tuple[Count, ...], bad: bool, problem: bool) -> str:
    """What to type next: correct and check again, learn from a source, or adapt to a target."""
    if problem:
        return check_command(kind, root)
    skip = " --skip-unreadable" if bad else ""
    if kind == "msmt17":
        return f"paullite pretrain {kind} {quoted(root)}{skip}"
    if not any(count.split == "train" for count in counts):
        return f"paullite evaluate {kind} {quoted(root)} --net FILE{skip}"
    return f"paullite adapt {kind} {quoted(root)} --start FILE{skip}"


def _tree(kind: str, root: str | Path) -> Iterator[str]:
    """The folder as it is, each expected name marked ok or MISSING."""
    top = Path(root).expanduser()
    if not top.is_dir():
        yield f"{root}: {'a file' if top.is_file() else 'not there'}"
        return
    folder, expected = _place(kind, top)
    yield f"{folder}{os.sep}"
    there = {name.rstrip("/"): name for name in visible(folder)}
    for name in expected:
        yield f"  {'ok' if name in there else 'MISSING':9}{_described(folder, there.get(name, name))}"
    rest = [name for name in there.values() if name.rstrip("/") not in expected]
    mark = "not used" if expected else "found"
    yield from (f"  {mark:9}{_described(folder, name)}" for name in rest[:5])
    if rest[5:]:
        yield f"  {mark:9}{len(rest) - 5:,} more"


def _place(kind: str, top: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder to draw and the names to expect in it; in a wrong layout, those of which most are there."""
    if kind not in LAYOUTS:
        splits = tuple(name for name in SPLITS if (top / name).is_dir())
        return top, SPLITS if kind == "folder" and splits else ()
    try:
        return locate(LAYOUTS[kind], top)
    except InputError:
        return top, max(LAYOUTS[kind].choices, key=lambda names: sum((top / name).exists() for name in names))


def _described(folder: Path, name: str) -> str:
    """A name, with the images in it if it is a folder."""
    if not (folder / name).is_dir():
        return name if name.endswith((".txt", "/")) or (folder / name).exists() else name + "/"
    files = (file for _, _, names in os.walk(folder / name) for file in names if not file.startswith("."))
    images = sum(file.lower().endswith(IMAGE_ENDINGS) for file in files)
    return f"{name.rstrip('/') + '/':22}{images:>9,} images"


def _lines(report: CheckReport) -> Iterator[str]:
    yield f"Data check: {report.kind} in {report.root}"
    yield from report.tree
    if report.counts:
        yield f"{'split':9}{'what':14}{'found':>9}{'published':>12}"
    for split, what, found, published in report.counts:
        beside = "" if published is None else f"{published:>12,}" + ("" if found == published else "  differs")
        yield f"{split:9}{what:14}{found:>9,}{beside}"
    yield from (f"Note: {note}" for note in report.notes)
    yield from _verdict(report)


def _verdict(report: CheckReport) -> Iterator[str]:
    if report.problem:
        yield f"Problem: {report.problem}"
        yield f"Next: correct it, then {report.do}"
        return
    looked = f"{report.opened:,} images opened" if report.opened else "names and sizes only, no image opened"
    yield f"Unreadable: {len(report.unreadable):,} ({looked})"
    yield from (f"  {path}: {why}" for path, why in list(report.unreadable.items())[:10])
    if len(report.unreadable) > 10:
        yield f"  and {len(report.unreadable) - 10:,} more"
    if report.unreadable:
        yield f"Replace the broken files, or {SKIP}."
    yield f"Next: {report.do}"
