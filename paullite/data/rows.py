"""From rows of (path, identity, camera) to a data set: what every reader does once it has read the names."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError
from .items import ReIDDataset, Split
from .layouts import IMAGE_ENDINGS, check_command, listed
from .unreadable import find_unreadable

Row = tuple[str, int | None, int | None]  # path, identity (None: not known), camera (None: there is none)
SKIP = "pass --skip-unreadable (skip_unreadable=True)"
SPLITS = ("train", "query", "gallery")


@dataclass(frozen=True)
class Rows:
    """What a reader found, before any file is looked into."""

    kind: str  # as in load_dataset
    root: Path  # as the user gave it
    train: list[Row]
    query: list[Row]
    gallery: list[Row]

    @property
    def paths(self) -> list[str]:
        """Every file once."""
        return list(dict.fromkeys(row[0] for row in self.train + self.query + self.gallery))

    def only(self, keep: Callable[[Row], bool]) -> Rows:
        """The rows for which ``keep`` is true."""
        train, query, gallery = ([r for r in rows if keep(r)] for rows in (self.train, self.query, self.gallery))
        return replace(self, train=train, query=query, gallery=gallery)

    def see(self) -> str:
        """What to do next, for a message."""
        return "see what is there with: " + check_command(self.kind, self.root)


class Entry(NamedTuple):
    """An image with identity and camera as they are written; empty if they are not."""

    path: str
    pid: str
    camid: str


def to_rows(kind: str, root: Path, entries: dict[str, list[Entry]]) -> Rows:
    """Entries as rows. Numbers stay as they are; if any identity is a name, all are numbered in alphabetic order.

    Cameras count only if every image has one: in train, and in query and gallery together.
    """
    train, query, gallery = (entries.get(split, []) for split in SPLITS)
    number = number_names(entry.pid for entry in train + query + gallery)
    learn, test = (all(entry.camid for entry in part) for part in (train, query + gallery))
    row = lambda e, cameras: (e.path, number.get(e.pid), int(e.camid) if cameras else None)  # noqa: E731
    parts = [[row(e, cameras) for e in part] for part, cameras in ((train, learn), (query, test), (gallery, test))]
    return Rows(kind, root, *parts)


def number_names(names: Iterable[str]) -> dict[str, int]:
    """Written identities as numbers, the same for every split; -1 stays junk.

    >>> number_names(["0012", "-1", "7"]), number_names(["eve", "-1", "adam"])
    ({'-1': -1, '0012': 12, '7': 7}, {'-1': -1, 'adam': 0, 'eve': 1})
    """
    known = sorted(set(names) - {""})
    if all(re.fullmatch(r"-?[0-9]+", name) for name in known):
        return {name: int(name) for name in known}
    people = [name for name in known if name != "-1"]
    return {"-1": -1} | {name: i for i, name in enumerate(people)}


def build(name: str, rows: Rows, *, skip_unreadable: bool = False) -> ReIDDataset:
    """Rows as a data set, after a look at the files: empty ones are an error, or left out with a warning."""
    bad = find_unreadable(rows.paths, full=skip_unreadable)
    first = listed((f"{path} ({why})" for path, why in bad.items()), 3)
    if bad and not skip_unreadable:
        found = f"cannot read {len(bad)} of {len(rows.paths)} images: {first}"
        raise InputError(found, "expected a whole picture in every file", f"replace the file or {SKIP}")
    if bad:
        warnings.warn(f"left out {len(bad)} of {len(rows.paths)} images that cannot be read: {first}", stacklevel=3)
    return assemble(name, rows.only(lambda row: row[0] not in bad))


def assemble(name: str, rows: Rows) -> ReIDDataset:
    """Rows as a data set. Junk (-1) is of use in the gallery alone, so it is left out of train and query."""
    train = to_split([r for r in rows.train if r[1] != -1])
    query = to_split([r for r in rows.query if r[1] != -1])
    gallery = to_split(rows.gallery)
    if not len(train) and not len(query) + len(gallery):
        raise InputError(f"found no images in {rows.root}", f"expected {', '.join(IMAGE_ENDINGS)}", rows.see())
    if bool(len(query)) != bool(len(gallery)):
        found = f"found {len(query)} query and {len(gallery)} gallery images in {rows.root}"
        raise InputError(found, "expected some of both, or none", "add the other part; " + rows.see())
    if train.pids is not None and train.identities == 1:
        found = f"found 1 identity among {len(train)} training images in {rows.root}"
        raise InputError(found, "expected 2 or more", "add images of other people, or correct the names")
    _warn_of_gaps(rows.root, train, query, gallery)
    return ReIDDataset(name, train, query, gallery)


def _warn_of_gaps(root: Path, train: Split, query: Split, gallery: Split) -> None:
    """Say in one line each what cannot be done without identities or without cameras."""
    if train.pids is None:
        text = f"no identities in the training images of {root}: they serve for adapt and search, not for pretrain"
        warnings.warn(text, stacklevel=5)
    if len(query) and (query.camids is None or gallery.camids is None):
        text = f"no camera numbers for all of query and gallery in {root}: only the query's own file is left out of"
        warnings.warn(text + " its ranking, so another shot of the same moment counts as a hit", stacklevel=5)


def to_split(rows: list[Row]) -> Split:
    """Rows as a split; without identities if none is known."""
    split = Split.from_rows((path, -1 if pid is None else pid, camid) for path, pid, camid in rows)
    return split.unlabelled() if any(pid is None for _, pid, _ in rows) else split
