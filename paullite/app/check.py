"""Is the data set whole? What lies in a folder beside what should, counts beside the published ones, broken images."""

import os
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..data import layouts
from ..data.items import ReIDDataset, content_keys
from ..data.layouts import SPLITS
from ..data.readers import ROWS, check_kind
from ..data.rows import SKIP, assemble, paths_of
from ..errors import InputError


class Count(NamedTuple):
    """One number of a split, and what was published (``None``: nothing)."""

    split: str
    what: str
    found: int
    published: int | None


@dataclass(frozen=True)
class CheckReport:
    """What a check found. ``str()`` of it is the text to print."""

    kind: str  #: what was checked
    root: str  #: where
    tree: tuple[str, ...]  #: lines that show the folders found beside those expected
    counts: tuple[Count, ...]  #: images, identities and cameras of each split, and queries with a match
    unreadable: dict[str, str]  #: broken files, path -> reason
    notes: tuple[str, ...]  #: warnings and remarks
    problem: str  #: why it cannot be read as this kind; empty if it can
    do: str  #: the command to type next
    opened: int  #: how many images were opened; 0 if only names and sizes were looked at

    @property
    def ok(self) -> bool:
        """Whether training can start: the layout is right and no image is broken."""
        return not self.problem and not self.unreadable

    def __str__(self) -> str:
        table = [f"{'split':9}{'what':14}{'found':>9}{'published':>12}"] if self.counts else []
        for split, what, found, published in self.counts:
            beside = "" if published is None else f"{published:>12,}" + ("" if found == published else "  differs")
            table.append(f"{split:9}{what:14}{found:>9,}{beside}")
        table += [f"Note: {note}" for note in self.notes]
        return "\n".join([f"Data check: {self.kind} in {self.root}", *self.tree, *table, *_conclusion(self)])


def check_dataset(kind: str, root: str | Path, *, full: bool = True) -> CheckReport:
    """Look at a data set from end to end before hours of training are spent on it.

    Counts that differ from the published ones are no fault: a subset is fine. A wrong layout is no exception here, but
    one of the report's problems. With ``full`` every image is opened (ten seconds to some minutes); otherwise only
    names and sizes are looked at. A kind other than market1501, duke, msmt17, folder and csv is an `InputError`.

    >>> report = check_dataset("market1501", "no/such/folder")
    >>> report.ok, report.problem, report.counts
    (False, 'found no folder no/such/folder; expected the folder with the images; check the path for typos', ())
    """
    if kind.startswith("paperdolls-"):
        raise InputError(f"{kind} is drawn, not read", f"expected {', '.join(ROWS)}", "go on, nothing needs a check")
    check_kind(kind)
    bad: dict[str, str] = {}
    paths: list[str] = []
    counts: list[Count] = []
    notes: list[str] = []
    problem = ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            rows = ROWS[kind](root)
            paths = paths_of(rows)
            bad = layouts.find_unreadable(paths, full=full)
            data = assemble(kind, kind, root, rows)
            splits = data.train, data.query, data.gallery
            keys = content_keys(*splits) if full else [list(map(os.path.realpath, split.paths)) for split in splits]
            counts += _counts(kind, data, _matched(data, *keys[1:]))
            notes = [*_copies(*keys), *filter(None, [layouts.REMARKS.get(kind)])]
        except InputError as error:
            problem = str(error)
    notes = [*(str(warning.message) for warning in caught), *notes]
    if bad and list(bad.values()).count("missing") == len(paths):
        problem = f"found none of the files, the first {paths[0]}; correct their names or the folder in front"
    do = layouts.check_command(kind, root) if problem else _next_command(kind, root, counts, bool(bad))
    opened, tree = len(paths) * full, tuple(_tree(kind, root))
    return CheckReport(kind, str(root), tree, tuple(counts), bad, tuple(notes), problem, do, opened)


def _matched(data: ReIDDataset, query: list[str], gallery: list[str]) -> int:
    """How many queries have a match: their person by another camera, or without cameras in another image."""
    cameras = data.query.camids, data.gallery.camids
    asked, there = (query, gallery) if None in cameras else cameras
    places = defaultdict(set)
    for pid, place in zip(data.gallery.pids or (), there or (), strict=True):
        places[pid].add(place)
    return sum(bool(places[pid] - {place}) for pid, place in zip(data.query.pids or (), asked or (), strict=True))


