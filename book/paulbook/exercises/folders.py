"""Folders of pictures for exercise 11.1: a fixed one, drawn ones, and what a table of them should hold."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from itertools import zip_longest
from typing import Any

from ..agreement import Draw

TEST = {7, 8, 9, 10}
COUNTS = {  # who, where: pictures
    ("01", "gate"): 2, ("01", "hall"): 1, ("02", "hall"): 2, ("03", "door"): 1, ("12", "gate"): 2,
    ("07", "gate"): 3, ("07", "hall"): 2, ("08", "gate"): 3, ("09", "hall"): 2, ("09", "gate"): 1,
    ("09", "door"): 1, ("10", "gate"): 1, ("10", "hall"): 1, ("xx", "hall"): 2, ("xx", "gate"): 1,
}  # fmt: skip
NAMES = [  # in an order that no folder would have
    f"{who}_{where}_{n:03d}.jpg" for n in (1, 2, 0) for (who, where), count in COUNTS.items() if n < count
]
QUERIES = {"07_gate_000.jpg", "07_hall_000.jpg", "09_hall_000.jpg"}

ELSEWHERE = [f"0{person}_{where}_000.jpg" for person in (1, 2) for where in ("garden", "gate", "yard", "cellar")]

MARK = "\ufeff"  # what Excel writes at the beginning of a file
Lines = list[dict[str, str]]


def rows_of(text: str) -> Lines:
    """The rows of a CSV text, as the library reads them: quotes, blanks and a byte order mark are no part of them."""
    header, *rows = [
        [value.strip() for value in row] for row in csv.reader(io.StringIO(text.removeprefix(MARK))) if row
    ]
    return [dict(zip_longest(header, row)) for row in rows]


Entry = tuple[str, int, str, frozenset[str]]  # path, pid, split, all pictures by the same camera
LINES = "Follow one picture of each kind: of a test person, of somebody else, and a bad box."


def picture_by_picture(names: Sequence[str], test: Collection[int]) -> list[Entry]:
    """The rules of the exercise, asked of each picture by itself."""
    found = []
    for name in sorted(names):
        person, camera, _ = name.split("_")
        own = sorted(other for other in names if other.split("_")[:2] == [person, camera])
        cameras = {other.split("_")[1] for other in names if other.split("_")[0] == person}
        tested = person != "xx" and int(person) in test
        query = tested and len(own) > 1 and len(cameras) > 1 and own[0] == name
        split = "query" if query else "gallery" if tested or person == "xx" else "train"
        by_it = frozenset(other for other in names if other.split("_")[1] == camera)
        found.append((name, -1 if person == "xx" else int(person), split, by_it))
    return found


def some_folder(draw: Draw) -> tuple[list[str], set[int]]:
    """Pictures of nine people and bad boxes by some of five cameras, shuffled; half of the people are of the test."""
    groups = [("xx", camera) for camera in ("mall", "dock")]
    for person, cameras in zip(draw.permutation(30)[:9], draw.integers(1, 5, 9), strict=True):
        words = draw.permutation(["mall", "dock", "hall", "attic", "yard"])[:cameras]
        groups += [(f"{person + 1:02d}", str(word)) for word in words]
    names = [f"{who}_{where}_{n:03d}.jpg" for who, where in groups for n in range(int(draw.integers(1, 4)))]
    people = sorted({int(who) for who, _ in groups if who != "xx"})
    return [str(name) for name in draw.permutation(names)], set(people[::2])


def entries(found: Any, names: Sequence[str], test: Collection[int]) -> list[Entry]:
    """The rows of an answer in the same form; those of the library as they are."""
    if not isinstance(found, str):
        return list(found)
    rows = rows_of(found)
    by = {camid: frozenset(r["path"] for r in rows if r["camid"] == camid) for camid in {r["camid"] for r in rows}}
    return sorted(((r["path"], int(r["pid"]), r["split"], by[r["camid"]]) for r in rows), key=lambda entry: entry[0])
