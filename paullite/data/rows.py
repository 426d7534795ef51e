"""From rows of (path, person, camera) to a data set: what every reader does once it has read the names."""

import os
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from ..errors import InputError, listed
from .items import ReIDDataset, Row, Split
from .layouts import SPLITS, check_command, find_unreadable

Rows = dict[str, list[Row]]  # train, query and gallery -> the rows of their images
Entry = tuple[str, str, str]  # path, person and camera as they are written; "" where nothing is
Entries = dict[str, list[Entry]]
PATTERN = r"(?P<pid>-?\d+)_c(?P<camid>\d+)"
SKIP = "pass --skip-unreadable (skip_unreadable=True)"


def name_pattern(pattern: str) -> re.Pattern[str]:
    """The user's name pattern, checked."""
    try:
        form = re.compile(pattern)
        form.groupindex["pid"]
    except (re.error, KeyError) as error:
        expected = "expected a regular expression in which (?P<pid>...) is the identity"
        found = f"the pattern {pattern} has a mistake ({error})"
        raise InputError(found, expected, f"the usual pattern is {PATTERN}") from None
    return form


def entry_of(file: Path, form: re.Pattern[str]) -> Entry:
    """Path, person and camera as the name has them; empty where it has not."""
    match = form.match(file.name)
    groups = match.groupdict() if match else {}
    return str(file), groups.get("pid") or "", groups.get("camid") or ""


def path_of(folder: Path, name: str) -> str:
    """A file that a table or list names, from its folder on, perhaps as Windows writes it."""
    path = folder / os.path.expanduser(name)
    return str(folder / name.replace("\\", "/") if "\\" in name and not path.exists() else path)


def rows_of(entries: Entries) -> Rows:
    """Written people and cameras as numbers. Cameras count if every image has one: in train, and in the whole test."""
    every = [entry for part in entries.values() for entry in part]
    person = numbers_of("identities", (pid for _, pid, _ in every))
    camera = numbers_of("cameras", (camid for _, _, camid in every))
    rows = {}
    for split, part in entries.items():
        known = all(camid for _, _, camid in (part if split == "train" else entries["query"] + entries["gallery"]))
        rows[split] = [(path, person.get(pid), camera[camid] if known else None) for path, pid, camid in part]
    return rows


def numbers_of(what: Literal["identities", "cameras"], names: Iterable[str]) -> dict[str, int]:
    """A number for each written identity or camera; a warning shows those of cameras.

    Numbers stay; if any is a word, or larger than 64 bits, all are numbered in order, and -1 stays junk.

    >>> numbers_of("identities", ["0012", "-1", "7"]), numbers_of("identities", ["eve", "-1", "adam"])
    ({'-1': -1, '0012': 12, '7': 7}, {'-1': -1, 'adam': 0, 'eve': 1})
    """
    known = sorted(set(names) - {""})
    if all(re.fullmatch(r"-?[0-9]+", name) and abs(int(name)) < 2**63 for name in known):
        last = {int(name): name for name in known}
        if what == "identities" and (twins := [name for name in known if last[int(name)] != name]):
            found = f"found the identities {twins[0]} and {last[int(twins[0])]}, which are one number"
            raise InputError(found, "expected one way to write each person", "rename one of them")
        return {name: int(name) for name in known}
    numbers = {"-1": -1} | {name: i for i, name in enumerate(name for name in known if name != "-1")}
    if what == "cameras":
        text = listed((f"{name} is {numbers[name]}" for name in known), 30)
        warnings.warn(f"cameras are numbered: {text}", stacklevel=5)
    return numbers


def build(name: str, kind: str, root: str | Path, rows: Rows, *, skip_unreadable: bool = False) -> ReIDDataset:
    """Rows as a data set, after a look at the files: empty ones are an error, or left out with a warning."""
    paths = paths_of(rows)
    bad = find_unreadable(paths, full=skip_unreadable)
    some = f"{len(bad)} of {len(paths)} images"
    first = listed((f"{path} ({why})" for path, why in bad.items()), 3)
    gone = list(bad.values()).count("missing") == len(paths)
    if bad and (gone or not skip_unreadable):
        do = "correct the names, none of which is that of a file" if gone else f"replace the file or {SKIP}"
        raise InputError(f"cannot read {some}: {first}", "expected a whole picture in every file", do)
    if bad:
        warnings.warn(f"left out {some} that cannot be read: {first}", stacklevel=3)
    return assemble(name, kind, root, {split: [r for r in part if r[0] not in bad] for split, part in rows.items()})


def paths_of(rows: Rows) -> list[str]:
    """Every file once."""
    return list(dict.fromkeys(path for part in rows.values() for path, _, _ in part))


def assemble(name: str, kind: str, root: str | Path, rows: Rows) -> ReIDDataset:
    """Rows as a data set, without a look at the files. A row that stands twice in a split, by any path, counts once."""
    kept: dict[str, dict[Row, Row]] = {split: {} for split in SPLITS}
    for split in SPLITS:
        for path, pid, camid in rows[split]:
            kept[split].setdefault((os.path.realpath(path), pid, camid), (path, pid, camid))
    if again := sum(len(rows[split]) - len(kept[split]) for split in SPLITS):
        warnings.warn(f"left out {again:,} rows that name an image again", stacklevel=4)
    splits = [Split.from_rows(kept[split].values()) for split in SPLITS]
    return join(name, splits, f"in {root}", f"see what is there with: {check_command(kind, root)}")


def join(name: str, splits: list[Split], where: str, do: str) -> ReIDDataset:
    """Train, query and gallery as a data set. Junk (-1) is of use in the gallery alone, so the others lose it."""
    train, query, gallery = (*(split.where(lambda pid: pid != -1) for split in splits[:2]), splits[2])
    if not len(train) + len(query) + len(gallery):
        raise InputError(f"found no images {where}", "expected .jpg, .png or what else Pillow reads", do)
    if bool(len(query)) != bool(len(gallery)):
        found = f"found {len(query)} query and {len(gallery)} gallery images {where}"
        raise InputError(found, "expected some of both, or none", f"add the other part; {do}")
    if train.identities == 1:
        found = f"found 1 identity among {len(train)} training images {where}"
        raise InputError(found, "expected 2 or more", "add images of other people, or correct the names")
    if train.pids is None:
        text = f"no identities in the training images {where}: they serve for adapt and search, not for pretrain"
        warnings.warn(text, stacklevel=5)
    if len(query) and (query.camids is None or gallery.camids is None):
        text = f"no camera numbers for all of query and gallery {where}: only the query's own file is left out of"
        warnings.warn(f"{text} its ranking, so another shot of the same moment counts as a hit", stacklevel=5)
    return ReIDDataset(name, train, query, gallery)