def _copies(train: list[str], query: list[str], gallery: list[str]) -> Iterator[str]:
    """What to say of images that stand in two places, by any path."""
    test = {*query, *gallery}
    if leak := len(test.intersection(train)):
        yield f"{leak:,} of {len(test):,} test images are also in train, so the scores will be too high"
    if both := len(set(query).intersection(gallery)):
        yield f"{both:,} of {len(set(query)):,} query images are also in the gallery"
    for name, keys in zip(SPLITS, (train, query, gallery), strict=True):
        if again := len(keys) - len(set(keys)):
            yield f"{again:,} of {len(keys):,} {name} images are copies of others there"


def _counts(kind: str, data: ReIDDataset, matched: int) -> Iterator[Count]:
    published = layouts.PUBLISHED.get(kind, {})
    queried = set(data.query.pids or ())
    for name in SPLITS:
        split = getattr(data, name)
        people = [pid for pid in split.pids or () if pid != -1]
        strangers = sum(pid not in queried for pid in people)
        numbers = [len(split), split.identities, len(set(split.camids or ())), len(split) - len(people), len(people)]
        found = dict(zip(layouts.COUNTED, [*numbers, strangers][: 6 if name == "gallery" else 3], strict=False))
        found |= {"with a match": matched} if name == "query" else {}
        yield from (Count(name, k, n, published.get(name, {}).get(k)) for k, n in found.items() if len(split))
    if kind == "msmt17":  # all lists together are the paper's source; train and test both number people from 0
        everybody = data.train.identities + len(queried.union(data.gallery.pids or ()))
        yield Count("all", "images", sum(map(len, (data.train, data.query, data.gallery))), published["all"]["images"])
        yield Count("all", "identities", everybody, published["all"]["identities"])


def _next_command(kind: str, root: str | Path, counts: list[Count], bad: bool) -> str:
    """What to type next: learn from a source, adapt to a target, or evaluate where nothing can be learned from."""
    learns = any(count.split == "train" for count in counts)
    command = "pretrain" if kind == "msmt17" else "adapt" if learns else "evaluate"
    needs = {"pretrain": "", "adapt": " --start FILE", "evaluate": " --net FILE"}[command]
    return f"paullite {command} {kind} {layouts.quoted(root)}{needs}{' --skip-unreadable' * bad}"


def _tree(kind: str, root: str | Path) -> Iterator[str]:
    """The folder as it is, each expected name marked ok or MISSING."""
    top = Path(os.path.expanduser(root))
    if not top.is_dir():
        yield f"{root}: {'a file' if top.is_file() else 'not there'}"
        return
    folder, expected = _place(kind, top)
    yield f"{folder}{os.sep}"
    there = {name.rstrip("/"): name for name in layouts.visible(folder)}
    for name in expected:
        yield f"  {'ok' if name in there else 'MISSING':9}{_described(folder, there.get(name, name))}"
    rest = [_described(folder, name) for name in there.values() if name.rstrip("/") not in expected]
    more = [f"{len(rest) - 5:,} more"] if rest[5:] else []
    yield from (f"  {'not used' if expected else 'found':9}{text}" for text in [*rest[:5], *more])


def _place(kind: str, top: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder to draw and the names to expect in it; in a wrong layout, those of which most are there."""
    with suppress(InputError):
        if kind in layouts.LAYOUTS:
            return layouts.locate(kind, top)
        if kind == "folder" and (splits := layouts.split_folders(top)):
            return top, tuple(splits.get(name, Path(name)).name for name in SPLITS)
    return top, max(layouts.LAYOUTS.get(kind, ((),)), key=lambda names: sum((top / name).exists() for name in names))


def _described(folder: Path, name: str) -> str:
    """A name, with the images in it if it is a folder."""
    if (folder / name).is_dir():
        return f"{name.rstrip('/') + '/':22}{layouts.images_below(folder / name):>9,} images"
    return name if name.endswith((".txt", "/")) or (folder / name).exists() else name + "/"


def _conclusion(report: CheckReport) -> list[str]:
    if report.problem:
        return [f"Problem: {report.problem}", f"Next: correct it, then {report.do}"]
    looked = f"{report.opened:,} images opened" if report.opened else "names and sizes only, no image opened"
    broken = [f"  {path}: {why}" for path, why in report.unreadable.items()]
    more = [f"  and {len(broken) - 10:,} more"] if broken[10:] else []
    advice = [f"Replace the broken files, or {SKIP}."] if broken else []
    return [f"Unreadable: {len(broken):,} ({looked})", *broken[:10], *more, *advice, f"Next: {report.do}"]
