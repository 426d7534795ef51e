"""From rows of (path, person, camera) to a data set: what every reader does once it has read the names."""

import re
import warnings
from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError
from .items import ReIDDataset, Row, Split
from .layouts import IMAGE_ENDINGS, check_command, find_unreadable, listed

Rows = dict[str, list[Row]]  # train, query and gallery -> the rows of their images
Entry = tuple[str, str, str]  # path, person and camera as they are written; "" where nothing is
Entries = dict[str, list[Entry]]
SPLITS = ("train", "query", "gallery")
PATTERN = r"(?P<pid>-?\d+)_c(?P<camid>\d+)"
SKIP = "pass --skip-unreadable (skip_unreadable=True)"


def name_pattern(pattern: str) -> re.Pattern[str]:
    """The user's name pattern, checked."""
    fault: object = "no group (?P<pid>...)"
    try:
        form = re.compile(pattern)
        if "pid" in form.groupindex:
            return form
    except re.error as error:
        fault = error
    expected = "expected a regular expression in which (?P<pid>...) is the identity"
    raise InputError(f"the pattern {pattern} has a mistake ({fault})", expected, f"the usual pattern is {PATTERN}")


def entry_of(file: Path, form: re.Pattern[str]) -> Entry:
    """Path, person and camera as the name has them; empty where it has not."""
    match = form.match(file.name)
    groups = match.groupdict() if match else {}
    camid = groups.get("camid") or ""
    if camid and not camid.isdecimal():
        found = f"found the camera {camid!r} in the name of {file}"
        raise InputError(found, "expected a number", "change the group (?P<camid>...) of the pattern")
    return str(file), groups.get("pid") or "", camid


def rows_of(entries: Entries) -> Rows:
    """Written people and cameras as numbers. Cameras count if every image has one: in train, and in the whole test."""
    number = person_numbers(pid for part in entries.values() for _, pid, _ in part)
    test = entries["query"] + entries["gallery"]
    rows = {}
    for split, part in entries.items():
        cameras = all(camid for _, _, camid in (part if split == "train" else test))
        rows[split] = [(path, number.get(pid), int(camid) if cameras else None) for path, pid, camid in part]
    return rows


def person_numbers(names: Iterable[str]) -> dict[str, int]:
    """A number for each written identity. Numbers stay; if any is a word, all are numbered in order; -1 stays junk.

    >>> person_numbers(["0012", "-1", "7"]), person_numbers(["eve", "-1", "adam"])
    ({'-1': -1, '0012': 12, '7': 7}, {'-1': -1, 'adam': 0, 'eve': 1})
    """
    known = sorted(set(names) - {""})
    if not all(re.fullmatch(r"-?[0-9]+", name) for name in known):
        return {"-1": -1} | {name: i for i, name in enumerate(name for name in known if name != "-1")}
    first: dict[int, str] = {}
    for name in known:
        if (other := first.setdefault(int(name), name)) != name:
            found = f"found the identities {other} and {name}, which are one number"
            raise InputError(found, "expected one way to write each person", "rename one of them")
    return {name: number for number, name in first.items()}


def build(name: str, kind: str, root: str | Path, rows: Rows, *, skip_unreadable: bool = False) -> ReIDDataset:
    """Rows as a data set, after a look at the files: empty ones are an error, or left out with a warning."""
    paths = paths_of(rows)
    bad = find_unreadable(paths, full=skip_unreadable)
    some = f"{len(bad)} of {len(paths)} images"
    first = listed((f"{path} ({why})" for path, why in bad.items()), 3)
    if bad and not skip_unreadable:
        do = f"replace the file or {SKIP}"
        raise InputError(f"cannot read {some}: {first}", "expected a whole picture in every file", do)
    if bad:
        warnings.warn(f"left out {some} that cannot be read: {first}", stacklevel=3)
    return assemble(name, kind, root, {split: [r for r in part if r[0] not in bad] for split, part in rows.items()})


def paths_of(rows: Rows) -> list[str]:
    """Every file once."""
    return list(dict.fromkeys(path for part in rows.values() for path, _, _ in part))


def assemble(name: str, kind: str, root: str | Path, rows: Rows) -> ReIDDataset:
    """Rows as a data set, without a look at the files."""
    see = f"see what is there with: {check_command(kind, root)}"
    return join(name, [Split.from_rows(rows[split]) for split in SPLITS], f"in {root}", see)


def join(name: str, splits: list[Split], where: str, do: str) -> ReIDDataset:
    """Train, query and gallery as a data set. Junk (-1) is of use in the gallery alone, so the others lose it."""
    train, query, gallery = (*(split.where(lambda pid: pid != -1) for split in splits[:2]), splits[2])
    if not len(train) + len(query) + len(gallery):
        raise InputError(f"found no images {where}", f"expected {', '.join(IMAGE_ENDINGS)}", do)
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
